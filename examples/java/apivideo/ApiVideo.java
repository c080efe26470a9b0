// Upload tokens of api.video, and uploads with them, from Java: the client, what it takes and what it hands out. A wrapper of
// libapivideo by JNA; this directory is all of it, but for the tests.
package apivideo;

import static apivideo.LibApiVideo.LIB;

import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A client: one credential or none, one service, and the connections to it, kept open between calls. Any
 * number of threads may use it at once.
 *
 * <p>Calls block, and throw an {@link ApiVideoException} if they fail. The last parameter of each may
 * be left out: a {@link Cancellation}, with which another thread can end the call.
 */
public final class ApiVideo implements AutoCloseable {
  /** The time to live of a token that is valid for ever. */
  public static final Duration NEVER = ChronoUnit.FOREVER.getDuration();

  private final Handle client;

  private ApiVideo(Pointer client) {
    this.client = new Handle("client", client, LIB::av_client_free);
  }

  /** The version of the library that runs, such as "0.1.0". */
  public static String libraryVersion() {
    return LIB.av_library_version();
  }

  /** As {@link #createToken(Duration, Cancellation)}, without the last. */
  public Token createToken(Duration timeToLive) {
    return createToken(timeToLive, null);
  }

  /**
   * Makes an upload token. Whoever has it can upload videos to the account, until it ends or is
   * deleted. Unless the outcome of an exception is NOT_APPLIED, one may have been made that nobody
   * knows of.
   *
   * @param timeToLive 1 to 2147483647 seconds, rounded up to whole seconds, or {@link #NEVER}, for
   *     ever; not null
   * @param cancellation ends the call, or null
   */
  public Token createToken(Duration timeToLive, Cancellation cancellation) {
    int seconds = seconds(timeToLive);
    return call(cancellation, (client, options, out, error) -> LIB.av_tokens_create(client, seconds, options, out, error),
        Token::new, LIB::av_token_free);
  }

  /** As {@link #getToken(String, Cancellation)}, without the last. */
  public Token getToken(String id) {
    return getToken(id, null);
  }

  /** Looks up one active token; NotFound if it was never made, has expired or was deleted. */
  public Token getToken(String id, Cancellation cancellation) {
    byte[] bytes = (text(Objects.requireNonNull(id, "id"), "id") + "\0").getBytes(StandardCharsets.UTF_8);
    return call(cancellation, (client, options, out, error) -> LIB.av_tokens_get(client, bytes, options, out, error),
        Token::new, LIB::av_token_free);
  }

  /** As {@link #listTokens(int, int, Cancellation)}, without the last. */
  public TokenPage listTokens(int page, int pageSize) {
    return listTokens(page, pageSize, null);
  }

  /**
   * Lists one page of the active tokens.
   *
   * @param page the page, from 1
   * @param pageSize how many tokens it holds at most, 1 to 100
   * @param cancellation ends the call, or null
   */
  public TokenPage listTokens(int page, int pageSize, Cancellation cancellation) {
    if (page < 1) throw new IllegalArgumentException("page must be 1 or more");
    if (pageSize < 1) throw new IllegalArgumentException("pageSize must be 1 or more");
    var parameters = new LibApiVideo.ListParameters(page, pageSize);
    return call(cancellation, (client, options, out, error) -> LIB.av_tokens_list(client, parameters, options, out, error),
        TokenPage::new, LIB::av_token_page_free);
  }

  /** As {@link #deleteToken(String, Cancellation)}, without the last. */
  public void deleteToken(String id) {
    deleteToken(id, null);
  }

  /** Revokes a token; NotFound if it was never made, has expired or was deleted already. */
  public void deleteToken(String id, Cancellation cancellation) {
    byte[] bytes = (text(Objects.requireNonNull(id, "id"), "id") + "\0").getBytes(StandardCharsets.UTF_8);
    call(cancellation, (client, options, out, error) -> LIB.av_tokens_delete(client, bytes, options, error),
        nothing -> null, nothing -> {});
  }

