// The C side of the wrapper: functions, structures, handles and strings of apivideo.h. Only
// ApiVideo.cs and Uploads.cs use it. Handles are SafeHandles, so that none is freed while a call is using it.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
#if NETCOREAPP
using System.Runtime.Loader;
#endif
using System.Text;

namespace ApiVideo
{
    internal static class Native
    {
        // The name of the ABI that this file was written for: the loader finds it in the system's
        // directories and in LD_LIBRARY_PATH, and never takes one with another ABI for it. The .NET
        // Framework is for Windows alone; Mono is told of other names by a dllmap.
#if NETFRAMEWORK
        private const string Library = "apivideo.dll";
#else
        private const string Library = "libapivideo.so.0.1";
#endif

        // What the library is called on a platform.
        public static string LibraryName(OSPlatform platform)
        {
            if (platform == OSPlatform.Windows) return "apivideo.dll";
            if (platform == OSPlatform.OSX) return "libapivideo.0.1.dylib";
            return "libapivideo.so.0.1";
        }

#if NETCOREAPP
        // .NET asks this once it has found nothing by the name above.
        static Native()
        {
            OSPlatform platform = RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? OSPlatform.Windows
                : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? OSPlatform.OSX : OSPlatform.Linux;
            if (LibraryName(platform) == Library) return;
            AssemblyLoadContext.GetLoadContext(typeof(Native).Assembly).ResolvingUnmanagedDll += (assembly, name) =>
                name == Library ? NativeLibrary.Load(LibraryName(platform), assembly, null) : IntPtr.Zero;
        }
#endif

        // Every function is plain C; strings are converted here (Utf8), since what the runtime does
        // by default differs between Mono, .NET Framework and .NET.
        private const CallingConvention C = CallingConvention.Cdecl;

        [UnmanagedFunctionPointer(C)]
        public delegate void TraceFunction(IntPtr userdata, int level, IntPtr line);
        [UnmanagedFunctionPointer(C)]
        public delegate void ProgressFunction(IntPtr userdata, IntPtr progress);
        [UnmanagedFunctionPointer(C)]
        public delegate void StateFunction(IntPtr userdata, IntPtr state);

        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_library_version();

