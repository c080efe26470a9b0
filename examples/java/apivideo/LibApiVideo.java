// The C side of the wrapper: the functions and structures of apivideo.h that it uses, by JNA.
package apivideo;

import com.sun.jna.Callback;
import com.sun.jna.IntegerType;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import com.sun.jna.ptr.PointerByReference;
import java.util.Map;

/**
 * size_t is SizeT here, and uint32_t is int. Strings handed out and those in structures are UTF-8 by the
 * option below; JNA leaves parameters out of it, so that those are bytes, with a NUL at their end.
 */
interface LibApiVideo extends Library {
  LibApiVideo LIB = Native.load(libraryName(Platform.getOSType()), LibApiVideo.class, Map.of(OPTION_STRING_ENCODING, "UTF-8"));

  /** Named by the ABI that this file was written for, so that no other is taken for it, but on Windows. */
  static String libraryName(int platform) {
    return switch (platform) {
      case Platform.MAC -> "libapivideo.0.1.dylib";
      case Platform.WINDOWS -> "apivideo.dll";
      default -> "libapivideo.so.0.1";
    };
  }

  String av_library_version();

  int av_client_new(ClientConfig config, PointerByReference client, PointerByReference error);
  void av_client_free(Pointer client);

  int av_tokens_create(Pointer client, int ttlSeconds, RequestOptions options, PointerByReference token, PointerByReference error);
  int av_tokens_get(Pointer client, byte[] id, RequestOptions options, PointerByReference token, PointerByReference error);
  int av_tokens_list(Pointer client, ListParameters parameters, RequestOptions options, PointerByReference page, PointerByReference error);
  int av_tokens_delete(Pointer client, byte[] id, RequestOptions options, PointerByReference error);
  void av_token_free(Pointer token);
  void av_token_page_free(Pointer page);

  int av_upload_file(Pointer client, byte[] path, UploadParameters parameters, RequestOptions options, PointerByReference video, PointerByReference error);
  int av_upload_begin(Pointer client, UploadParameters parameters, PointerByReference upload, PointerByReference error);
  int av_upload_write(Pointer upload, Pointer data, SizeT length, RequestOptions options, PointerByReference error);
  int av_upload_finish(Pointer upload, RequestOptions options, PointerByReference video, PointerByReference error);
  long av_upload_offset(Pointer upload);
  void av_upload_free(Pointer upload);
  void av_uploaded_video_free(Pointer video);

  Pointer av_cancel_new();
  void av_cancel_trigger(Pointer cancel);
  void av_cancel_free(Pointer cancel);

  String av_error_message(Pointer error);
  int av_error_outcome(Pointer error);
  int av_error_is_retryable(Pointer error);
  int av_error_http_status(Pointer error);
  int av_error_attempts(Pointer error);
  long av_error_retry_after_ms(Pointer error);
  SizeT av_error_problem_count(Pointer error);
  String av_error_problem_type(Pointer error);
  String av_error_problem_title(Pointer error);
  String av_error_problem_detail(Pointer error);
  String av_error_problem_name(Pointer error);
  String av_error_problem_type_at(Pointer error, SizeT index);
  String av_error_problem_title_at(Pointer error, SizeT index);
  String av_error_problem_detail_at(Pointer error, SizeT index);
  String av_error_problem_name_at(Pointer error, SizeT index);
  String av_error_upload_state(Pointer error);
  String av_error_upload_video_id(Pointer error);
  void av_error_free(Pointer error);

  /** AV_CLIENT_NO_CREDENTIAL. */
  int NO_CREDENTIAL = 2;

  /** As wide as a pointer; C's long, which is JNA's NativeLong, is not on Windows. */
  final class SizeT extends IntegerType {
    private static final long serialVersionUID = 1;

    public SizeT() {
      this(0);
    }

    SizeT(long value) {
      super(Native.SIZE_T_SIZE, value, true);
    }
  }

  /** An av_upload_progress_fn or an av_upload_state_fn. Nothing may be thrown out of it. */
  interface UploadFunction extends Callback {
    void invoke(Pointer userdata, Pointer told);
  }