  /**
   * Closes the client. Calls under way end as if nothing had happened; later ones throw
   * IllegalStateException. Never blocks; doing it again does no harm. A client that nobody can reach
   * any more closes by itself, in time.
   */
  @Override
  public void close() {
    client.close();
  }

  /** As {@link #upload(Path, String, UploadOptions)}, with nothing set. */
  public UploadedVideo upload(Path file, String token) {
    return upload(file, token, new UploadOptions());
  }

  /**
   * Uploads a file with an upload token. The client needs no key, and if it has one, that is not sent. It may
   * take hours, and the client's timeout does not apply.
   *
   * <p>It makes at most one video that plays, whatever the network does. After a failure or a crash, another
   * upload can go on from the state of this one ({@link ApiVideoException#uploadState()}), and does not send
   * again what was confirmed. Without a state look for the video before you upload again, unless the outcome is
   * NOT_APPLIED.
   *
   * @param file a regular file that is not empty, and is not written to meanwhile. If it is not there, cannot be
   *     read, has changed, or is another one than before: {@link ApiVideoException.Source}
   * @param token the upload token
   * @param options how to upload
   */
  public UploadedVideo upload(Path file, String token, UploadOptions options) {
    byte[] path = bytes(file);
    var upload = new Upload(token, options);
    return upload.call(System.nanoTime(), client, (client, requestOptions, out, error) ->
        LIB.av_upload_file(client, path, upload.parameters, requestOptions, out, error), UploadedVideo::new, LIB::av_uploaded_video_free);
  }

  /** As {@link #upload(InputStream, String, UploadOptions)}, with nothing set. */
  public UploadedVideo upload(InputStream stream, String token) throws IOException {
    return upload(stream, token, new UploadOptions());
  }

  /**
   * Uploads all that comes from a stream, while it comes; otherwise as {@link #upload(Path, String,
   * UploadOptions)}. The stream stays yours to close. See the README for the formats that suit.
   *
   * <p>What the stream throws ends the upload and reaches the caller as it is; {@link
   * ApiVideoException#uploadStateOf} tells what to go on from. To go on, pass a stream of all the bytes from the
   * very beginning: what is confirmed is skipped, which in a file is no work. Where they cannot be had again,
   * {@link #beginUpload} goes on from its offset.
   *
   * @param stream is read until its end
   * @param token the upload token
   * @param options how to upload; neither the timeout nor the cancellation ends a read that blocks
   */
  public UploadedVideo upload(InputStream stream, String token, UploadOptions options) throws IOException {
    Objects.requireNonNull(stream, "stream");
    try (UploadSession session = beginUpload(token, options)) {
      return session.upload(stream);
    }
  }

  /** As {@link #beginUpload(String, UploadOptions)}, with nothing set. */
  public UploadSession beginUpload(String token) {
    return beginUpload(token, new UploadOptions());
  }

  /**
   * Begins to upload what is made meanwhile; nothing is sent yet. To go on from a state, write all bytes from
   * {@link UploadSession#offset()} on once more: they must be the same.
   *
   * @param token the upload token
   * @param options how to upload; the timeout, the attempts and the cancellation are those of each call
   */
  public UploadSession beginUpload(String token, UploadOptions options) {
    return new UploadSession(client, new Upload(token, options));
  }

  private <T> T call(Cancellation cancellation, Handle.Operation operation, Function<Pointer, T> read, Consumer<Pointer> free) {
    if (cancellation == null) return client.call(null, operation, read, free);
    Pointer cancel = cancellation.begin();
    try {
      return client.call(new LibApiVideo.RequestOptions(cancel, 0, 0), operation, read, free);
    } finally {
      cancellation.end(cancel);
    }
  }

  /**
   * Ends calls from another thread: they throw {@link ApiVideoException.Cancelled}, unless their
   * answer has arrived already. It serves any number of calls, one after the other or at once, and
   * stays cancelled. There is nothing to close.
   */
  public static final class Cancellation {
    private final Set<Pointer> running = new HashSet<>();
    private boolean cancelled;

    /** Ends the calls that use this, and every later one before anything is sent. Never blocks. */
    public synchronized void cancel() {
      cancelled = true;
      running.forEach(LIB::av_cancel_trigger);
    }