        [DllImport(Library, CallingConvention = C)]
        public static extern int av_client_new([In] ref ClientConfig config, out ClientHandle client, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_client_free(IntPtr client);

        [DllImport(Library, CallingConvention = C)]
        public static extern int av_tokens_create(ClientHandle client, uint ttlSeconds, RequestOptions options, out TokenHandle token, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_tokens_get(ClientHandle client, byte[] id, RequestOptions options, out TokenHandle token, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_tokens_list(ClientHandle client, ListParameters parameters, RequestOptions options, out PageHandle page, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_tokens_delete(ClientHandle client, byte[] id, RequestOptions options, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_tokens_iterate(ClientHandle client, ListParameters parameters, out IteratorHandle iterator, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_token_iter_next(IteratorHandle iterator, RequestOptions options, out IntPtr token, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_token_free(IntPtr token);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_token_page_free(IntPtr page);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_token_iter_free(IntPtr iterator);

        [DllImport(Library, CallingConvention = C)]
        public static extern int av_upload_file(ClientHandle client, byte[] path, UploadParameters parameters, RequestOptions options, out VideoHandle video, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_upload_begin(ClientHandle client, UploadParameters parameters, out UploadHandle upload, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_upload_write(UploadHandle upload, IntPtr data, UIntPtr length, RequestOptions options, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_upload_finish(UploadHandle upload, RequestOptions options, out VideoHandle video, out ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern ulong av_upload_offset(UploadHandle upload);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_upload_free(IntPtr upload);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_uploaded_video_free(IntPtr video);

        [DllImport(Library, CallingConvention = C)]
        public static extern CancelHandle av_cancel_new();
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_cancel_trigger(CancelHandle cancel);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_cancel_free(IntPtr cancel);

        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_message(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_error_outcome(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_error_is_retryable(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern int av_error_http_status(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern uint av_error_attempts(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern long av_error_retry_after_ms(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_type(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_title(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_detail(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_name(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern UIntPtr av_error_problem_count(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_type_at(ErrorHandle error, UIntPtr index);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_title_at(ErrorHandle error, UIntPtr index);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_detail_at(ErrorHandle error, UIntPtr index);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_problem_name_at(ErrorHandle error, UIntPtr index);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_upload_state(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern IntPtr av_error_upload_video_id(ErrorHandle error);
        [DllImport(Library, CallingConvention = C)]
        public static extern void av_error_free(IntPtr error);

        public static UIntPtr SizeOf<T>()
        {
            return (UIntPtr)(uint)Marshal.SizeOf(typeof(T));
        }
    }

    // av_client_config
    [StructLayout(LayoutKind.Sequential)]
    internal struct ClientConfig
    {
        public UIntPtr StructSize;
        public IntPtr ApiKey, AccessToken, BaseUrl, AppName, AppVersion, SdkName, SdkVersion, CaFile, ProxyUrl;
        public Native.TraceFunction Trace;
        public IntPtr TraceUserdata;
        public uint TimeoutMs, ConnectTimeoutMs, AttemptTimeoutMs, MaxAttempts;
        public int TraceLevel;
        public uint Flags;
    }

    // av_request_options: a class, so that null is NULL.
    [StructLayout(LayoutKind.Sequential)]
    internal sealed class RequestOptions
    {
        public UIntPtr StructSize = Native.SizeOf<RequestOptions>();
        public IntPtr Cancel, Response;
        public uint TimeoutMs, MaxAttempts;
    }

    // av_tokens_list_params
    [StructLayout(LayoutKind.Sequential)]
    internal sealed class ListParameters
    {
        public UIntPtr StructSize = Native.SizeOf<ListParameters>();
        public uint CurrentPage, PageSize;
        public int SortBy, SortOrder;
    }

    // av_token
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeToken
    {
        public long CreatedAt, ExpiresAt;
        public ulong Reserved0, Reserved1, Reserved2, Reserved3;
        public IntPtr Token, ReservedPointer;
        public int TtlSeconds;
        public uint Reserved32;
    }

    // av_token_page
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativePage
    {
        public ulong ItemsTotal;
        public ulong Reserved0, Reserved1, Reserved2, Reserved3;
        public IntPtr Items;
        public UIntPtr Count;
        public uint CurrentPage, PagesTotal, PageSize, Reserved32;
    }

    // av_upload_params
    [StructLayout(LayoutKind.Sequential)]
    internal sealed class UploadParameters
    {
        public UIntPtr StructSize = Native.SizeOf<UploadParameters>();
        public IntPtr Token, VideoId, FileName, Resume;
        public Native.ProgressFunction Progress;
        public Native.StateFunction State;
        public IntPtr Userdata;
        public ulong PartBytes, MaxBytesPerSecond;
        public uint ParallelParts, StallTimeoutMs, AnswerTimeoutMs, PatienceMs, ProgressIntervalMs, Flags;
    }

    // av_upload_progress
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeProgress
    {
        public ulong BytesConfirmed, BytesSent, BytesTotal, BytesRepeated;
        public ulong Reserved0, Reserved1, Reserved2, Reserved3;
        public uint PartsConfirmed, PartsTotal;
        public int State;
        public uint WaitMs;
    }

    // av_uploaded_video
    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeVideo
    {
        public long CreatedAt, PublishedAt;
        public ulong Bytes;
        public ulong Reserved0, Reserved1, Reserved2, Reserved3;
        public IntPtr VideoId, Title, PlayerUrl, IframeHtml, HlsUrl, Mp4Url, ThumbnailUrl, Json;
        public IntPtr ReservedPointer0, ReservedPointer1;
        public int IsPublic;
        public uint VideosAbandoned;
    }

    internal abstract class Handle : SafeHandle
    {
        protected Handle() : base(IntPtr.Zero, true) { }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }
    }

    internal sealed class ClientHandle : Handle
    {
        // The garbage collector knows nothing of the pointer to it that the library has. It lives as
        // long as this handle, which every call keeps alive until it returns.
        public Native.TraceFunction Trace;

        protected override bool ReleaseHandle() { Native.av_client_free(handle); return true; }
    }

    internal sealed class TokenHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.av_token_free(handle); return true; }
    }

    internal sealed class PageHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.av_token_page_free(handle); return true; }
    }

    internal sealed class IteratorHandle : Handle
    {
        // As in ClientHandle: an iterator may outlive its client.
        public Native.TraceFunction Trace;

        protected override bool ReleaseHandle() { Native.av_token_iter_free(handle); return true; }
    }

    internal sealed class UploadHandle : Handle
    {
        // As in ClientHandle: an upload may outlive its client.
        public Native.TraceFunction Trace;

        protected override bool ReleaseHandle() { Native.av_upload_free(handle); return true; }
    }

    internal sealed class VideoHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.av_uploaded_video_free(handle); return true; }
    }

    internal sealed class CancelHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.av_cancel_free(handle); return true; }
    }

    internal sealed class ErrorHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.av_error_free(handle); return true; }
    }

    // Strings both ways.
    internal static class Utf8
    {
        private static readonly Encoding Strict = new UTF8Encoding(false, true);

        // With a NUL at the end; null stays null. C would read a string with a NUL in it as a shorter
        // one, so that one is refused; so is half of a surrogate pair, which UTF-8 cannot express.
        public static byte[] ToBytes(string value, string parameter)
        {
            if (value == null) return null;
            if (value.IndexOf('\0') >= 0) throw new ArgumentException("contains a NUL character", parameter);
            try
            {
                return Strict.GetBytes(value + "\0");
            }
            catch (EncoderFallbackException exception)
            {
                throw new ArgumentException("is not valid Unicode", parameter, exception);
            }
        }

        // A copy; NULL is null.
        public static string ToString(IntPtr pointer)
        {
            if (pointer == IntPtr.Zero) return null;
            int length = 0;
            while (Marshal.ReadByte(pointer, length) != 0) length++;
            var bytes = new byte[length];
            Marshal.Copy(pointer, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }
    }

    // Strings in memory of their own, for structures that point to them, until Dispose.
    internal sealed class NativeStrings : IDisposable
    {
        private readonly List<IntPtr> allocated = new List<IntPtr>();

        public IntPtr Add(string value, string parameter)
        {
            byte[] bytes = Utf8.ToBytes(value, parameter);
            if (bytes == null) return IntPtr.Zero;
            IntPtr pointer = Marshal.AllocHGlobal(bytes.Length);
            allocated.Add(pointer);
            Marshal.Copy(bytes, 0, pointer, bytes.Length);
            return pointer;
        }

        public void Dispose()
        {
            foreach (IntPtr pointer in allocated) Marshal.FreeHGlobal(pointer);
            allocated.Clear();
        }
    }
}
