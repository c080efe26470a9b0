// An upload of what is made meanwhile.
package apivideo;

import static apivideo.LibApiVideo.LIB;

import com.sun.jna.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/**
 * An upload of what is made meanwhile, such as a recording: write its bytes as they come, then {@link
 * #finish()}; made by {@link ApiVideo#beginUpload}. It takes the memory of one part, and of those that go side
 * by side.
 *
 * <p>Once a part is full and another byte follows, it is sent, and write blocks until it is confirmed; otherwise
 * it returns at once. Single bytes are better collected by a BufferedOutputStream, which is to be flushed
 * before the end.
 *
 * <p>What fails throws an {@link ApiVideoException}, not an IOException, and the upload is still there: {@link
 * #offset()} tells how much was taken. Go on writing from there when the network is back, or keep {@link
 * ApiVideoException#uploadState()} and close it, to go on another day. What a callback throws reaches the caller
 * of write or finish, and leaves the upload there, too.
 *
 * <p>It is for one thread at a time: a call meanwhile throws IllegalStateException. It may outlive its client.
 */
public final class UploadSession extends OutputStream {
  private static final int CHUNK_BYTES = 64 * 1024;

  private final Upload upload;
  private final Handle handle;

  UploadSession(Handle client, Upload upload) {
    this.upload = upload;
    handle = client.call(null, (pointer, options, out, error) -> LIB.av_upload_begin(pointer, upload.parameters, out, error),
        pointer -> new Handle("upload", pointer, LIB::av_upload_free), taken -> {});
  }

  /** As {@link #write(byte[], int, int)}, of the lowest 8 bits. */
  @Override
  public void write(int value) {
    write(new byte[] {(byte) value}, 0, 1);
  }

  /** As {@link #write(byte[], int, int)}, of all of them. */
  @Override
  public void write(byte[] bytes) {
    write(bytes, 0, bytes.length);
  }

  /** Takes the next bytes. */
  @Override
  public void write(byte[] bytes, int offset, int length) {
    write(System.nanoTime(), bytes, offset, length);
  }

  /** Does nothing: only the last part may be smaller than the others. */
  @Override
  public void flush() {}

  /**
   * Completes the upload: sends what is left, and hands out the video. If it fails, call it again, as often as
   * you like; only if the outcome is not NOT_APPLIED, nothing can be written any more.
   */
  public UploadedVideo finish() {
    return finish(System.nanoTime());
  }

  /**
   * How many bytes have been taken, from the very beginning: where to go on writing, also after a resume or a
   * write that failed.
   */
  public long offset() {
    return handle.use(LIB::av_upload_offset);
  }

  /**
   * Closes the upload, finished or not. Of an unfinished one the service keeps for a week what it has, for who
   * goes on from its state. Sends nothing; doing it again does no harm. An upload that nobody can reach any more
   * closes by itself, in time.
   */
  @Override
  public void close() {
    handle.close();
  }

  /** Uploads all that comes. The time of all of that is bounded, not of each call. */
  UploadedVideo upload(InputStream stream) throws IOException {
    long begin = System.nanoTime();
    try {
      // What is confirmed: a file seeks, everything else reads on.
      stream.skipNBytes(offset());
      byte[] bytes = new byte[CHUNK_BYTES];
      for (int count; (count = stream.read(bytes)) >= 0; ) write(begin, bytes, 0, count);
    } catch (Throwable failure) {
      if (!(failure instanceof ApiVideoException) && ApiVideoException.uploadStateOf(failure).isEmpty()) addState(failure);
      throw failure;
    }
    return finish(begin);
  }

  // What failed is the stream, or a callback. What can be gone on from, a call tells that is cancelled before it
  // sends anything; but only if there is a byte that it would send.
  private void addState(Throwable failure) {
    try (Memory any = new Memory(1)) {
      any.clear();
      upload.cancelled(handle, (pointer, options, out, error) -> LIB.av_upload_write(pointer, any, new LibApiVideo.SizeT(1), options, error));
      upload.cancelled(handle, LIB::av_upload_finish);
    } catch (Throwable cancelled) {
      failure.addSuppressed(cancelled);
    }
  }

  private void write(long begin, byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) return;
    try (Memory chunk = new Memory(Math.min(length, CHUNK_BYTES))) {
      for (int taken = 0; taken < length; ) {
        int count = Math.min(length - taken, CHUNK_BYTES);
        chunk.write(0, bytes, offset + taken, count);
        upload.call(begin, handle, (pointer, options, out, error) ->
            LIB.av_upload_write(pointer, chunk, new LibApiVideo.SizeT(count), options, error), nothing -> null, nothing -> {});
        taken += count;
      }
    }
  }

  private UploadedVideo finish(long begin) {
    return upload.call(begin, handle, LIB::av_upload_finish, UploadedVideo::new, LIB::av_uploaded_video_free);
  }
}
