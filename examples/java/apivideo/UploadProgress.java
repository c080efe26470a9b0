// What an upload tells of itself while it is made.
package apivideo;

import com.sun.jna.Pointer;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * How far an upload has come: by bytesConfirmed and bytesSent together.
 *
 * @param bytesConfirmed bytes in the parts that the service has confirmed, those of before a resume
 *     included; never goes back
 * @param bytesSent bytes of the parts under way that have arrived; 0 again once they are confirmed or
 *     have failed
 * @param bytesTotal how many bytes there are in all; empty if that is not known, as of a stream
 * @param bytesRepeated bytes that were sent in vain
 * @param partsConfirmed how many parts the service has confirmed
 * @param partsTotal how many parts there are; empty if that is not known
 * @param activity what the upload is doing
 * @param waitTime how long it will wait, to retry or for the rate limit; otherwise zero
 */
public record UploadProgress(long bytesConfirmed, long bytesSent, OptionalLong bytesTotal, long bytesRepeated,
    long partsConfirmed, OptionalLong partsTotal, Activity activity, Duration waitTime) {
  /** What an upload is doing. */
  public enum Activity {
    /** Bytes are being sent. */
    SENDING,
    /** All of a part is sent. The answer to the last one may take minutes. */
    WAITING_FOR_ANSWER,
    /** An attempt failed, and another one follows. */
    WAITING_TO_RETRY,
    /** The rate limit is used up. */
    WAITING_FOR_RATE_LIMIT,
    /** What a later library tells, which has no name here. */
    UNKNOWN;

    static Activity of(int state) {
      return state >= 0 && state < UNKNOWN.ordinal() ? values()[state] : UNKNOWN;
    }
  }

  UploadProgress(Pointer pointer) {
    this(new LibApiVideo.UploadProgress(pointer));
  }

  private UploadProgress(LibApiVideo.UploadProgress progress) {
    this(progress.bytesConfirmed, progress.bytesSent, ApiVideo.told(progress.bytesTotal), progress.bytesRepeated,
        Integer.toUnsignedLong(progress.partsConfirmed), ApiVideo.told(Integer.toUnsignedLong(progress.partsTotal)),
        Activity.of(progress.state), Duration.ofMillis(Integer.toUnsignedLong(progress.waitMs)));
  }
}
