// What a failed call throws: one exception for each status, with all that is known of the failure.
package apivideo;

import static apivideo.LibApiVideo.LIB;

import com.sun.jna.Pointer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A call failed. The message is one line, and holds neither credential nor token. Later libraries
 * may tell statuses that have no class here: those are thrown as this class itself.
 */
public class ApiVideoException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What is known of a failed call's effect on the service. */
  public enum Outcome {
    /** It may or may not have done what was asked: look before you repeat a create. */
    UNKNOWN,
    /** It has not done what was asked. Reads are always told as this. */
    NOT_APPLIED,
    /** It has done what was asked, but its answer was lost or cannot be used. */
    APPLIED
  }

  /** A problem in the service's own words, each null if it has none; name is the parameter's. */
  public record Problem(String type, String title, String detail, String name) {}

  private final int status;
  private final Outcome outcome;
  private final int httpStatus;
  private final long attempts;
  private final boolean retryable;
  private final long retryAfterMs;
  private final String uploadState;
  private final String uploadVideoId;
  private final transient Problem problem;
  private final transient List<Problem> problems;

  private ApiVideoException(int status, Pointer error) {
    super(LIB.av_error_message(error));
    this.status = status;
    outcome = switch (LIB.av_error_outcome(error)) {
      case 1 -> Outcome.NOT_APPLIED;
      case 2 -> Outcome.APPLIED;
      default -> Outcome.UNKNOWN;
    };
    httpStatus = LIB.av_error_http_status(error);
    attempts = Integer.toUnsignedLong(LIB.av_error_attempts(error));
    retryable = LIB.av_error_is_retryable(error) != 0;
    retryAfterMs = LIB.av_error_retry_after_ms(error);
    uploadState = LIB.av_error_upload_state(error);
    uploadVideoId = LIB.av_error_upload_video_id(error);
    problem = new Problem(LIB.av_error_problem_type(error), LIB.av_error_problem_title(error),
        LIB.av_error_problem_detail(error), LIB.av_error_problem_name(error));
    problems = IntStream.range(0, LIB.av_error_problem_count(error).intValue())
        .mapToObj(LibApiVideo.SizeT::new)
        .map(i -> new Problem(LIB.av_error_problem_type_at(error, i), LIB.av_error_problem_title_at(error, i),
            LIB.av_error_problem_detail_at(error, i), LIB.av_error_problem_name_at(error, i)))
        .toList();
  }

  /** The exception of a status. It takes the error, which may be null: it is freed here. */
  static ApiVideoException of(int status, Pointer error) {
    try {
      return switch (status) {
        case 1 -> new InvalidArgument(status, error);
        case 2 -> new Connect(status, error);
        case 3 -> new Tls(status, error);
        case 4 -> new Transport(status, error);
        case 5 -> new Timeout(status, error);
        case 6 -> new Cancelled(status, error);
        case 7 -> new Unauthorized(status, error);
        case 8 -> new NotFound(status, error);
        case 9 -> new Rejected(status, error);
        case 10 -> new RateLimited(status, error);
        case 11 -> new Server(status, error);
        case 12 -> new Decode(status, error);
        case 13 -> new Internal(status, error);
        case 14 -> new Source(status, error);
        default -> new ApiVideoException(status, error);
      };
    } finally {
      LIB.av_error_free(error);
    }
  }

  /** The AV_STATUS_… of apivideo.h, for statuses that have no class here. */
  public int status() {
    return status;
  }

  /** What the call may have done to the service. */
  public Outcome outcome() {
    return outcome;
  }

  /** The HTTP status of the answer, if there was one. */
  public OptionalInt httpStatus() {
    return httpStatus == 0 ? OptionalInt.empty() : OptionalInt.of(httpStatus);
  }

  /** How many times the request was tried, 0 if it was never begun. */
  public long attempts() {
    return attempts;
  }

  /** Whether the cause is temporary and repeating the call cannot do anything twice. */
  public boolean isRetryable() {
    return retryable;
  }

  /** How long to wait before the next try, if that is known. */
  public Optional<Duration> retryAfter() {
    return retryAfterMs < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(retryAfterMs));
  }

  /**
   * Of an upload, what it can go on from, for {@link UploadOptions#resume}: one line of ASCII, with neither
   * token nor key. Empty if there is nothing: then begin anew, if the outcome is NOT_APPLIED; otherwise look for
   * the video first.
   */
  public Optional<String> uploadState() {
    return Optional.ofNullable(uploadState);
  }

  /** Of an upload, the id of the unfinished video, for whoever has a key; empty if none is known. */
  public Optional<String> uploadVideoId() {
    return Optional.ofNullable(uploadVideoId);
  }

  /**
   * What an upload can go on from after whatever it threw. What a stream or a callback has thrown reaches the
   * caller as it is; the ApiVideoException that knows the state is among its suppressed ones.
   */
  public static Optional<String> uploadStateOf(Throwable failure) {
    if (failure instanceof ApiVideoException exception) return exception.uploadState();
    return Arrays.stream(failure.getSuppressed()).flatMap(suppressed -> uploadStateOf(suppressed).stream()).findFirst();
  }

  /** The problem as a whole. */
  public Problem problem() {
    return problem;
  }

  /** The single problems that the service lists, as it does with HTTP 400. */
  public List<Problem> problems() {
    return problems;
  }

  /** The caller's mistake, found by the library; nothing was sent. */
  public static final class InvalidArgument extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private InvalidArgument(int status, Pointer error) {
      super(status, error);
    }
  }

  /** No connection; nothing was sent. */
  public static final class Connect extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Connect(int status, Pointer error) {
      super(status, error);
    }
  }

  /** No TLS, or the certificate was refused; nothing was sent. */
  public static final class Tls extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Tls(int status, Pointer error) {
      super(status, error);
    }
  }

  /** The connection broke during the exchange. */
  public static final class Transport extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Transport(int status, Pointer error) {
      super(status, error);
    }
  }

  /** The time ran out. */
  public static final class Timeout extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Timeout(int status, Pointer error) {
      super(status, error);
    }
  }

  /** The call's Cancellation ended it. */
  public static final class Cancelled extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Cancelled(int status, Pointer error) {
      super(status, error);
    }
  }

  /** HTTP 401 or 403: the credential, or an upload's token, is wrong, has ended, or is for the other environment. */
  public static final class Unauthorized extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Unauthorized(int status, Pointer error) {
      super(status, error);
    }
  }

  /** HTTP 404: there is no such token; it may have expired or been deleted; or no such video to upload to. */
  public static final class NotFound extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private NotFound(int status, Pointer error) {
      super(status, error);
    }
  }

  /** Any other HTTP 4xx; problems() tell why. */
  public static final class Rejected extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Rejected(int status, Pointer error) {
      super(status, error);
    }
  }

  /** Too many requests; retryAfter() tells how long to wait. */
  public static final class RateLimited extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private RateLimited(int status, Pointer error) {
      super(status, error);
    }
  }

  /** HTTP 5xx: the service failed. */
  public static final class Server extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Server(int status, Pointer error) {
      super(status, error);
    }
  }

  /** An answer that the API does not promise. */
  public static final class Decode extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Decode(int status, Pointer error) {
      super(status, error);
    }
  }

  /** A bug of the library, contained. */
  public static final class Internal extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Internal(int status, Pointer error) {
      super(status, error);
    }
  }

  /** The file of an upload cannot be read, has changed, or is another one. */
  public static final class Source extends ApiVideoException {
    private static final long serialVersionUID = 1;

    private Source(int status, Pointer error) {
      super(status, error);
    }
  }
}
