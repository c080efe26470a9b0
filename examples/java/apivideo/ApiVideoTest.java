// Tests of the wrapper, with no framework: each test(…) is one, named by what it holds. They want the
// stand-ins that tests/languages/with_local_api.sh starts.
package apivideo;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;

final class ApiVideoTest {
  static final String API_KEY = setting("APIVIDEO_API_KEY");
  static final String QUICK = setting("APIVIDEO_BASE_URL");
  static final String SLOW = setting("APIVIDEO_SLOW_BASE_URL");
  static final Duration HOUR = Duration.ofHours(1);

  private static int passed;
  private static int failed;

  public static void main(String[] arguments) {
    test("a token is made, listed, looked up and deleted once", () -> {
      try (ApiVideo api = client(QUICK)) {
        ApiVideo.Token made = api.createToken(Duration.ofHours(1));
        equal(made, api.getToken(made.id()));
        equal(made, api.listTokens(1, 1).tokens().get(0));
        api.deleteToken(made.id());
        var exception = fails(ApiVideoException.NotFound.class, () -> api.deleteToken(made.id()));
        equal(OptionalInt.of(404), exception.httpStatus());
        equal(ApiVideoException.Outcome.NOT_APPLIED, exception.outcome());
        equal(1L, exception.attempts());
        fails(ApiVideoException.NotFound.class, () -> api.getToken(made.id()));
      }
    });

    test("the library is called as each platform calls it", () ->
        equal(List.of("libapivideo.so.0.1", "libapivideo.so.0.1", "libapivideo.0.1.dylib", "apivideo.dll"),
            IntStream.of(Platform.LINUX, Platform.FREEBSD, Platform.MAC, Platform.WINDOWS).mapToObj(LibApiVideo::libraryName).toList()));

    test("a size_t is as wide as a pointer, and has no sign", () -> {
      equal(Native.POINTER_SIZE, Native.getNativeSize(LibApiVideo.SizeT.class));
      equal(0xFFFF_FFFFL, new LibApiVideo.SizeT(0xFFFF_FFFFL).longValue());
    });

    test("a token tells its times", () -> {
      try (ApiVideo api = client(QUICK)) {
        ApiVideo.Token token = api.createToken(Duration.ofSeconds(3600, 1));
        equal(Optional.of(Duration.ofSeconds(3601)), token.timeToLive());
        Instant createdAt = token.createdAt().orElseThrow();
        equal(Optional.of(createdAt.plusSeconds(3601)), token.expiresAt());
        yes(Duration.between(createdAt, Instant.now()).abs().toMinutes() < 5, "made just now");
        equal(false, token.neverExpires());
      }
    });

    test("a token never expires if that is asked for by name", () -> {
      try (ApiVideo api = client(QUICK)) {
        ApiVideo.Token token = api.createToken(ApiVideo.NEVER);
        equal(true, token.neverExpires());
        equal(Optional.empty(), token.timeToLive());
        equal(Optional.empty(), token.expiresAt());
      }
    });

    test("a token's secret is not in its toString()", () -> {
      try (ApiVideo api = client(QUICK)) {
        ApiVideo.Token token = api.createToken(HOUR);
        yes(!token.toString().contains(token.id()), token.toString());
      }
    });

    test("pages are told apart", () -> {
      try (ApiVideo api = client(QUICK)) {
        List<String> made = IntStream.range(0, 3).mapToObj(i -> api.createToken(HOUR).id()).toList();
        ApiVideo.TokenPage page = api.listTokens(2, 2);
        equal(List.of(made.get(0)), page.tokens().stream().limit(1).map(ApiVideo.Token::id).toList());
        equal(OptionalLong.of(2), page.currentPage());
        equal(OptionalLong.of(2), page.pageSize());
        equal((page.itemsTotal().orElseThrow() + 1) / 2, page.pagesTotal().orElseThrow());
        equal(List.of(), api.listTokens(1000000, 100).tokens());
      }
    });

    test("each status has its exception", () -> {
      answer(403, "{}", ApiVideoException.Unauthorized.class);
      answer(404, "{}", ApiVideoException.NotFound.class);
      answer(400, "{}", ApiVideoException.Rejected.class);
      answer(429, "{}", ApiVideoException.RateLimited.class);
      answer(503, "{}", ApiVideoException.Server.class);
      answer(200, "no JSON", ApiVideoException.Decode.class);
      try (ApiVideo api = client(QUICK.replace("http:", "https:"))) {
        fails(ApiVideoException.Tls.class, () -> api.listTokens(1, 1));
      }
      try (ApiVideo api = client("http://127.0.0.1:1")) {
        fails(ApiVideoException.Connect.class, () -> api.listTokens(1, 1));
      }
      try (ApiVideo api = client(QUICK)) {
        fails(ApiVideoException.InvalidArgument.class, () -> api.listTokens(1, 101));
      }
    });

    test("a status of a later library is a general exception", () -> {
      ApiVideoException exception = ApiVideoException.of(4711, null);
      equal(ApiVideoException.class, exception.getClass());
      equal(4711, exception.status());
      equal(ApiVideoException.Outcome.UNKNOWN, exception.outcome());
      equal(OptionalInt.empty(), exception.httpStatus());
      equal(Optional.empty(), exception.retryAfter());
    });

    test("the service's problems are told", () -> {
      var exception = answer(400, """
          {"type":"https://example.org/t","title":"Gr\u00f6\u00dfe","detail":"d","name":"pageSize",
           "problems":[{"title":"first","name":"a"},{"title":"second","detail":"more"}]}""", ApiVideoException.Rejected.class);
      equal(new ApiVideoException.Problem("https://example.org/t", "Gr\u00f6\u00dfe", "d", "pageSize"), exception.problem());
      equal(List.of(new ApiVideoException.Problem(null, "first", null, "a"),
          new ApiVideoException.Problem(null, "second", "more", null)), exception.problems());
      equal(Optional.empty(), exception.retryAfter());
      equal(false, exception.isRetryable());
    });

    test("a rate limit tells how long to wait", () -> {
      var exception = answer(429, "{}", ApiVideoException.RateLimited.class);
      equal(Optional.of(Duration.ofSeconds(7)), exception.retryAfter());
      equal(true, exception.isRetryable());
    });

    test("strings are UTF-8 both ways, whatever the locale", () -> {
      try (var service = new CannedService(200, "{\"token\":\"t\u00f6 \u2713\"}"); ApiVideo api = client(service.url())) {
        equal("t\u00f6 \u2713", api.getToken("t\u00f6 \u2713").id());
        equal("/upload-tokens/t%C3%B6%20%E2%9C%93", service.path);
      }
      try (var service = new CannedService(200, "{\"token\":\"t\"}");
          ApiVideo api = ApiVideo.builder().apiKey("schl\u00fcssel").baseUrl(service.url()).proxyUrl("").build()) {
        api.getToken("t");
        byte[] credential = "schl\u00fcssel:".getBytes(StandardCharsets.UTF_8);
        equal("Basic " + Base64.getEncoder().encodeToString(credential), service.authorization);
      }
    });

    test("strings that C cannot express are refused", () -> {
      try (ApiVideo api = client(QUICK)) {
        String id = api.createToken(HOUR).id();
        fails(IllegalArgumentException.class, () -> api.deleteToken(id + "\0more"));
        fails(IllegalArgumentException.class, () -> api.getToken(id + "\0"));
        fails(IllegalArgumentException.class, () -> api.getToken("half a pair \ud83d"));
        fails(NullPointerException.class, () -> api.getToken(null));
        fails(NullPointerException.class, () -> api.deleteToken(null));
        equal(id, api.getToken(id).id());
      }
      fails(IllegalArgumentException.class, () -> ApiVideo.builder().apiKey("demo\0"));
    });

    test("no token is made whose time to live is missing, rounds to 0 or is out of range", () -> {
      Duration longest = Duration.ofSeconds(Integer.MAX_VALUE);
      sendsNothing(api -> {
        for (Duration duration : List.of(Duration.ZERO, Duration.ofNanos(1), Duration.ofMillis(1), Duration.ofMillis(400),
            Duration.ofNanos(999_999_999), Duration.ofNanos(-1), Duration.ofSeconds(-1), longest.plusNanos(1),
            Duration.ofSeconds((1L << 32) + 5), Duration.ofSeconds(Long.MIN_VALUE), Duration.ofSeconds(Long.MAX_VALUE),
            ApiVideo.NEVER.minusNanos(1))) {
          fails(IllegalArgumentException.class, () -> api.createToken(duration));
          fails(IllegalArgumentException.class, () -> api.createToken(duration, new ApiVideo.Cancellation()));
        }
        fails(NullPointerException.class, () -> api.createToken(null));
        fails(NullPointerException.class, () -> api.createToken(null, null));
      });
      yes(Arrays.stream(ApiVideo.class.getMethods())
          .allMatch(method -> !method.getName().equals("createToken") || method.getParameterCount() > 0), "none without a time to live");
      try (ApiVideo api = client(QUICK)) {
        equal(Optional.of(longest), api.createToken(longest).timeToLive());
        for (Duration ttl : new Duration[] {Duration.ofSeconds(1), Duration.ofSeconds(1, 1)}) {
          ApiVideo.Token token = api.createToken(ttl);
          equal(Optional.of(Duration.ofSeconds(ttl.getNano() == 0 ? 1 : 2)), token.timeToLive());
          // Before it expires, while another test counts; if it has not.
          try {
            api.deleteToken(token.id());
          } catch (ApiVideoException.NotFound gone) {
          }
        }
      }
    });

    test("numbers out of range are refused", () -> {
      sendsNothing(api -> {
        for (int number : new int[] {0, -1, Integer.MIN_VALUE}) {
          fails(IllegalArgumentException.class, () -> api.listTokens(number, 1));
          fails(IllegalArgumentException.class, () -> api.listTokens(1, number));
          fails(IllegalArgumentException.class, () -> ApiVideo.builder().maxAttempts(number));
        }
        for (int number : new int[] {101, 256 + 25, Integer.MAX_VALUE})
          fails(ApiVideoException.InvalidArgument.class, () -> api.listTokens(1, number));
      });
      for (Duration duration : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(-1), Duration.ofMillis(0xFFFF_FFFFL),
          Duration.ofMillis((1L << 32) + 5), Duration.ofSeconds(Long.MIN_VALUE), Duration.ofSeconds(Long.MAX_VALUE), ApiVideo.NEVER))
        fails(IllegalArgumentException.class, () -> ApiVideo.builder().timeout(duration));
    });