    // Each call has a handle of its own, so that no handle outlives its call.
    synchronized Pointer begin() {
      Pointer cancel = LIB.av_cancel_new();
      if (cancelled) LIB.av_cancel_trigger(cancel);
      running.add(cancel);
      return cancel;
    }

    synchronized void end(Pointer cancel) {
      running.remove(cancel);
      LIB.av_cancel_free(cancel);
    }
  }

  /**
   * An upload token, as it was when the service told of it.
   *
   * @param id the token: its id and the secret in one, so treat it as a password
   * @param createdAt when it was made, by the service's clock, if told
   * @param expiresAt when it ends; empty is never, or not told
   * @param timeToLive how long it is valid, as the service tells it; empty is for ever, or not told
   * @param neverExpires whether it is valid for ever
   */
  public record Token(String id, Optional<Instant> createdAt, Optional<Instant> expiresAt,
      Optional<Duration> timeToLive, boolean neverExpires) {
    private Token(Pointer pointer) {
      this(new LibApiVideo.Token(pointer));
    }

    private Token(LibApiVideo.Token token) {
      this(token.token, time(token.createdAt), time(token.expiresAt),
          token.ttlSeconds > 0 ? Optional.of(Duration.ofSeconds(token.ttlSeconds)) : Optional.empty(),
          token.ttlSeconds == 0);
    }

    /** Without the secret, which has no place in a log. */
    @Override
    public String toString() {
      return "Token[createdAt=" + createdAt + ", expiresAt=" + expiresAt + "]";
    }
  }

  /**
   * One page of tokens; numbers are empty if the service did not tell them.
   *
   * @param tokens the tokens of this page
   * @param itemsTotal how many tokens there are on all pages
   * @param currentPage the number of this page, from 1
   * @param pagesTotal how many pages there are
   * @param pageSize how many tokens a page holds at most
   */
  public record TokenPage(List<Token> tokens, OptionalLong itemsTotal, OptionalLong currentPage,
      OptionalLong pagesTotal, OptionalLong pageSize) {
    private TokenPage(Pointer pointer) {
      this(new LibApiVideo.TokenPage(pointer));
    }

    private TokenPage(LibApiVideo.TokenPage page) {
      this(tokens(page), page.count.intValue() == 0 ? OptionalLong.of(page.itemsTotal) : told(page.itemsTotal),
          told(Integer.toUnsignedLong(page.currentPage)), told(Integer.toUnsignedLong(page.pagesTotal)),
          told(Integer.toUnsignedLong(page.pageSize)));
    }

    private static List<Token> tokens(LibApiVideo.TokenPage page) {
      int count = page.count.intValue();
      if (count == 0) return List.of();
      return Arrays.stream(page.items.getPointerArray(0, count)).map(Token::new).toList();
    }
  }

  /** Begins a client. */
  public static Builder builder() {
    return new Builder();
  }

  /** What a client is made from: apiKey alone, or noCredential, is enough. Everything may be null, the default. */
  public static final class Builder {
    private final LibApiVideo.ClientConfig config = new LibApiVideo.ClientConfig();

    private Builder() {}

    /** The account's API key. Exactly one of this and accessToken is set, unless there is noCredential. */
    public Builder apiKey(String key) {
      config.apiKey = text(key, "apiKey");
      return this;
    }

    /** An access token got from the service by other means; it is not renewed. */
    public Builder accessToken(String token) {
      config.accessToken = text(token, "accessToken");
      return this;
    }

    /**
     * Knows no key, on purpose, as on a device: the client can only upload, and its other calls throw
     * InvalidArgument. Neither apiKey nor accessToken is set then. Without this a missing key is an error.
     */
    public Builder noCredential() {
      config.flags = LibApiVideo.NO_CREDENTIAL;
      return this;
    }

    /** Where the service is; the production service unless set. */
    public Builder baseUrl(String url) {
      config.baseUrl = text(url, "baseUrl");
      return this;
    }

