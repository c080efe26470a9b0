// How an upload is made.
package apivideo;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * How to upload. Nothing need be set. Null is the default, and read is all of it when the upload begins,
 * so that one object may serve any number of uploads.
 *
 * <p>Durations are more than zero and less than 49 days, rounded up to milliseconds. Values that the
 * library cannot be given throw IllegalArgumentException here; those that it refuses throw {@link
 * ApiVideoException.InvalidArgument} when the upload begins.
 */
public final class UploadOptions {
  String videoId;
  String fileName;
  String resume;
  Consumer<UploadProgress> progress;
  Consumer<String> state;
  ApiVideo.Cancellation cancellation;
  long partBytes;
  long maxBytesPerSecond;
  int parallelParts;
  int stallTimeoutMs;
  int answerTimeoutMs;
  int patienceMs;
  int progressIntervalMs;
  int timeoutMs;
  int maxAttempts;

  /**
   * The id of a video without a file, which somebody with a key has made before, as for a private one.
   * Otherwise the upload makes a new video, with the account's defaults.
   */
  public UploadOptions videoId(String id) {
    videoId = ApiVideo.text(id, "videoId");
    return this;
  }

  /**
   * The name that the service is told of the file: it becomes the title of a new video. Otherwise it is
   * the path's last component, and "video" where there is no path.
   */
  public UploadOptions fileName(String name) {
    fileName = ApiVideo.text(name, "fileName");
    return this;
  }

  /**
   * What to go on from: {@link ApiVideoException#uploadState()}, or the last that {@link #state} was told.
   * It must be of the same service and of the same bytes. The token may be another one.
   */
  public UploadOptions resume(String state) {
    resume = ApiVideo.text(state, "resume");
    return this;
  }

  /**
   * The size of a part in bytes, 5242880 (5 MiB) to 209715200 (200 MiB). Unless set, it is 32 MiB for a
   * file and 8 MiB for a stream, or more if there would be more than 10,000 parts. If the connection breaks,
   * a part is sent again from its beginning.
   */
  public UploadOptions partBytes(long bytes) {
    partBytes = atLeastOne(bytes, "partBytes");
    return this;
  }

  /** How many bytes per second are sent at most, from 1; as fast as it goes unless set. */
  public UploadOptions maxBytesPerSecond(long bytes) {
    maxBytesPerSecond = atLeastOne(bytes, "maxBytesPerSecond");
    return this;
  }

  /**
   * How many parts are sent at once, by as many threads of the library, 1 to 16. 0, as it is unless set:
   * the calling thread sends everything. Of a stream so many parts are held in memory.
   */
  public UploadOptions parallelParts(int parts) {
    if (parts < 0) throw new IllegalArgumentException("parallelParts must be 0 or more");
    parallelParts = parts;
    return this;
  }

  /**
   * How long no byte of a part may arrive at the other side, until it is tried over a new connection;
   * 30 s unless set, or {@link ApiVideo#NEVER}.
   */
  public UploadOptions stallTimeout(Duration timeout) {
    stallTimeoutMs = milliseconds(timeout, "stallTimeout");
    return this;
  }

  /** How long the answer to a part may take; 5 min unless set, or {@link ApiVideo#NEVER}. */
  public UploadOptions answerTimeout(Duration timeout) {
    answerTimeoutMs = milliseconds(timeout, "answerTimeout");
    return this;
  }

  /**
   * How long an outage may last: how long no byte may arrive, over all attempts, until the upload is given
   * up; 5 min unless set, or {@link ApiVideo#NEVER}.
   */
  public UploadOptions patience(Duration patience) {
    patienceMs = milliseconds(patience, "patience");
    return this;
  }

  /** How much time there is at least between two reports of progress; 250 ms unless set. */
  public UploadOptions progressInterval(Duration interval) {
    progressIntervalMs = ApiVideo.milliseconds(interval, "progressInterval");
    return this;
  }

  /**
   * Is told how far the upload has come, on the thread that is inside the call. What it throws ends the
   * upload and reaches the caller: see {@link ApiVideoException#uploadStateOf}.
   */
  public UploadOptions progress(Consumer<UploadProgress> callback) {
    progress = callback;
    return this;
  }

  /**
   * Is told what to go on from, whenever a part but the last one is confirmed, on the thread that is inside
   * the call: one line of ASCII, with neither token nor key. Keep it in place of the one before, and a crash
   * costs at most one part. Remove it when the upload has succeeded. If it has failed and {@link
   * ApiVideoException#attempts()} is not 0, {@link ApiVideoException#uploadState()} takes its place; if that
   * is empty, remove it. What it throws ends the upload and reaches the caller, too.
   */
  public UploadOptions state(Consumer<String> callback) {
    state = callback;
    return this;
  }

  /**
   * What the whole upload may take, or, of an {@link UploadSession}, each of its calls. No limit unless set,
   * or {@link ApiVideo#NEVER}: the client's timeout does not apply to uploads.
   */
  public UploadOptions timeout(Duration timeout) {
    timeoutMs = milliseconds(timeout, "timeout");
    return this;
  }

  /**
   * How many attempts in a row at one part may fail without getting further than any before, from 1. Unless
   * set, here or in the client, it is 3, and an outage is waited for as long as {@link #patience} allows.
   */
  public UploadOptions maxAttempts(int attempts) {
    maxAttempts = (int) atLeastOne(attempts, "maxAttempts");
    return this;
  }

  /** Ends the upload from another thread, or from a callback: {@link ApiVideoException.Cancelled}. */
  public UploadOptions cancellation(ApiVideo.Cancellation cancellation) {
    this.cancellation = cancellation;
    return this;
  }

  private static long atLeastOne(long number, String name) {
    if (number < 1) throw new IllegalArgumentException(name + " must be 1 or more");
    return number;
  }

  // The library's UINT32_MAX is no limit.
  private static int milliseconds(Duration duration, String name) {
    return ApiVideo.NEVER.equals(duration) ? -1 : ApiVideo.milliseconds(duration, name);
  }
}
