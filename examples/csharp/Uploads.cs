// Uploads of api.video from C#: of files, of streams, and of what is written while it is made.
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace ApiVideo
{
    public sealed partial class ApiVideoClient
    {
        /// <summary>Uploads a file with an upload token, which is all it needs: a client with
        /// <see cref="ClientOptions.NoCredential"/> will do.</summary>
        /// <remarks>One call makes at most one video that plays, whatever the network does. It blocks
        /// until all is sent and answered, which may take hours: the client's Timeout does not apply.
        /// To pause, cancel. To go on after that, a failure or a crash, call again with
        /// <see cref="UploadOptions.Resume"/>.</remarks>
        /// <param name="path">The file: a regular one, not empty, that nobody writes to meanwhile.</param>
        /// <param name="token">The upload token.</param>
        /// <param name="options">How to upload, or null.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        /// <exception cref="SourceException">The file cannot be read, has changed, or is another one
        /// than before.</exception>
        /// <exception cref="ApiVideoException">Its UploadState is what to go on from. If that is null
        /// and its Outcome is not NotApplied, look for the video before you upload again.</exception>
        public UploadedVideo Upload(string path, string token, UploadOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            byte[] bytes = Utf8.ToBytes(path, nameof(path));
            var events = new UploadEvents(options);
            using (var strings = new NativeStrings())
            {
                UploadParameters parameters = UploadOptions.ToNative(options, token, strings, events);
                return events.Make(UploadOptions.ToCallOptions(options), cancellationToken,
                    (RequestOptions request, out VideoHandle video, out ErrorHandle error) =>
                        Native.av_upload_file(handle, bytes, parameters, request, out video, out error));
            }
        }

        /// <summary>Uploads all that a stream has to give, such as what another program records, while
        /// it is made. It need not know its length, nor be able to seek.</summary>
        /// <remarks>As for a file. The formats must be those that are never changed at their beginning
        /// again: fragmented MP4, MPEG-TS, WebM. It takes the memory of one part. The stream is not
        /// closed. What its Read throws reaches the caller; <see cref="UploadState.Of"/> tells what to go
        /// on from.</remarks>
        /// <param name="source">Stands at the first byte of the video, also if the upload goes on from
        /// Resume: one that can seek is then moved to where that is, and of any other as much is read
        /// and dropped. If yours cannot give these bytes again, use <see cref="BeginUpload"/>.</param>
        /// <param name="token">The upload token.</param>
        /// <param name="options">How to upload, or null.</param>
        /// <param name="cancellationToken">Ends the call, once a Read that waits has returned.</param>
        /// <exception cref="EndOfStreamException">The stream ends before where Resume goes on.</exception>
        public UploadedVideo Upload(Stream source, string token, UploadOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            if (source == null) throw new ArgumentNullException(nameof(source));
            if (!source.CanRead) throw new ArgumentException("cannot be read", nameof(source));
            var watch = Stopwatch.StartNew();
            using (UploadStream upload = BeginUpload(token, options))
            {
                try
                {
                    var buffer = new byte[128 * 1024];
                    Skip(source, upload.Position, buffer);
                    while (true)
                    {
                        int count = source.Read(buffer, 0, buffer.Length);
                        if (count == 0) break;
                        upload.Write(buffer, 0, count, UploadOptions.ToCallOptions(options, watch.Elapsed), cancellationToken);
                        // A write that sends nothing does not ask: Finish does, and sends nothing then.
                        if (cancellationToken.IsCancellationRequested) break;
                    }
                    return upload.Finish(UploadOptions.ToCallOptions(options, watch.Elapsed), cancellationToken);
                }
                catch (Exception exception)
                {
                    UploadState.Set(exception, upload.State);
                    throw;
                }
            }
        }

        private static void Skip(Stream source, long count, byte[] buffer)
        {
            if (count == 0) return;
            bool isThere = true;
            if (source.CanSeek)
            {
                isThere = source.Length - source.Position >= count;
                if (isThere) source.Seek(count, SeekOrigin.Current);
            }
            else
            {
                while (isThere && count > 0)
                {
                    int read = source.Read(buffer, 0, (int)Math.Min(count, buffer.Length));
                    isThere = read > 0;
                    count -= read;
                }
            }
            if (!isThere) throw new EndOfStreamException("The stream ends before what is uploaded already: it is not the one it was.");
        }

        /// <summary>Begins an upload of what your program makes meanwhile: write to the stream, then call
        /// <see cref="UploadStream.Finish"/>. Nothing is sent yet.</summary>
        /// <remarks>On a resume, write from <see cref="UploadStream.Position"/> on what was written there
        /// before. The client may be disposed of first.</remarks>
        /// <param name="token">The upload token.</param>
        /// <param name="options">How to upload, or null; Timeout and MaxAttempts are those of each Write and
        /// Finish that is not told otherwise.</param>
        public UploadStream BeginUpload(string token, UploadOptions options = null)
        {
            CallOptions callOptions = UploadOptions.ToCallOptions(options);
            CallOptions.ToNative(callOptions);
            var events = new UploadEvents(options);
            using (var strings = new NativeStrings())
            {
                UploadParameters parameters = UploadOptions.ToNative(options, token, strings, events);
                int status = Native.av_upload_begin(handle, parameters, out UploadHandle upload, out ErrorHandle error);
                Call.Check(status, error, CancellationToken.None);
                upload.Trace = handle.Trace;
                return new UploadStream(upload, events, callOptions);
            }
        }
    }

    /// <summary>How to upload; null is the default everywhere. Times are more than zero, rounded up to
    /// milliseconds, at most 49 days.</summary>
    public sealed class UploadOptions
    {
        /// <summary>The id of a video without a file that somebody with a key has made before, as for a
        /// private one. Unless set, the upload makes a new video.</summary>
        public string VideoId { get; set; }
        /// <summary>What the service is told that the file is called: the title of a new video. Unless set, the
        /// last component of the path; of a stream "video".</summary>
        public string FileName { get; set; }
        /// <summary>What to go on from: a state that <see cref="State"/>, an exception or
        /// <see cref="UploadState.Of"/> has told. It must be of the same bytes and the same service; the
        /// token may be another one.</summary>
        public string Resume { get; set; }
        /// <summary>The size of a part in bytes, 5 MiB to 200 MiB; 32 MiB unless set, of a stream 8 MiB.
        /// What breaks is sent again from the part's beginning, so small ones suit a poor network.</summary>
        public long? PartBytes { get; set; }
        /// <summary>How many bytes per second are sent at most, from 1; no limit unless set.</summary>
        public long? MaxBytesPerSecond { get; set; }
        /// <summary>How many parts of a file are sent at once, by threads of the library, up to 16; 0 is
        /// one after the other, on the calling thread.</summary>
        public int ParallelParts { get; set; }
        /// <summary>After so long without a byte that arrives, another connection is tried; 30 s unless set.
        /// For this and the next two, Timeout.InfiniteTimeSpan is no limit.</summary>
        public TimeSpan? StallTimeout { get; set; }
        /// <summary>How long the answer to a part may take; 5 min unless set.</summary>
        public TimeSpan? AnswerTimeout { get; set; }
        /// <summary>How long an outage may last until the upload is given up; 5 min unless set.</summary>
        public TimeSpan? Patience { get; set; }
        /// <summary>How long there is at least between two calls of <see cref="Progress"/> while bytes are
        /// sent; 250 ms unless set.</summary>
        public TimeSpan? ProgressInterval { get; set; }
        /// <summary>Takes how far the upload has come, on the calling thread. What this or
        /// <see cref="State"/> throws ends the upload and reaches the caller, even where the video had become
        /// whole by then; UploadState.Of tells what to go on from.</summary>
        public Action<UploadProgress> Progress { get; set; }
        /// <summary>Takes what to go on from after each part but the last, on the calling thread. Store it in
        /// the place of the one before, and a crash costs one part. Remove it after a success, and after an
        /// ApiVideoException whose Attempts is not 0 and whose UploadState is null.</summary>
        public Action<string> State { get; set; }
        /// <summary>What the whole upload may take; no limit unless set, whatever the client's is.</summary>
        public TimeSpan? Timeout { get; set; }
        /// <summary>How many attempts in a row may fail at one part without getting further in it, from 1. Unless
        /// set, here and in the client, 3, and outages are waited for as long as Patience allows.</summary>
        public int? MaxAttempts { get; set; }

        // The library's 0 would be no limit: the last that is left is a millisecond.
        internal static CallOptions ToCallOptions(UploadOptions options, TimeSpan elapsed = default(TimeSpan))
        {
            if (options == null) return new CallOptions();
            TimeSpan? timeout = options.Timeout;
            if (timeout > TimeSpan.Zero && elapsed > TimeSpan.Zero)
            {
                TimeSpan least = TimeSpan.FromMilliseconds(1);
                timeout = timeout - elapsed < least ? least : timeout - elapsed;
            }
            return new CallOptions { Timeout = timeout, MaxAttempts = options.MaxAttempts };
        }

        internal static UploadParameters ToNative(UploadOptions options, string token, NativeStrings strings, UploadEvents events)
        {
            if (token == null) throw new ArgumentNullException(nameof(token));
            if (options == null) options = new UploadOptions();
            return new UploadParameters
            {
                Token = strings.Add(token, nameof(token)),
                VideoId = strings.Add(options.VideoId, nameof(VideoId)),
                FileName = strings.Add(options.FileName, nameof(FileName)),
                Resume = strings.Add(options.Resume, nameof(Resume)),
                Progress = events.OnProgress,
                State = events.OnState,
                PartBytes = Number.Positive(options.PartBytes, nameof(PartBytes)),
                MaxBytesPerSecond = Number.Positive(options.MaxBytesPerSecond, nameof(MaxBytesPerSecond)),
                ParallelParts = Number.NotNegative(options.ParallelParts, nameof(ParallelParts)),
                StallTimeoutMs = Number.Milliseconds(options.StallTimeout, nameof(StallTimeout)),
                AnswerTimeoutMs = Number.Milliseconds(options.AnswerTimeout, nameof(AnswerTimeout)),
                PatienceMs = Number.Milliseconds(options.Patience, nameof(Patience)),
                ProgressIntervalMs = Number.FiniteMilliseconds(options.ProgressInterval, nameof(ProgressInterval)),
            };
        }
    }

    /// <summary>What an upload is doing. A later library may tell values that are not here.</summary>
    public enum UploadActivity
    {
        /// <summary>Bytes are being sent.</summary>
        Sending = 0,
        /// <summary>All of a part is sent, and its answer is waited for.</summary>
        WaitingForAnswer = 1,
        /// <summary>An attempt failed, and the next one begins after Wait.</summary>
        WaitingToRetry = 2,
        /// <summary>The rate limit is used up, and the upload goes on after about Wait.</summary>
        WaitingForRateLimit = 3,
    }

    /// <summary>How far an upload has come: BytesConfirmed + BytesSent of BytesTotal.</summary>
    public sealed class UploadProgress
    {
        internal UploadProgress(IntPtr pointer)
        {
            var progress = (NativeProgress)Marshal.PtrToStructure(pointer, typeof(NativeProgress));
            BytesConfirmed = Number.Signed(progress.BytesConfirmed);
            BytesSent = Number.Signed(progress.BytesSent);
            if (progress.BytesTotal != 0) BytesTotal = Number.Signed(progress.BytesTotal);
            BytesRepeated = Number.Signed(progress.BytesRepeated);
            PartsConfirmed = progress.PartsConfirmed;
            if (progress.PartsTotal != 0) PartsTotal = progress.PartsTotal;
            Activity = (UploadActivity)progress.State;
            Wait = TimeSpan.FromMilliseconds(progress.WaitMs);
        }

        /// <summary>Bytes of the parts that the service has confirmed, before a resume too. It never goes
        /// back.</summary>
        public long BytesConfirmed { get; }
        /// <summary>Besides these, bytes of the part under way that have arrived.</summary>
        public long BytesSent { get; }
        /// <summary>The size of it all; null if that is not known, as of a stream.</summary>
        public long? BytesTotal { get; }
        /// <summary>Bytes that were sent in vain in this call.</summary>
        public long BytesRepeated { get; }
        /// <summary>How many parts the service has confirmed.</summary>
        public long PartsConfirmed { get; }
        /// <summary>How many parts there are; null if that is not known.</summary>
        public long? PartsTotal { get; }
        /// <summary>What the upload is doing.</summary>
        public UploadActivity Activity { get; }
        /// <summary>How long it waits, if it waits in order to go on; otherwise zero.</summary>
        public TimeSpan Wait { get; }
    }

    /// <summary>A video that was uploaded. What the service did not tell is null: all that may be, if its
    /// answer was lost and only proved otherwise that the video is whole.</summary>
    /// <remarks>Of a private video the addresses, and with them Json, hold a secret.</remarks>
    public sealed class UploadedVideo
    {
        internal UploadedVideo(IntPtr pointer)
        {
            var video = (NativeVideo)Marshal.PtrToStructure(pointer, typeof(NativeVideo));
            Id = Utf8.ToString(video.VideoId);
            Title = Utf8.ToString(video.Title);
            PlayerUrl = Utf8.ToString(video.PlayerUrl);
            IframeHtml = Utf8.ToString(video.IframeHtml);
            HlsUrl = Utf8.ToString(video.HlsUrl);
            Mp4Url = Utf8.ToString(video.Mp4Url);
            ThumbnailUrl = Utf8.ToString(video.ThumbnailUrl);
            Json = Utf8.ToString(video.Json);
            CreatedAt = Number.Time(video.CreatedAt);
            PublishedAt = Number.Time(video.PublishedAt);
            if (video.IsPublic >= 0) IsPublic = video.IsPublic != 0;
            Bytes = Number.Signed(video.Bytes);
            VideosAbandoned = video.VideosAbandoned;
        }

        /// <summary>Its id; never null.</summary>
        public string Id { get; }
        /// <summary>Its title.</summary>
        public string Title { get; }
        /// <summary>The address of a page that plays it.</summary>
        public string PlayerUrl { get; }
        /// <summary>HTML with that page in a frame.</summary>
        public string IframeHtml { get; }
        /// <summary>The address of its HLS manifest.</summary>
        public string HlsUrl { get; }
        /// <summary>The address of an MP4 file; null where none is made.</summary>
        public string Mp4Url { get; }
        /// <summary>The address of a picture of it.</summary>
        public string ThumbnailUrl { get; }
        /// <summary>The service's answer as it is, one JSON object.</summary>
        public string Json { get; }
        /// <summary>When it was made, by the service's clock.</summary>
        public DateTimeOffset? CreatedAt { get; }
        /// <summary>When it was published.</summary>
        public DateTimeOffset? PublishedAt { get; }
        /// <summary>Whether anybody may see it.</summary>
        public bool? IsPublic { get; }
        /// <summary>How many bytes were uploaded in all.</summary>
        public long Bytes { get; }
        /// <summary>How many unfinished videos this upload may have left behind, which the service drops
        /// after a week.</summary>
        public long VideosAbandoned { get; }
    }

    /// <summary>What an upload that has failed can go on from, for
    /// <see cref="UploadOptions.Resume"/>: one line of ASCII, without token or key.</summary>
    public static class UploadState
    {
        private static readonly ConditionalWeakTable<Exception, string> States = new ConditionalWeakTable<Exception, string>();

        /// <summary>That of an upload which this exception has ended, whatever it is: an
        /// ApiVideoException, an OperationCanceledException, or one that your stream or callback has
        /// thrown. null if there is nothing to go on from.</summary>
        public static string Of(Exception exception)
        {
            if (exception == null) throw new ArgumentNullException(nameof(exception));
            lock (States) return States.TryGetValue(exception, out string state) ? state : null;
        }

        // Who throws the same exception again, throws it with another state.
        internal static void Set(Exception exception, string state)
        {
            lock (States)
            {
                States.Remove(exception);
                if (state != null) States.Add(exception, state);
            }
        }
    }

    /// <summary>An upload of what is made meanwhile: a stream to write to, that
    /// <see cref="Finish"/> makes a video of. From <see cref="ApiVideoClient.BeginUpload"/>.</summary>
    /// <remarks>Once a part is full and another byte follows it, Write blocks until the service has confirmed
    /// the part. After an exception nothing that was taken is lost: go on writing from
    /// <see cref="Position"/>, or keep <see cref="State"/> for another day. It serves one thread at a time.
    /// Disposing of it sends nothing: what is not finished can be gone on with for a week.</remarks>
    public sealed class UploadStream : Stream
    {
        private readonly UploadHandle handle;
        private readonly UploadEvents events;
        private readonly CallOptions options;

        internal UploadStream(UploadHandle handle, UploadEvents events, CallOptions options)
        {
            this.handle = handle;
            this.events = events;
            this.options = options;
        }

        /// <summary>Takes the next bytes, with the Timeout and MaxAttempts of BeginUpload.</summary>
        public override void Write(byte[] buffer, int offset, int count)
        {
            Write(buffer, offset, count, null);
        }

        /// <summary>Takes the next bytes.</summary>
        /// <param name="buffer">Where they are.</param>
        /// <param name="offset">Where they begin in it.</param>
        /// <param name="count">How many they are.</param>
        /// <param name="callOptions">For this call alone, or null.</param>
        /// <param name="cancellationToken">Ends the call, not the upload.</param>
        public void Write(byte[] buffer, int offset, int count, CallOptions callOptions,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            if (buffer == null) throw new ArgumentNullException(nameof(buffer));
            if (offset < 0) throw new ArgumentOutOfRangeException(nameof(offset), offset, "must not be negative");
            if (count < 0) throw new ArgumentOutOfRangeException(nameof(count), count, "must not be negative");
            if (count > buffer.Length - offset) throw new ArgumentException("goes beyond the end of the buffer", nameof(count));
            GCHandle pinned = GCHandle.Alloc(buffer, GCHandleType.Pinned);
            try
            {
                IntPtr data = Marshal.UnsafeAddrOfPinnedArrayElement(buffer, offset);
                events.Run(callOptions ?? options, cancellationToken, (RequestOptions request, out ErrorHandle error) =>
                    Native.av_upload_write(handle, data, (UIntPtr)(uint)count, request, out error));
            }
            finally
            {
                pinned.Free();
            }
        }

        /// <summary>As Write, on a thread of its own, where also the callbacks come.</summary>
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            return Task.Factory.StartNew(() => Write(buffer, offset, count, null, cancellationToken),
                cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        /// <summary>Completes the upload: sends what is left, and hands out the video. Nothing can be written
        /// after that. If it throws, it may be called again.</summary>
        /// <param name="callOptions">For this call alone, or null.</param>
        /// <param name="cancellationToken">Ends the call, not the upload.</param>
        public UploadedVideo Finish(CallOptions callOptions = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            return events.Make(callOptions ?? options, cancellationToken,
                (RequestOptions request, out VideoHandle video, out ErrorHandle error) =>
                    Native.av_upload_finish(handle, request, out video, out error));
        }

        /// <summary>How many bytes were taken, from the video's beginning: where the next ones belong. It
        /// cannot be set.</summary>
        public override long Position
        {
            get { return Number.Signed(Native.av_upload_offset(handle)); }
            set { throw new NotSupportedException(); }
        }

        /// <summary>What the upload can go on from if this stream is lost, for
        /// <see cref="UploadOptions.Resume"/>; null if there is nothing yet.</summary>
        public string State
        {
            get { return events.State; }
        }

        /// <summary>false</summary>
        public override bool CanRead { get { return false; } }
        /// <summary>false</summary>
        public override bool CanSeek { get { return false; } }
        /// <summary>Whether it is not disposed of.</summary>
        public override bool CanWrite { get { return !handle.IsClosed; } }
        /// <summary>Not supported: see Position.</summary>
        public override long Length { get { throw new NotSupportedException(); } }
        /// <summary>Does nothing: parts are sent when they are full.</summary>
        public override void Flush() { }
        /// <summary>Not supported.</summary>
        public override int Read(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
        /// <summary>Not supported.</summary>
        public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
        /// <summary>Not supported.</summary>
        public override void SetLength(long value) { throw new NotSupportedException(); }

        /// <summary>Frees the upload, finished or not, once a call under way has ended.</summary>
        protected override void Dispose(bool disposing)
        {
            if (disposing) handle.Dispose();
            base.Dispose(disposing);
        }
    }

    // What an upload tells while it is in a call, and what the caller's functions throw, which must not
    // unwind through C: it ends the call, and is thrown from there.
    internal sealed class UploadEvents
    {
        public readonly Native.ProgressFunction OnProgress;
        public readonly Native.StateFunction OnState;
        private Call current;
        private ExceptionDispatchInfo thrown;

        public UploadEvents(UploadOptions options)
        {
            State = options?.Resume;
            Action<UploadProgress> progress = options?.Progress;
            Action<string> state = options?.State;
            if (progress != null) OnProgress = (userdata, pointer) => Tell(() => progress(new UploadProgress(pointer)));
            OnState = (userdata, pointer) =>
            {
                State = Utf8.ToString(pointer);
                if (state != null) Tell(() => state(State));
            };
        }

        // What there is to go on from now.
        public string State { get; private set; }

        public delegate int Function(RequestOptions options, out ErrorHandle error);
        public delegate int Maker(RequestOptions options, out VideoHandle video, out ErrorHandle error);

        public void Run(CallOptions options, CancellationToken token, Function function)
        {
            using (var call = new Call(options, token, isEndable: true))
            {
                if (Interlocked.CompareExchange(ref current, call, null) != null)
                    throw new InvalidOperationException("The upload is in another call.");
                try
                {
                    int status = function(call.Options, out ErrorHandle error);
                    Check(call, status, error);
                }
                finally
                {
                    current = null;
                }
            }
        }

        public UploadedVideo Make(CallOptions options, CancellationToken token, Maker maker)
        {
            VideoHandle video = null;
            try
            {
                Run(options, token, (RequestOptions request, out ErrorHandle error) => maker(request, out video, out error));
                return new UploadedVideo(video.DangerousGetHandle());
            }
            finally
            {
                video?.Dispose();
            }
        }

        private void Check(Call call, int status, ErrorHandle error)
        {
            // If nothing was tried, what was told before still holds.
            if (status != 0 && Native.av_error_attempts(error) != 0)
                State = Utf8.ToString(Native.av_error_upload_state(error));
            ExceptionDispatchInfo first = thrown;
            thrown = null;
            try
            {
                if (first == null) call.Check(status, error);
                error.Dispose();
                first?.Throw();
            }
            catch (Exception exception)
            {
                UploadState.Set(exception, State);
                throw;
            }
        }

        // Whoever has thrown is told nothing more.
        private void Tell(Action tell)
        {
            if (thrown != null) return;
            try
            {
                tell();
            }
            catch (Exception exception)
            {
                thrown = ExceptionDispatchInfo.Capture(exception);
                current.Cancel();
            }
        }
    }
}