    test("a client is as its builder was told", () -> {
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().build());
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().apiKey("a").accessToken("b").build());
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().apiKey("a").proxyUrl("ftp://nowhere").build());
      fails(ApiVideoException.InvalidArgument.class, () -> ApiVideo.builder().apiKey("a").baseUrl("http://example.org").build());
      fails(ApiVideoException.InvalidArgument.class,
          () -> ApiVideo.builder().apiKey("a").baseUrl("https://example.org").caFile("/dev/null").build());
      try (var service = new CannedService(503, "{}");
          ApiVideo api = ApiVideo.builder().accessToken("letmein").baseUrl(service.url()).proxyUrl("")
              .application("recorder", "1.2.3").maxAttempts(2).build()) {
        equal(2L, fails(ApiVideoException.Server.class, () -> api.listTokens(1, 1)).attempts());
        equal("Bearer letmein", service.authorization);
      }
    });

    test("a call ends when its time is up", () -> {
      long begin = System.nanoTime();
      try (ApiVideo api = ApiVideo.builder().apiKey(API_KEY).baseUrl(SLOW).timeout(Duration.ofMillis(2000)).build()) {
        equal(ApiVideoException.Outcome.UNKNOWN, fails(ApiVideoException.Timeout.class, () -> api.createToken(HOUR)).outcome());
      }
      yes(System.nanoTime() - begin < 20_000_000_000L, "well before the 30 s of the default");
    });

    test("cancelling ends a call that waits for its answer", () -> {
      try (var service = new CannedService(); ApiVideo api = client(service.url())) {
        var cancellation = new ApiVideo.Cancellation();
        var call = CompletableFuture.supplyAsync(() ->
            fails(ApiVideoException.Cancelled.class, () -> api.createToken(HOUR, cancellation)));
        service.asked.await();
        cancellation.cancel();
        equal(ApiVideoException.Outcome.UNKNOWN, call.get().outcome());
      }
    });

    test("a call that is cancelled beforehand sends nothing", () -> {
      try (var service = new CannedService(); ApiVideo api = client(service.url())) {
        var cancellation = new ApiVideo.Cancellation();
        cancellation.cancel();
        var exception = fails(ApiVideoException.Cancelled.class, () -> api.createToken(HOUR, cancellation));
        equal(ApiVideoException.Outcome.NOT_APPLIED, exception.outcome());
        equal(null, service.path);
      }
    });

    test("a cancellation that comes too late does no harm", () -> {
      try (ApiVideo api = client(QUICK)) {
        var cancellation = new ApiVideo.Cancellation();
        String id = api.createToken(Duration.ofHours(1), cancellation).id();
        cancellation.cancel();
        equal(id, api.getToken(id).id());
      }
    });

    test("cancelling may race with completion", () -> {
      try (ApiVideo api = client(QUICK)) {
        int succeeded = 0;
        int cancelled = 0;
        long begin = System.nanoTime();
        // Long enough that both ends of the race were seen, however quick the machine is.
        while (succeeded + cancelled < 300 || succeeded == 0 || cancelled == 0) {
          yes(System.nanoTime() - begin < 30_000_000_000L, succeeded + " successes and " + cancelled + " cancellations");
          var cancellation = new ApiVideo.Cancellation();
          int spins = 1 << (succeeded + cancelled) % 18;
          var canceller = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < spins; i++) Thread.onSpinWait();
            cancellation.cancel();
          });
          try {
            api.createToken(HOUR, cancellation);
            succeeded++;
          } catch (ApiVideoException.Cancelled exception) {
            cancelled++;
          }
          canceller.get();
        }
      }
    });

    test("a closed client refuses calls, and a second close does no harm", () -> {
      ApiVideo api = client(QUICK);
      api.close();
      api.close();
      fails(IllegalStateException.class, () -> api.createToken(HOUR));
      fails(IllegalStateException.class, () -> api.listTokens(1, 1));
    });

    test("a call under way survives close()", () -> {
      try (var service = new CannedService()) {
        ApiVideo api = client(service.url());
        var call = CompletableFuture.runAsync(() -> fails(ApiVideoException.NotFound.class, () -> api.listTokens(1, 1)));
        service.asked.await();
        api.close();
        service.answer(404, "{}");
        call.get();
        fails(IllegalStateException.class, () -> api.listTokens(1, 1));
      }
    });

    test("threads share a client", () -> {
      try (ApiVideo api = client(QUICK)) {
        equal(200L, IntStream.range(0, 200).parallel().mapToObj(i -> api.createToken(HOUR).id()).distinct().count());
      }
    });

    UploadTest.all();

    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }

  interface Body {
    void run() throws Exception;
  }

  static void test(String name, Body body) {
    try {
      body.run();
      System.out.println("ok      " + name);
      passed++;
    } catch (Exception | AssertionError failure) {
      System.out.println("FAILED  " + name);
      failure.printStackTrace(System.out);
      failed++;
    }
  }

  interface Use {
    void run(ApiVideo api) throws Exception;
  }

  static void sendsNothing(Use use) throws Exception {
    try (var service = new CannedService(503, "{}"); ApiVideo api = client(service.url())) {
      use.run(api);
      equal(null, service.path);
    }
  }

  static ApiVideo client(String url) {
    return ApiVideo.builder().apiKey(API_KEY).baseUrl(url).proxyUrl("").build();
  }

  // Lists against a service that gives this answer.
  private static <T extends ApiVideoException> T answer(int status, String body, Class<T> expected) throws IOException {
    try (var service = new CannedService(status, body);
        ApiVideo api = ApiVideo.builder().apiKey(API_KEY).baseUrl(service.url()).proxyUrl("").maxAttempts(1).build()) {
      return fails(expected, () -> api.listTokens(1, 1));
    }
  }

  private static String setting(String name) {
    return Objects.requireNonNull(System.getenv(name), name + " is not set: run me by with_local_api.sh");
  }

  static void yes(boolean condition, String what) {
    if (!condition) throw new AssertionError("not true: " + what);
  }

  static void equal(Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) throw new AssertionError("expected " + expected + ", got " + actual);
  }

  static <T extends Exception> T fails(Class<T> expected, Body body) {
    try {
      body.run();
    } catch (Exception exception) {
      if (exception.getClass() == expected) return expected.cast(exception);
      throw new AssertionError("expected " + expected.getName(), exception);
    }
    throw new AssertionError("expected " + expected.getName() + ", got nothing");
  }

  // A service that gives every request the same answer, and made without one waits for it.
  private static final class CannedService implements AutoCloseable {
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final CountDownLatch answerable = new CountDownLatch(1);
    private final CountDownLatch asked = new CountDownLatch(1);
    private int status;
    private byte[] body;
    private volatile String path;
    private volatile String authorization;

    CannedService() throws IOException {
      server.createContext("/", this::serve);
      server.start();
    }

    CannedService(int status, String body) throws IOException {
      this();
      answer(status, body);
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    void answer(int status, String body) {
      this.status = status;
      this.body = body.getBytes(StandardCharsets.UTF_8);
      answerable.countDown();
    }

    @Override
    public void close() {
      if (body == null) answer(500, "");
      server.stop(0);
    }

    private void serve(HttpExchange exchange) {
      path = exchange.getRequestURI().getRawPath();
      authorization = exchange.getRequestHeaders().getFirst("Authorization");
      asked.countDown();
      try (exchange) {
        answerable.await();
        if (status == 429) exchange.getResponseHeaders().set("Retry-After", "7");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
      } catch (IOException gone) {
        // The client did not wait for the answer.
      } catch (InterruptedException interrupted) {
        throw new UncheckedIOException(new IOException(interrupted));
      }
    }
  }
}
