// Makes an upload token that is valid for an hour, lists the newest tokens, and revokes the new one.
import apivideo.ApiVideo;
import apivideo.ApiVideoException;
import java.time.Duration;

public final class Example {
  public static void main(String[] arguments) {
    try (ApiVideo api = ApiVideo.builder()
        .apiKey(System.getenv("APIVIDEO_API_KEY"))
        .baseUrl(System.getenv("APIVIDEO_BASE_URL")) // null is production
        .build()) {
      ApiVideo.Token token = api.createToken(Duration.ofHours(1));
      System.out.println(token.id() + " is valid until " + token.expiresAt().orElseThrow());
      for (ApiVideo.Token each : api.listTokens(1, 100).tokens())
        System.out.println(each.id());
      api.deleteToken(token.id());
    } catch (ApiVideoException exception) {
      System.err.println(exception.getMessage());
      System.exit(1);
    }
  }
}
