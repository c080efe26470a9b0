// Tests of uploads: see ApiVideoTest. What arrived is what the stand-in's ledger tells.
package apivideo;

import static apivideo.ApiVideoTest.API_KEY;
import static apivideo.ApiVideoTest.HOUR;
import static apivideo.ApiVideoTest.QUICK;
import static apivideo.ApiVideoTest.SLOW;
import static apivideo.ApiVideoTest.client;
import static apivideo.ApiVideoTest.equal;
import static apivideo.ApiVideoTest.fails;
import static apivideo.ApiVideoTest.sendsNothing;
import static apivideo.ApiVideoTest.test;
import static apivideo.ApiVideoTest.yes;

import com.sun.jna.Pointer;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class UploadTest {
  private static final int MIB = 1 << 20;
  // The smallest there is.
  private static final int PART = 5 * MIB;
  // Three parts of that size.
  private static final byte[] BYTES = bytes(11 * MIB + 7);
  private static final byte[] FEW = bytes(1000);

  private static String token;
  private static int titles;

  private UploadTest() {}

  static void all() {
    try (ApiVideo api = client(QUICK)) {
      token = api.createToken(HOUR).id();
    }

    test("a file is uploaded by who knows no key", () -> {
      try (var file = new Source(FEW); ApiVideo device = device(QUICK)) {
        UploadedVideo video = device.upload(file.path, token);
        equal(file.path.getFileName().toString(), video.title().orElseThrow());
        equal((long) FEW.length, video.bytes());
        equal(0L, video.videosAbandoned());
        equal(Optional.of(true), video.isPublic());
        yes(video.json().orElseThrow().contains(video.id()), "the answer has the id");
        for (Optional<String> address : List.of(video.playerUrl(), video.iframeHtml(), video.hlsUrl(), video.mp4Url(), video.thumbnailUrl()))
          yes(address.orElseThrow().contains(video.id()), address.toString());
        yes(Duration.between(video.createdAt().orElseThrow(), Instant.now()).abs().toMinutes() < 5, "made just now");
        yes(Duration.between(video.publishedAt().orElseThrow(), Instant.now()).abs().toMinutes() < 5, "published just now");
        equal(video.id(), whole(video.title().orElseThrow(), FEW).id);
      }
    });

    test("a key is not sent with an upload", () -> {
      String before = inLedger("\"with_authorization\":(\\d+)");
      try (var file = new Source(FEW); ApiVideo api = client(QUICK)) {
        api.upload(file.path, token);
      }
      equal(before, inLedger("\"with_authorization\":(\\d+)"));
    });

    test("who knows no key can do nothing else, and does so by name", () -> {
      try (ApiVideo device = device(QUICK)) {
        fails(ApiVideoException.InvalidArgument.class, () -> device.createToken(HOUR));
        fails(ApiVideoException.InvalidArgument.class, () -> device.listTokens(1, 1));
      }
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().build());
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().apiKey(null).build());
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().noCredential().apiKey(API_KEY).build());
    });

    test("parts of a file go side by side", () -> {
      byte[] bytes = bytes(18 * MIB + 1);
      String title = title();
      try (var file = new Source(bytes); ApiVideo device = device(QUICK)) {
        equal((long) bytes.length, device.upload(file.path, token, options(title).parallelParts(3)).bytes());
      }
      equal(4, whole(title, bytes).parts);
    });

    test("a stream is uploaded", () -> {
      String title = title();
      try (ApiVideo device = device(QUICK)) {
        UploadedVideo video = device.upload(new ByteArrayInputStream(BYTES), token, options(title));
        equal(title, video.title().orElseThrow());
        equal((long) BYTES.length, video.bytes());
      }
      equal(3, whole(title, BYTES).parts);
    });

    test("parts of a stream go side by side", () -> {
      String title = title();
      try (ApiVideo device = device(QUICK)) {
        device.upload(new ByteArrayInputStream(BYTES), token, options(title).parallelParts(2));
      }
      whole(title, BYTES);
    });

    test("a stream without a name is called video", () -> {
      try (ApiVideo device = device(QUICK)) {
        equal("video", device.upload(new ByteArrayInputStream(FEW), token).title().orElseThrow());
      }
    });

    test("what is made meanwhile is uploaded as it is written", () -> {
      String title = title();
      try (ApiVideo device = device(QUICK); UploadSession session = device.beginUpload(token, options(title))) {
        equal(0L, session.offset());
        OutputStream buffered = new BufferedOutputStream(session);
        for (int i = 0; i < 3; i++) buffered.write(BYTES[i]);
        buffered.flush();
        session.write(BYTES[3]);
        session.write(BYTES, 4, 0);
        session.write(BYTES, 4, PART);
        equal(PART + 4L, session.offset());
        session.flush();
        session.write(Arrays.copyOfRange(BYTES, PART + 4, BYTES.length));
        equal((long) BYTES.length, session.offset());
        equal((long) BYTES.length, session.finish().bytes());
        fails(ApiVideoException.InvalidArgument.class, () -> session.write(1));
      }
      whole(title, BYTES);
    });

    test("a video that was made before takes a file, and its secret is in no text", () -> {
      String made = http("POST", "/videos", "{\"title\":\"a private one\",\"public\":false}");
      String id = find(made, "\"videoId\":\"([^\"]*)\"");
      try (var file = new Source(FEW); ApiVideo device = device(QUICK)) {
        UploadedVideo video = device.upload(file.path, token, new UploadOptions().videoId(id));
        equal(id, video.id());
        equal(Optional.of(false), video.isPublic());
        String secret = find(video.playerUrl().orElseThrow(), "token=([^&]+)");
        yes(!video.toString().contains(secret) && !video.toString().contains("http"), video.toString());
      }
      whole("a private one", FEW);
    });

    test("progress is told to the end, and never goes back", () -> {
      String title = title();
      var told = new ArrayList<UploadProgress>();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        device.upload(file.path, token, options(title).progress(told::add).progressInterval(Duration.ofMillis(1)));
      }
      long confirmed = 0;
      for (UploadProgress progress : told) {
        yes(progress.bytesConfirmed() >= confirmed, told.toString());
        confirmed = progress.bytesConfirmed();
        yes(progress.bytesConfirmed() + progress.bytesSent() <= BYTES.length, progress.toString());
        equal(OptionalLong.of(BYTES.length), progress.bytesTotal());
        equal(OptionalLong.of(3), progress.partsTotal());
        equal(0L, progress.bytesRepeated());
        equal(Duration.ZERO, progress.waitTime());
      }
      UploadProgress last = told.get(told.size() - 1);
      equal((long) BYTES.length, last.bytesConfirmed());
      equal(3L, last.partsConfirmed());
      for (UploadProgress.Activity activity : List.of(UploadProgress.Activity.SENDING, UploadProgress.Activity.WAITING_FOR_ANSWER))
        yes(told.stream().anyMatch(progress -> progress.activity() == activity), activity + " in " + told);
    });

    test("of a stream the size is not known", () -> {
      var told = new ArrayList<UploadProgress>();
      try (ApiVideo device = device(QUICK)) {
        device.upload(new ByteArrayInputStream(BYTES), token, options(title()).progress(told::add));
      }
      equal(OptionalLong.empty(), told.get(0).bytesTotal());
      equal(OptionalLong.empty(), told.get(0).partsTotal());
    });

    test("a wait is told with its length", () -> {
      var told = new ArrayList<UploadProgress>();
      try (ApiVideo device = device("http://127.0.0.1:1")) {
        // One of the waits may be shorter than a millisecond by chance.
        var options = new UploadOptions().maxAttempts(6).progress(told::add);
        fails(ApiVideoException.Connect.class, () -> device.upload(new ByteArrayInputStream(FEW), token, options));
      }
      yes(told.stream().anyMatch(it -> it.activity() == UploadProgress.Activity.WAITING_TO_RETRY && it.waitTime().toMillis() > 0), told.toString());
    });

    test("an activity of a later library is told as unknown", () -> {
      for (int state : new int[] {-1, 4, 4711, Integer.MIN_VALUE}) equal(UploadProgress.Activity.UNKNOWN, UploadProgress.Activity.of(state));
      equal(UploadProgress.Activity.WAITING_FOR_RATE_LIMIT, UploadProgress.Activity.of(3));
    });

    test("reports keep their distance", () -> {
      var often = new ArrayList<UploadProgress>();
      var rarely = new ArrayList<UploadProgress>();
      try (var file = new Source(bytes(2 * MIB)); ApiVideo device = device(QUICK)) {
        var options = new UploadOptions().maxBytesPerSecond(MIB);
        device.upload(file.path, token, options.progressInterval(Duration.ofMillis(20)).progress(often::add));
        device.upload(file.path, token, options.progressInterval(HOUR).progress(rarely::add));
      }
      yes(often.size() > rarely.size() + 5, often.size() + " and " + rarely.size());
    });

    test("a rate is kept to, longer than the client's timeout, which is not an upload's", () -> {
      long begin = System.nanoTime();
      try (var file = new Source(bytes(2 * MIB));
          ApiVideo device = ApiVideo.builder().noCredential().baseUrl(QUICK).proxyUrl("").timeout(Duration.ofMillis(100)).build()) {
        device.upload(file.path, token, new UploadOptions().maxBytesPerSecond(MIB));
      }
      yes(System.nanoTime() - begin > 1_000_000_000L, "2 MiB at 1 MiB a second");
    });

    test("a state is told after each part but the last, and goes on from it", () -> {
      String title = title();
      var states = new ArrayList<String>();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        var cancellation = new ApiVideo.Cancellation();
        fails(ApiVideoException.Cancelled.class, () -> device.upload(file.path, token, options(title).cancellation(cancellation).state(state -> {
          states.add(state);
          if (states.size() == 2) cancellation.cancel();
        })));
        equal(2, states.size());
        states.forEach(state -> yes(!state.contains(token), "no token in a state"));
        device.upload(file.path, token, options(title).resume(states.get(1)).state(states::add));
        equal(2, states.size());
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("cancelling from a callback tells what to go on from, and nothing confirmed is sent twice", () -> {
      String title = title();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        var cancellation = new ApiVideo.Cancellation();
        var exception = fails(ApiVideoException.Cancelled.class, () -> device.upload(file.path, token,
            options(title).cancellation(cancellation).progress(progress -> {
              if (progress.partsConfirmed() == 1) cancellation.cancel();
            })));
        equal(ApiVideoException.Outcome.NOT_APPLIED, exception.outcome());
        equal(stored(title).id, exception.uploadVideoId().orElseThrow());
        equal(exception.uploadState(), ApiVideoException.uploadStateOf(exception));
        equal(false, stored(title).isWhole);
        var told = new ArrayList<UploadProgress>();
        device.upload(file.path, token, options(title).resume(exception.uploadState().orElseThrow()).progress(told::add));
        yes(told.get(0).bytesConfirmed() >= PART, told.toString());
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("cancelling from another thread ends an upload that is slow", () -> {
      String title = title();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        var cancellation = new ApiVideo.Cancellation();
        var confirmed = new CountDownLatch(1);
        var upload = CompletableFuture.supplyAsync(() -> fails(ApiVideoException.Cancelled.class, () -> device.upload(file.path, token,
            options(title).cancellation(cancellation).maxBytesPerSecond(4 * MIB).state(state -> confirmed.countDown()))));
        confirmed.await();
        cancellation.cancel();
        device.upload(file.path, token, options(title).resume(upload.get().uploadState().orElseThrow()));
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("a stream that fails is told as it failed, with the state, and another one goes on", () -> {
      String title = title();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        var torn = new IOException("torn");
        var exception = fails(IOException.class, () -> device.upload(new Torn(BYTES, PART + 100, torn), token, options(title)));
        yes(exception == torn, "itself");
        String state = ApiVideoException.uploadStateOf(exception).orElseThrow();
        equal((long) PART, stored(title).bytes);
        try (InputStream again = Files.newInputStream(file.path)) {
          device.upload(again, token, options(title).resume(state));
        }
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("a stream that fails before what is new keeps the state", () -> {
      String title = title();
      try (ApiVideo device = device(QUICK)) {
        var torn = new IllegalStateException("torn");
        var exception = fails(IllegalStateException.class, () -> device.upload(new Torn(BYTES, 2 * PART + 1, torn), token, options(title)));
        for (int at : new int[] {0, 100, 2 * PART}) {
          String state = ApiVideoException.uploadStateOf(exception).orElseThrow();
          exception = fails(IllegalStateException.class, () -> device.upload(new Torn(BYTES, at, new IllegalStateException()), token, options(title).resume(state)));
        }
        String state = ApiVideoException.uploadStateOf(exception).orElseThrow();
        var end = fails(EOFException.class, () -> device.upload(new ByteArrayInputStream(FEW), token, options(title).resume(state)));
        device.upload(new ByteArrayInputStream(BYTES), token, options(title).resume(ApiVideoException.uploadStateOf(end).orElseThrow()));
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("a stream that fails before anything was sent leaves nothing to go on from", () -> {
      sendsNothing(api -> {
        var exception = fails(IOException.class, () -> api.upload(new Torn(BYTES, 100, new IOException("torn")), token));
        equal(Optional.empty(), ApiVideoException.uploadStateOf(exception));
        fails(ApiVideoException.InvalidArgument.class, () -> api.upload(InputStream.nullInputStream(), token));
      });
    });

    test("what is made meanwhile goes on from its offset", () -> {
      String title = title();
      var states = new ArrayList<String>();
      try (ApiVideo device = device(QUICK)) {
        try (UploadSession session = device.beginUpload(token, options(title).state(states::add))) {
          session.write(BYTES, 0, PART + 1);
        }
        equal(false, stored(title).isWhole);
        try (UploadSession session = device.beginUpload(token, options(title).resume(states.get(0)))) {
          equal((long) PART, session.offset());
          session.write(BYTES, PART, BYTES.length - PART);
          session.finish();
        }
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("what a callback throws reaches the caller of a file's upload, with the state", () -> {
      for (Throwable thrown : List.of(new IllegalStateException("mine"), new AssertionError("mine"), new IOException("checked"))) {
        String title = title();
        try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
          Throwable caught = caught(() -> device.upload(file.path, token, options(title).parallelParts(2).progress(progress -> {
            if (progress.partsConfirmed() == 1) raise(thrown);
          })));
          yes(caught == thrown, "itself, not " + caught);
          equal(ApiVideoException.Cancelled.class, caught.getSuppressed()[0].getClass());
          device.upload(file.path, token, options(title).resume(ApiVideoException.uploadStateOf(caught).orElseThrow()));
        }
        whole(title, BYTES);
      }
    });

    test("what a callback throws reaches the caller of a stream's upload, with the state", () -> {
      String title = title();
      var thrown = new IllegalStateException("mine");
      try (ApiVideo device = device(QUICK)) {
        Throwable caught = caught(() -> device.upload(new ByteArrayInputStream(BYTES), token, options(title).state(state -> raise(thrown))));
        yes(caught == thrown, "itself, not " + caught);
        device.upload(new ByteArrayInputStream(BYTES), token, options(title).resume(ApiVideoException.uploadStateOf(caught).orElseThrow()));
      }
      equal(List.of(1, 1, 1), whole(title, BYTES).received);
    });

    test("a callback that throws too late tells of the video", () -> {
      String title = title();
      try (var file = new Source(BYTES); ApiVideo device = device(QUICK)) {
        Throwable caught = caught(() -> device.upload(file.path, token, options(title).progress(progress -> {
          if (progress.bytesConfirmed() == BYTES.length) throw new IllegalStateException("mine");
        })));
        equal("mine", caught.getMessage());
        equal(Optional.empty(), ApiVideoException.uploadStateOf(caught));
        yes(caught.getSuppressed()[0].getMessage().contains(whole(title, BYTES).id), caught.getSuppressed()[0].toString());
      }
    });

    test("an upload is still there after a write that failed", () -> {
      String title = title();
      var fails = new boolean[] {true};
      Consumer<UploadProgress> progress = told -> {
        if (fails[0]) throw new IllegalStateException("mine");
      };
      try (ApiVideo device = device(QUICK); UploadSession session = device.beginUpload(token, options(title).progress(progress))) {
        fails(IllegalStateException.class, () -> session.write(BYTES));
        fails[0] = false;
        long taken = session.offset();
        yes(taken < BYTES.length, taken + " bytes");
        session.write(BYTES, (int) taken, BYTES.length - (int) taken);
        session.finish();
      }
      whole(title, BYTES);
    });

    test("an upload takes one call at a time", () -> {
      var refused = new ArrayList<Throwable>();
      UploadSession[] session = new UploadSession[1];
      var options = options(title()).progress(progress -> {
        session[0].offset();
        refused.add(caught(() -> session[0].write(1)));
      });
      try (ApiVideo device = device(QUICK); UploadSession made = device.beginUpload(token, options)) {
        session[0] = made;
        made.write(FEW);
        made.finish();
      }
      equal(IllegalStateException.class, refused.get(0).getClass());
    });

    test("an upload may be closed by its callback, and twice", () -> {
      String title = title();
      UploadSession[] session = new UploadSession[1];
      try (ApiVideo device = device(QUICK)) {
        session[0] = device.beginUpload(token, options(title).state(state -> session[0].close()));
        fails(IllegalStateException.class, () -> session[0].write(BYTES));
        fails(IllegalStateException.class, () -> session[0].offset());
        fails(IllegalStateException.class, () -> session[0].finish());
        session[0].close();
      }
      equal((long) PART, stored(title).bytes);
    });

    test("an upload outlives its client, which takes no other when it is closed", () -> {
      String title = title();
      ApiVideo device = device(QUICK);
      try (UploadSession session = device.beginUpload(token, options(title))) {
        device.close();
        fails(IllegalStateException.class, () -> device.beginUpload(token));
        fails(IllegalStateException.class, () -> device.upload(Path.of("film.mp4"), token));
        session.write(FEW);
        session.finish();
      }
      whole(title, FEW);
    });

    test("a handle that nobody can reach is freed", () -> {
      var freed = new CountDownLatch(1);
      new Handle("nobody's", Pointer.NULL, pointer -> freed.countDown());
      for (int i = 0; i < 600 && freed.getCount() > 0; i++) {
        System.gc();
        freed.await(100, TimeUnit.MILLISECONDS);
      }
      equal(0L, freed.getCount());
    });

    test("callbacks live as long as their upload", () -> {
      var told = new ArrayList<UploadProgress>();
      try (ApiVideo device = device(QUICK); UploadSession session = device.beginUpload(token, options(title()).progress(told::add))) {
        System.gc();
        session.write(FEW);
        System.gc();
        session.finish();
      }
      yes(!told.isEmpty(), "progress is told");
    });

    test("a token that is refused is told without being shown", () -> {
      String wrong = "toWrongWrongWrongWrongWrong";
      var options = options(title());
      try (var file = new Source(FEW); ApiVideo device = device(QUICK); UploadSession session = device.beginUpload(wrong, options)) {
        var exception = fails(ApiVideoException.Unauthorized.class, () -> device.upload(file.path, wrong, options));
        equal(ApiVideoException.Outcome.NOT_APPLIED, exception.outcome());
        equal(Optional.empty(), exception.uploadState());
        equal(Optional.empty(), exception.uploadVideoId());
        for (Object object : List.of(exception, device, session, options)) yes(!object.toString().contains(wrong), object.toString());
      }
    });

    test("a file that cannot be read, or is another one than before, is told", () -> {
      try (var file = new Source(BYTES); var other = new Source(bytes(12 * MIB)); ApiVideo device = device(QUICK)) {
        fails(ApiVideoException.Source.class, () -> device.upload(Path.of("is", "not", "there.mp4"), token));
        fails(ApiVideoException.InvalidArgument.class, () -> device.upload(file.path.getParent(), token));
        var states = new ArrayList<String>();
        device.upload(file.path, token, options(title()).state(states::add));
        fails(ApiVideoException.Source.class, () -> device.upload(other.path, token, options(title()).resume(states.get(0))));
      }
    });

    test("a path is taken byte for byte, whatever the locale", () -> {
      for (String name : List.of("gr%C3%B6%C3%9Fe", "1+1", "100%25", "two%20words")) {
        try (var directory = new Source(FEW); ApiVideo device = device(QUICK)) {
          // How Path.of() takes what is not in the locale.
          Path path = Path.of(URI.create(directory.path.toUri() + name));
          Files.move(directory.path, path);
          try {
            equal(directory.path.getFileName() + URI.create(name).getPath(), device.upload(path, token).title().orElseThrow());
          } finally {
            Files.delete(path);
          }
        }
      }
    });

    test("an argument that C cannot be given is refused", () -> {
      sendsNothing(api -> {
        try (var file = new Source(FEW)) {
          fails(NullPointerException.class, () -> api.upload(file.path, null));
          fails(NullPointerException.class, () -> api.upload(file.path, token, null));
          fails(NullPointerException.class, () -> api.upload((Path) null, token));
          fails(NullPointerException.class, () -> api.upload((InputStream) null, token));
          fails(NullPointerException.class, () -> api.beginUpload(null));
          fails(IllegalArgumentException.class, () -> api.upload(file.path, token + "\0"));
          fails(IllegalArgumentException.class, () -> api.upload(file.path, "half a pair \ud83d"));
          fails(ApiVideoException.InvalidArgument.class, () -> api.upload(file.path, ""));
          var zip = Path.of(file.path + ".zip");
          try (var other = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            fails(IllegalArgumentException.class, () -> api.upload(other.getPath("film.mp4"), token));
          }
          Files.delete(zip);
          try (UploadSession session = api.beginUpload(token)) {
            fails(IndexOutOfBoundsException.class, () -> session.write(FEW, 1, FEW.length));
            fails(IndexOutOfBoundsException.class, () -> session.write(FEW, -1, 1));
            fails(ApiVideoException.InvalidArgument.class, session::finish);
          }
        }
      });
    });

    test("an option out of range is refused", () -> {
      var options = new UploadOptions();
      for (String text : List.of("a\0b", "half a pair \ud83d")) {
        fails(IllegalArgumentException.class, () -> options.videoId(text));
        fails(IllegalArgumentException.class, () -> options.fileName(text));
        fails(IllegalArgumentException.class, () -> options.resume(text));
      }
      for (long number : new long[] {0, -1, Long.MIN_VALUE}) {
        fails(IllegalArgumentException.class, () -> options.partBytes(number));
        fails(IllegalArgumentException.class, () -> options.maxBytesPerSecond(number));
      }
      for (int number : new int[] {0, -1, Integer.MIN_VALUE}) fails(IllegalArgumentException.class, () -> options.maxAttempts(number));
      for (int number : new int[] {-1, Integer.MIN_VALUE}) fails(IllegalArgumentException.class, () -> options.parallelParts(number));
      for (Duration duration : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofMillis(0xFFFF_FFFFL), Duration.ofMillis((1L << 32) + 5),
          Duration.ofSeconds(Long.MAX_VALUE))) {
        fails(IllegalArgumentException.class, () -> options.stallTimeout(duration));
        fails(IllegalArgumentException.class, () -> options.answerTimeout(duration));
        fails(IllegalArgumentException.class, () -> options.patience(duration));
        fails(IllegalArgumentException.class, () -> options.progressInterval(duration));
        fails(IllegalArgumentException.class, () -> options.timeout(duration));
      }
      fails(IllegalArgumentException.class, () -> options.progressInterval(ApiVideo.NEVER));
      sendsNothing(api -> {
        for (UploadOptions refused : List.of(new UploadOptions().partBytes(PART - 1), new UploadOptions().partBytes(200L * MIB + 1),
            new UploadOptions().partBytes((1L << 32) + PART), new UploadOptions().parallelParts(17), new UploadOptions().parallelParts(256 + 1),
            new UploadOptions().videoId(""), new UploadOptions().fileName(""), new UploadOptions().resume("no state")))
          fails(ApiVideoException.InvalidArgument.class, () -> api.beginUpload(token, refused));
      });
    });

    test("null is the default of an option, and NEVER no limit", () -> {
      String title = title();
      try (ApiVideo device = device(QUICK)) {
        device.upload(new ByteArrayInputStream(FEW), token, new UploadOptions().videoId("x").videoId(null).fileName(title).resume("x").resume(null)
            .progress(null).state(null).cancellation(null).progressInterval(null).parallelParts(0)
            .stallTimeout(ApiVideo.NEVER).answerTimeout(ApiVideo.NEVER).patience(ApiVideo.NEVER).timeout(ApiVideo.NEVER));
        device.upload(new ByteArrayInputStream(FEW), token, new UploadOptions().stallTimeout(null).answerTimeout(null).patience(null).timeout(null));
      }
      whole(title, FEW);
    });

    test("an upload's own timeout ends it", () -> {
      try (var file = new Source(FEW); ApiVideo device = device(SLOW)) {
        var options = new UploadOptions().timeout(Duration.ofMillis(1500));
        fails(ApiVideoException.Timeout.class, () -> device.upload(file.path, token, options));
        fails(ApiVideoException.Timeout.class, () -> device.upload(new ByteArrayInputStream(FEW), token, options));
      }
    });

    test("an answer that takes too long fails an attempt", () -> {
      try (var file = new Source(FEW); ApiVideo device = device(SLOW)) {
        var exception = fails(ApiVideoException.Timeout.class,
            () -> device.upload(file.path, token, new UploadOptions().answerTimeout(Duration.ofMillis(500)).maxAttempts(1)));
        equal(1L, exception.attempts());
      }
    });

    test("a connection over which nothing gets any more fails an attempt", () -> {
      try (var server = new ServerSocket()) {
        // Nobody reads from it.
        server.setReceiveBufferSize(4096);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        try (ApiVideo device = device("http://127.0.0.1:" + server.getLocalPort())) {
          fails(ApiVideoException.Timeout.class, () -> device.upload(new ByteArrayInputStream(BYTES), token,
              new UploadOptions().stallTimeout(Duration.ofMillis(500)).maxAttempts(1)));
        }
      }
    });

    test("attempts and patience end", () -> {
      try (var file = new Source(FEW); ApiVideo device = device("http://127.0.0.1:1")) {
        equal(2L, fails(ApiVideoException.Connect.class, () -> device.upload(file.path, token, new UploadOptions().maxAttempts(2))).attempts());
        long begin = System.nanoTime();
        fails(ApiVideoException.Connect.class, () -> device.upload(file.path, token,
            new UploadOptions().maxAttempts(Integer.MAX_VALUE).patience(Duration.ofMillis(700))));
        yes(System.nanoTime() - begin < 100_000_000_000L, "well before the 5 min of the default");
      }
    });
  }

  private static ApiVideo device(String url) {
    return ApiVideo.builder().noCredential().baseUrl(url).proxyUrl("").build();
  }

  private static UploadOptions options(String title) {
    return new UploadOptions().fileName(title).partBytes(PART);
  }

  private static String title() {
    return "java " + titles++;
  }

  private static byte[] bytes(int size) {
    var bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static Throwable caught(ApiVideoTest.Body body) {
    try {
      body.run();
    } catch (Throwable throwable) {
      return throwable;
    }
    throw new AssertionError("expected an exception, got nothing");
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void raise(Throwable throwable) throws E {
    throw (E) throwable;
  }

  // What the stand-in has of a video.
  private record Stored(String id, long bytes, String sha256, boolean isWhole, int parts, List<Integer> received) {}

  private static Stored stored(String title) throws Exception {
    Matcher matcher = Pattern.compile("\\{\"bytes\":(\\d+),\"parts\":\\[([^]]*)\\],\"sha256\":(?:null|\"(\\w+)\"),\"title\":\""
        + Pattern.quote(title) + "\",\"videoId\":\"(\\w+)\",\"whole\":(true|false)\\}").matcher(http("GET", "/local-api/ledger", null));
    yes(matcher.find(), "there is a video " + title);
    List<Integer> received = Pattern.compile("\"received\":(\\d+)").matcher(matcher.group(2)).results()
        .map(result -> Integer.valueOf(result.group(1))).toList();
    var stored = new Stored(matcher.group(4), Long.parseLong(matcher.group(1)), matcher.group(3), matcher.group(5).equals("true"), received.size(), received);
    yes(!matcher.find(), "there is one video " + title);
    return stored;
  }

  // Of these very bytes.
  private static Stored whole(String title, byte[] bytes) throws Exception {
    Stored stored = stored(title);
    yes(stored.isWhole, title + " is whole");
    equal((long) bytes.length, stored.bytes);
    equal(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)), stored.sha256);
    return stored;
  }

  private static String inLedger(String pattern) throws Exception {
    return find(http("GET", "/local-api/ledger", null), pattern);
  }

  private static String find(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    yes(matcher.find(), pattern + " is in " + text);
    return matcher.group(1);
  }

  // With the key, past the wrapper.
  private static String http(String method, String path, String body) throws Exception {
    String credential = Base64.getEncoder().encodeToString((API_KEY + ":").getBytes());
    var request = HttpRequest.newBuilder(URI.create(QUICK + path)).header("Authorization", "Basic " + credential).header("Content-Type", "application/json")
        .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body)).build();
    return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
  }

  // A file of these bytes, as long as it is wanted.
  private static final class Source implements AutoCloseable {
    private final Path path;

    Source(byte[] bytes) throws IOException {
      path = Files.createTempFile("apivideo-", ".mp4");
      Files.write(path, bytes);
    }

    @Override
    public void close() throws IOException {
      Files.deleteIfExists(path);
    }
  }

  // A stream that throws once so many bytes were read.
  private static final class Torn extends FilterInputStream {
    private final Exception failure;
    private int left;

    Torn(byte[] bytes, int left, Exception failure) {
      super(new ByteArrayInputStream(bytes));
      this.left = left;
      this.failure = failure;
    }

    @Override
    public int read() throws IOException {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (left == 0) UploadTest.<RuntimeException>raise(failure);
      int count = super.read(bytes, offset, Math.min(length, left));
      left -= Math.max(0, count);
      return count;
    }

    @Override
    public long skip(long count) throws IOException {
      if (left == 0) UploadTest.<RuntimeException>raise(failure);
      long skipped = super.skip(Math.min(count, left));
      left -= (int) skipped;
      return skipped;
    }
  }
}