  @FieldOrder({"structSize", "apiKey", "accessToken", "baseUrl", "appName", "appVersion", "sdkName", "sdkVersion", "caFile",
    "proxyUrl", "trace", "traceUserdata", "timeoutMs", "connectTimeoutMs", "attemptTimeoutMs", "maxAttempts", "traceLevel", "flags"})
  class ClientConfig extends Structure {
    public SizeT structSize = new SizeT();
    public String apiKey, accessToken, baseUrl, appName, appVersion, sdkName, sdkVersion, caFile, proxyUrl;
    public Pointer trace, traceUserdata;
    public int timeoutMs, connectTimeoutMs, attemptTimeoutMs, maxAttempts, traceLevel, flags;

    ClientConfig() {
      structSize.setValue(size());
    }
  }

  @FieldOrder({"structSize", "cancel", "response", "timeoutMs", "maxAttempts"})
  class RequestOptions extends Structure {
    public SizeT structSize = new SizeT();
    public Pointer cancel, response;
    public int timeoutMs, maxAttempts;

    RequestOptions(Pointer cancel, int timeoutMs, int maxAttempts) {
      structSize.setValue(size());
      this.cancel = cancel;
      this.timeoutMs = timeoutMs;
      this.maxAttempts = maxAttempts;
    }
  }

  @FieldOrder({"structSize", "currentPage", "pageSize", "sortBy", "sortOrder"})
  class ListParameters extends Structure {
    public SizeT structSize = new SizeT();
    public int currentPage, pageSize, sortBy, sortOrder;

    ListParameters(int currentPage, int pageSize) {
      structSize.setValue(size());
      this.currentPage = currentPage;
      this.pageSize = pageSize;
    }
  }

  @FieldOrder({"createdAt", "expiresAt", "reserved", "token", "reservedPointer", "ttlSeconds", "reserved32"})
  class Token extends Structure {
    public long createdAt, expiresAt;
    public long[] reserved = new long[4];
    public String token;
    public Pointer reservedPointer;
    public int ttlSeconds, reserved32;

    Token(Pointer pointer) {
      super(pointer);
      read();
    }
  }

  @FieldOrder({"itemsTotal", "reserved", "items", "count", "currentPage", "pagesTotal", "pageSize", "reserved32"})
  class TokenPage extends Structure {
    public long itemsTotal;
    public long[] reserved = new long[4];
    public Pointer items;
    public SizeT count;
    public int currentPage, pagesTotal, pageSize, reserved32;

    TokenPage(Pointer pointer) {
      super(pointer);
      read();
    }
  }

  @FieldOrder({"structSize", "token", "videoId", "fileName", "resume", "progress", "state", "userdata", "partBytes", "maxBytesPerSecond",
    "parallelParts", "stallTimeoutMs", "answerTimeoutMs", "patienceMs", "progressIntervalMs", "flags"})
  class UploadParameters extends Structure {
    public SizeT structSize = new SizeT();
    public String token, videoId, fileName, resume;
    public UploadFunction progress, state;
    public Pointer userdata;
    public long partBytes, maxBytesPerSecond;
    public int parallelParts, stallTimeoutMs, answerTimeoutMs, patienceMs, progressIntervalMs, flags;

    UploadParameters() {
      structSize.setValue(size());
    }
  }

  @FieldOrder({"bytesConfirmed", "bytesSent", "bytesTotal", "bytesRepeated", "reserved", "partsConfirmed", "partsTotal", "state", "waitMs"})
  class UploadProgress extends Structure {
    public long bytesConfirmed, bytesSent, bytesTotal, bytesRepeated;
    public long[] reserved = new long[4];
    public int partsConfirmed, partsTotal, state, waitMs;

    UploadProgress(Pointer pointer) {
      super(pointer);
      read();
    }
  }

  @FieldOrder({"createdAt", "publishedAt", "bytes", "reserved", "videoId", "title", "playerUrl", "iframeHtml", "hlsUrl", "mp4Url",
    "thumbnailUrl", "json", "reservedPointers", "isPublic", "videosAbandoned"})
  class UploadedVideo extends Structure {
    public long createdAt, publishedAt, bytes;
    public long[] reserved = new long[4];
    public String videoId, title, playerUrl, iframeHtml, hlsUrl, mp4Url, thumbnailUrl, json;
    public Pointer[] reservedPointers = new Pointer[2];
    public int isPublic, videosAbandoned;

    UploadedVideo(Pointer pointer) {
      super(pointer);
      read();
    }
  }
}