    /** Your application and its version, for the service's statistics, such as "backend", "1.20.3". */
    public Builder application(String name, String version) {
      config.appName = text(name, "name");
      config.appVersion = text(version, "version");
      return this;
    }

    /** A PEM file of certificate authorities that replaces the system's. */
    public Builder caFile(String path) {
      config.caFile = text(path, "caFile");
      return this;
    }

    /** http://, socks5:// or socks5h://; "" is none, null is what the environment says. */
    public Builder proxyUrl(String url) {
      config.proxyUrl = text(url, "proxyUrl");
      return this;
    }

    /**
     * What a whole call may take, retries and waits included: more than zero and less than 49 days,
     * rounded up to milliseconds; 30 s unless set. Uploads have one of their own.
     */
    public Builder timeout(Duration timeout) {
      config.timeoutMs = milliseconds(timeout, "timeout");
      return this;
    }

    /** How many times a request may be tried in all, from 1; 3 unless set. */
    public Builder maxAttempts(int attempts) {
      if (attempts < 1) throw new IllegalArgumentException("attempts must be 1 or more");
      config.maxAttempts = attempts;
      return this;
    }

    /** Makes the client. Nothing is sent, so that a wrong key shows with the first call. */
    public ApiVideo build() {
      var client = new PointerByReference();
      var error = new PointerByReference();
      int status = LIB.av_client_new(config, client, error);
      if (status != 0) throw ApiVideoException.of(status, error.getValue());
      return new ApiVideo(client.getValue());
    }
  }

  static Optional<Instant> time(long unixSeconds) {
    return unixSeconds == 0 ? Optional.empty() : Optional.of(Instant.ofEpochSecond(unixSeconds));
  }

  static OptionalLong told(long number) {
    return number == 0 ? OptionalLong.empty() : OptionalLong.of(number);
  }

  // C would read a string with a NUL in it as a shorter one; UTF-8 cannot express half of a surrogate
  // pair.
  static String text(String value, String name) {
    if (value == null) return null;
    if (value.indexOf('\0') >= 0) throw new IllegalArgumentException(name + " contains a NUL character");
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(value)) throw new IllegalArgumentException(name + " is not valid Unicode");
    return value;
  }

  // The library's 0 is for ever, which nothing but its name may ask for.
  private static int seconds(Duration timeToLive) {
    Duration second = Duration.ofSeconds(1);
    if (Objects.requireNonNull(timeToLive, "timeToLive must be a Duration, or NEVER").equals(NEVER)) return 0;
    if (timeToLive.compareTo(second) < 0) throw new IllegalArgumentException("timeToLive must be 1 second or more, or NEVER");
    return units(timeToLive, second, Integer.MAX_VALUE, "timeToLive");
  }

  // The library's uint32_t; its largest value is no limit.
  static int milliseconds(Duration duration, String name) {
    return units(duration, Duration.ofMillis(1), 0xFFFF_FFFEL, name);
  }

  // The path's bytes as they are, which toString() cannot tell in every locale; but on Windows, where it
  // does, and a URI's path is another one.
  private static byte[] bytes(Path path) {
    if (path.getFileSystem() != FileSystems.getDefault())
      throw new IllegalArgumentException("file is in another file system than the system's: open it as a stream");
    if (Platform.isWindows()) return (text(path.toString(), "file") + "\0").getBytes(StandardCharsets.UTF_8);
    String encoded = path.toUri().getRawPath().replace("+", "%2B");
    return (URLDecoder.decode(encoded, StandardCharsets.ISO_8859_1) + "\0").getBytes(StandardCharsets.ISO_8859_1);
  }

  // Rounded up, so that nothing ends before it was asked to, or becomes 0, the library's default.
  private static int units(Duration duration, Duration unit, long most, String name) {
    if (duration == null) return 0;
    if (duration.isNegative() || duration.isZero() || duration.compareTo(unit.multipliedBy(most)) > 0)
      throw new IllegalArgumentException(name + " must be more than zero and at most " + unit.multipliedBy(most));
    return (int) duration.plus(unit).minusNanos(1).dividedBy(unit);
  }
}
