// One upload as C sees it: what it is made with, and the calls that make it.
package apivideo;

import static apivideo.LibApiVideo.LIB;

import com.sun.jna.Pointer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;

/** Makes one call at a time. What the callbacks throw never passes through C: it is kept until C has returned. */
final class Upload {
  /** Holds the callbacks, which live as long as this. */
  final LibApiVideo.UploadParameters parameters = new LibApiVideo.UploadParameters();

  private final ApiVideo.Cancellation cancellation;
  private final int timeoutMs;
  private final int maxAttempts;
  private final AtomicBoolean isInUse = new AtomicBoolean();
  private Pointer cancel;
  private Throwable thrown;

  Upload(String token, UploadOptions options) {
    parameters.token = ApiVideo.text(Objects.requireNonNull(token, "token"), "token");
    parameters.videoId = options.videoId;
    parameters.fileName = options.fileName;
    parameters.resume = options.resume;
    parameters.progress = function(options.progress, UploadProgress::new);
    parameters.state = function(options.state, state -> state.getString(0, "US-ASCII"));
    parameters.partBytes = options.partBytes;
    parameters.maxBytesPerSecond = options.maxBytesPerSecond;
    parameters.parallelParts = options.parallelParts;
    parameters.stallTimeoutMs = options.stallTimeoutMs;
    parameters.answerTimeoutMs = options.answerTimeoutMs;
    parameters.patienceMs = options.patienceMs;
    parameters.progressIntervalMs = options.progressIntervalMs;
    cancellation = Objects.requireNonNullElseGet(options.cancellation, ApiVideo.Cancellation::new);
    timeoutMs = options.timeoutMs;
    maxAttempts = options.maxAttempts;
  }

  /** Makes a call whose time began at `begin`, by System.nanoTime(). */
  <T> T call(long begin, Handle handle, Handle.Operation operation, Function<Pointer, T> read, Consumer<Pointer> free) {
    return call(cancellation, begin, handle, operation, read, free);
  }

  /** Makes a call that is cancelled: it sends nothing, but tells what can be gone on from. */
  void cancelled(Handle handle, Handle.Operation operation) {
    var cancelled = new ApiVideo.Cancellation();
    cancelled.cancel();
    call(cancelled, System.nanoTime(), handle, operation, nothing -> null, nothing -> {});
  }

  private <T> T call(ApiVideo.Cancellation cancellation, long begin, Handle handle, Handle.Operation operation,
      Function<Pointer, T> read, Consumer<Pointer> free) {
    if (!isInUse.compareAndSet(false, true)) throw new IllegalStateException("the upload is in use by another call");
    cancel = cancellation.begin();
    thrown = null;
    try {
      return call(handle, new LibApiVideo.RequestOptions(cancel, timeLeft(begin), maxAttempts), operation, read, free);
    } finally {
      cancellation.end(cancel);
      isInUse.set(false);
    }
  }

  // What a callback throws goes before what became of the upload, which it holds.
  private <T> T call(Handle handle, LibApiVideo.RequestOptions options, Handle.Operation operation,
      Function<Pointer, T> read, Consumer<Pointer> free) {
    T result;
    try {
      result = handle.call(options, operation, read, free);
    } catch (ApiVideoException exception) {
      if (thrown == null) throw exception;
      thrown.addSuppressed(exception);
      throw Upload.<RuntimeException>unchecked(thrown);
    }
    if (thrown == null) return result;
    if (result != null) thrown.addSuppressed(new IllegalStateException("the upload ended all the same: " + result));
    throw Upload.<RuntimeException>unchecked(thrown);
  }

  // Not 0, which is no limit.
  private int timeLeft(long begin) {
    if (timeoutMs == 0 || timeoutMs == -1) return timeoutMs;
    return (int) Math.max(1, Integer.toUnsignedLong(timeoutMs) - (System.nanoTime() - begin) / 1_000_000);
  }

  private <T> LibApiVideo.UploadFunction function(Consumer<T> callback, Function<Pointer, T> read) {
    if (callback == null) return null;
    return (userdata, told) -> {
      if (thrown != null) return;
      try {
        callback.accept(read.apply(told));
      } catch (Throwable throwable) {
        thrown = throwable;
        LIB.av_cancel_trigger(cancel);
      }
    };
  }

  // Other languages' functions may throw what is checked in Java.
  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E unchecked(Throwable throwable) throws E {
    throw (E) throwable;
  }
}
