// Upload tokens of api.video from C#: the client, what it takes, what it hands out and what it
// throws. A wrapper of libapivideo, to be copied together with Native.cs and Uploads.cs.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace ApiVideo
{
    /// <summary>A client: one credential, or none, one service, and the connections to it, kept open
    /// between calls. Any number of threads may use it at once.</summary>
    /// <remarks>Calls block, and throw <see cref="ApiVideoException"/> if they fail, or
    /// <see cref="OperationCanceledException"/> if their CancellationToken ends them: its
    /// InnerException is the ApiVideoException, whose Outcome tells what may have happened.</remarks>
    public sealed partial class ApiVideoClient : IDisposable
    {
        private readonly ClientHandle handle;

        /// <summary>Makes a client. Nothing is sent, so that a wrong key shows with the first call.</summary>
        public ApiVideoClient(ClientOptions options)
        {
            if (options == null) throw new ArgumentNullException(nameof(options));
            Native.TraceFunction trace = TraceTo(options.Trace);
            using (var strings = new NativeStrings())
            {
                var config = new ClientConfig
                {
                    StructSize = Native.SizeOf<ClientConfig>(),
                    ApiKey = strings.Add(options.ApiKey, nameof(options.ApiKey)),
                    AccessToken = strings.Add(options.AccessToken, nameof(options.AccessToken)),
                    BaseUrl = strings.Add(options.BaseUrl, nameof(options.BaseUrl)),
                    AppName = strings.Add(options.AppName, nameof(options.AppName)),
                    AppVersion = strings.Add(options.AppVersion, nameof(options.AppVersion)),
                    CaFile = strings.Add(options.CaFile, nameof(options.CaFile)),
                    ProxyUrl = strings.Add(options.ProxyUrl, nameof(options.ProxyUrl)),
                    Trace = trace,
                    TimeoutMs = Number.Milliseconds(options.Timeout, nameof(options.Timeout)),
                    ConnectTimeoutMs = Number.Milliseconds(options.ConnectTimeout, nameof(options.ConnectTimeout)),
                    AttemptTimeoutMs = Number.Milliseconds(options.AttemptTimeout, nameof(options.AttemptTimeout)),
                    MaxAttempts = Number.Positive(options.MaxAttempts, nameof(options.MaxAttempts)),
                    TraceLevel = (int)options.TraceLevel,
                    Flags = (options.AllowPlainHttp ? 1u : 0u) | (options.NoCredential ? 2u : 0u),
                };
                int status = Native.av_client_new(ref config, out handle, out ErrorHandle error);
                Call.Check(status, error, CancellationToken.None);
                handle.Trace = trace;
            }
        }

        /// <summary>The version of the library that runs, such as "0.1.0".</summary>
        public static string LibraryVersion
        {
            get { return Utf8.ToString(Native.av_library_version()); }
        }

        /// <summary>Makes an upload token. Whoever has it can upload videos to the account, until it
        /// ends or is deleted.</summary>
        /// <param name="timeToLive">How long it is valid: a TimeSpan of 1 to 2147483647 seconds,
        /// rounded up to whole seconds, or <see cref="TokenLifetime.Never"/>, for ever.</param>
        /// <param name="options">For this call alone, or null.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        /// <exception cref="ApiVideoException">Unless its Outcome is NotApplied, a token may have been
        /// made that nobody knows of.</exception>
        public UploadToken CreateToken(TokenLifetime timeToLive, CallOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            uint seconds = timeToLive.ToSeconds(nameof(timeToLive));
            using (var call = new Call(options, cancellationToken))
            {
                int status = Native.av_tokens_create(handle, seconds, call.Options, out TokenHandle token, out ErrorHandle error);
                call.Check(status, error);
                using (token) return new UploadToken(token.DangerousGetHandle());
            }
        }

        /// <summary>Looks up one active token.</summary>
        /// <exception cref="NotFoundException">It was never made, has expired or was deleted.</exception>
        public UploadToken GetToken(string id, CallOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            if (id == null) throw new ArgumentNullException(nameof(id));
            byte[] bytes = Utf8.ToBytes(id, nameof(id));
            using (var call = new Call(options, cancellationToken))
            {
                int status = Native.av_tokens_get(handle, bytes, call.Options, out TokenHandle token, out ErrorHandle error);
                call.Check(status, error);
                using (token) return new UploadToken(token.DangerousGetHandle());
            }
        }

        /// <summary>Lists one page of the active tokens; null is the service's default page. See
        /// <see cref="Tokens"/> for all of them.</summary>
        public TokenPage ListTokens(TokenQuery query = null, CallOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            ListParameters parameters = TokenQuery.ToNative(query);
            using (var call = new Call(options, cancellationToken))
            {
                int status = Native.av_tokens_list(handle, parameters, call.Options, out PageHandle page, out ErrorHandle error);
                call.Check(status, error);
                using (page) return new TokenPage(page.DangerousGetHandle());
            }
        }

        /// <summary>All active tokens of all pages, the oldest first unless the query sorts; one
        /// request a page, when it is needed.</summary>
        /// <remarks>Each foreach begins anew, and an exception ends it. Deleting meanwhile skips
        /// tokens: collect them first. An enumerator begun before Dispose may be used to its end.</remarks>
        /// <param name="query">What to list; Page is where to begin. null is everything.</param>
        /// <param name="options">For each page alone, or null.</param>
        /// <param name="cancellationToken">Ends the enumeration.</param>
        public IEnumerable<UploadToken> Tokens(TokenQuery query = null, CallOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            // What is wrong with the arguments is told here, not by the first step of a foreach.
            ListParameters parameters = TokenQuery.ToNative(query);
            CallOptions.ToNative(options);
            return Enumerate(parameters, options, cancellationToken);
        }

        private IEnumerable<UploadToken> Enumerate(ListParameters parameters, CallOptions options, CancellationToken cancellationToken)
        {
            using (var call = new Call(options, cancellationToken))
            {
                int status = Native.av_tokens_iterate(handle, parameters, out IteratorHandle iterator, out ErrorHandle error);
                call.Check(status, error);
                iterator.Trace = handle.Trace;
                using (iterator)
                {
                    while (true)
                    {
                        UploadToken token = Next(iterator, call);
                        if (token == null) yield break;
                        yield return token;
                    }
                }
            }
        }

        // The library wants an iterator used by one thread at a time, and its token read before
        // anything else happens to it: held here, so that not even misuse reads freed memory.
        private static UploadToken Next(IteratorHandle iterator, Call call)
        {
            lock (iterator)
            {
                bool held = false;
                try
                {
                    iterator.DangerousAddRef(ref held);
                    int status = Native.av_token_iter_next(iterator, call.Options, out IntPtr token, out ErrorHandle error);
                    call.Check(status, error);
                    return token == IntPtr.Zero ? null : new UploadToken(token);
                }
                finally
                {
                    if (held) iterator.DangerousRelease();
                }
            }
        }

        /// <summary>Revokes a token: nothing more can be uploaded with it.</summary>
        /// <exception cref="NotFoundException">It was never made, has expired or was deleted
        /// already.</exception>
        public void DeleteToken(string id, CallOptions options = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            if (id == null) throw new ArgumentNullException(nameof(id));
            byte[] bytes = Utf8.ToBytes(id, nameof(id));
            using (var call = new Call(options, cancellationToken))
            {
                int status = Native.av_tokens_delete(handle, bytes, call.Options, out ErrorHandle error);
                call.Check(status, error);
            }
        }

        /// <summary>Closes the client and wipes the library's copy of its credential. Calls under way
        /// in other threads end as if nothing had happened; later ones throw
        /// ObjectDisposedException. Never blocks; doing it again does no harm.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        private static Native.TraceFunction TraceTo(Action<ApiVideoTraceLevel, string> trace)
        {
            if (trace == null) return null;
            return (userdata, level, line) =>
            {
                // An exception must not unwind through C.
                try { trace((ApiVideoTraceLevel)level, Utf8.ToString(line)); } catch (Exception) { }
            };
        }
    }

    /// <summary>What a client is made from: <see cref="ApiKey"/> alone is enough. null is the
    /// default everywhere.</summary>
    public sealed class ClientOptions
    {
        /// <summary>The production service, the default of <see cref="BaseUrl"/>.</summary>
        public const string ProductionUrl = "https://ws.api.video";
        /// <summary>The sandbox: free, with keys of its own; videos are deleted after a day.</summary>
        public const string SandboxUrl = "https://sandbox.api.video";

        /// <summary>The account's API key. Exactly one of this and AccessToken is set, or
        /// neither and NoCredential.</summary>
        public string ApiKey { get; set; }
        /// <summary>An access token got from the service by other means; it is not renewed.</summary>
        public string AccessToken { get; set; }
        /// <summary>Knows no key, on purpose: the client can only upload with tokens. A key that is missing
        /// without this stays an error.</summary>
        public bool NoCredential { get; set; }
        /// <summary>Where the service is; ProductionUrl unless set.</summary>
        public string BaseUrl { get; set; }
        /// <summary>Your application, for the service's statistics: 1 to 50 of A-Z a-z 0-9 - _ .</summary>
        public string AppName { get; set; }
        /// <summary>Your application's version, such as 1.20.3; only with AppName.</summary>
        public string AppVersion { get; set; }
        /// <summary>A PEM file of certificate authorities that replaces the system's.</summary>
        public string CaFile { get; set; }
        /// <summary>http://, socks5:// or socks5h://; "" is none, null is what the environment says.</summary>
        public string ProxyUrl { get; set; }
        /// <summary>What a whole call may take, retries and waits included; 30 s unless set. This and
        /// the next two are more than zero, rounded up to milliseconds, at most 49 days;
        /// Timeout.InfiniteTimeSpan is no limit.</summary>
        public TimeSpan? Timeout { get; set; }
        /// <summary>What connecting may take; 10 s unless set.</summary>
        public TimeSpan? ConnectTimeout { get; set; }
        /// <summary>What one attempt of a read or a delete may take while another is allowed; 10 s
        /// unless set.</summary>
        public TimeSpan? AttemptTimeout { get; set; }
        /// <summary>How many times a request may be tried in all, from 1; 3 unless set.</summary>
        public int? MaxAttempts { get; set; }
        /// <summary>How much <see cref="Trace"/> is told.</summary>
        public ApiVideoTraceLevel TraceLevel { get; set; }
        /// <summary>Takes the trace line by line, on the thread that is inside the call, so maybe on
        /// several at once. What it throws is ignored.</summary>
        public Action<ApiVideoTraceLevel, string> Trace { get; set; }
        /// <summary>Allows http:// to another machine, over which the credential travels in the clear.</summary>
        public bool AllowPlainHttp { get; set; }
    }

    /// <summary>How much a trace tells. (System.Diagnostics has a TraceLevel.)</summary>
    public enum ApiVideoTraceLevel
    {
        /// <summary>Nothing.</summary>
        Off = 0,
        /// <summary>Failed attempts.</summary>
        Error = 1,
        /// <summary>Every attempt.</summary>
        Info = 2,
        /// <summary>Every attempt and its steps.</summary>
        Debug = 3,
    }

    /// <summary>How long a token is valid: a TimeSpan, or <see cref="Never"/>. Its default value is
    /// neither, and is refused.</summary>
    public readonly struct TokenLifetime
    {
        private readonly TimeSpan time;
        private readonly bool isEndless;

        private TokenLifetime(TimeSpan time, bool isEndless)
        {
            this.time = time;
            this.isEndless = isEndless;
        }

        /// <summary>For ever.</summary>
        public static TokenLifetime Never { get; } = new TokenLifetime(TimeSpan.Zero, true);

        /// <summary>For this long. What is out of range is told by the call that it is passed to.</summary>
        public static implicit operator TokenLifetime(TimeSpan time)
        {
            return new TokenLifetime(time, false);
        }

        // The library's 0 is for ever.
        internal uint ToSeconds(string parameter)
        {
            return isEndless ? 0 : Number.Seconds(time, parameter);
        }
    }

    /// <summary>What one call may do otherwise than its client; null is as the client does.</summary>
    public sealed class CallOptions
    {
        /// <summary>As in <see cref="ClientOptions"/>.</summary>
        public TimeSpan? Timeout { get; set; }
        /// <summary>As in <see cref="ClientOptions"/>.</summary>
        public int? MaxAttempts { get; set; }

        // Always a structure of its own: a call puts its cancel handle in.
        internal static RequestOptions ToNative(CallOptions options)
        {
            if (options == null) return new RequestOptions();
            return new RequestOptions
            {
                TimeoutMs = Number.Milliseconds(options.Timeout, nameof(Timeout)),
                MaxAttempts = Number.Positive(options.MaxAttempts, nameof(MaxAttempts)),
            };
        }
    }

    /// <summary>What to list; null leaves it to the service.</summary>
    public sealed class TokenQuery
    {
        /// <summary>The page, from 1.</summary>
        public int? Page { get; set; }
        /// <summary>How many tokens a page holds at most, 1 to 100; 25 unless set.</summary>
        public int? PageSize { get; set; }
        /// <summary>What to sort by.</summary>
        public TokenSort SortBy { get; set; }
        /// <summary>Smallest or largest first.</summary>
        public SortOrder SortOrder { get; set; }

        internal static ListParameters ToNative(TokenQuery query)
        {
            if (query == null) return null;
            return new ListParameters
            {
                CurrentPage = Number.Positive(query.Page, nameof(Page)),
                PageSize = Number.Positive(query.PageSize, nameof(PageSize)),
                SortBy = (int)query.SortBy,
                SortOrder = (int)query.SortOrder,
            };
        }
    }

    /// <summary>What to sort tokens by.</summary>
    public enum TokenSort
    {
        /// <summary>As the service does.</summary>
        Default = 0,
        /// <summary>When a token was made.</summary>
        CreatedAt = 1,
        /// <summary>How long a token is still valid.</summary>
        TimeToLive = 2,
    }

    /// <summary>Which end comes first.</summary>
    public enum SortOrder
    {
        /// <summary>As the service does.</summary>
        Default = 0,
        /// <summary>Smallest first.</summary>
        Ascending = 1,
        /// <summary>Largest first.</summary>
        Descending = 2,
    }

    /// <summary>An upload token, as it was when the service told of it.</summary>
    public sealed class UploadToken
    {
        internal UploadToken(IntPtr pointer)
        {
            var token = (NativeToken)Marshal.PtrToStructure(pointer, typeof(NativeToken));
            Id = Utf8.ToString(token.Token);
            CreatedAt = Number.Time(token.CreatedAt);
            ExpiresAt = Number.Time(token.ExpiresAt);
            NeverExpires = token.TtlSeconds == 0;
            if (token.TtlSeconds > 0) TimeToLive = TimeSpan.FromSeconds(token.TtlSeconds);
        }

        /// <summary>The token: its id and the secret in one, so treat it as a password.</summary>
        public string Id { get; }
        /// <summary>When it was made, by the service's clock; null if not told.</summary>
        public DateTimeOffset? CreatedAt { get; }
        /// <summary>When it ends; null if never (see NeverExpires) or not told.</summary>
        public DateTimeOffset? ExpiresAt { get; }
        /// <summary>Whether it is valid for ever.</summary>
        public bool NeverExpires { get; }
        /// <summary>How long it is valid, as the service tells it; null if for ever or not told.</summary>
        public TimeSpan? TimeToLive { get; }
    }

    /// <summary>One page of tokens. Numbers are null if the service did not tell them.</summary>
    public sealed class TokenPage
    {
        internal TokenPage(IntPtr pointer)
        {
            var page = (NativePage)Marshal.PtrToStructure(pointer, typeof(NativePage));
            var items = new UploadToken[checked((int)page.Count)];
            for (int i = 0; i < items.Length; i++)
                items[i] = new UploadToken(Marshal.ReadIntPtr(page.Items, i * IntPtr.Size));
            Items = Array.AsReadOnly(items);
            if (page.ItemsTotal != 0 || items.Length == 0)
                ItemsTotal = Number.Signed(page.ItemsTotal);
            CurrentPage = Told(page.CurrentPage);
            PagesTotal = Told(page.PagesTotal);
            PageSize = Told(page.PageSize);
        }

        /// <summary>The tokens of this page.</summary>
        public IReadOnlyList<UploadToken> Items { get; }
        /// <summary>How many tokens there are on all pages.</summary>
        public long? ItemsTotal { get; }
        /// <summary>The number of this page, from 1.</summary>
        public long? CurrentPage { get; }
        /// <summary>How many pages there are.</summary>
        public long? PagesTotal { get; }
        /// <summary>How many tokens a page holds at most.</summary>
        public long? PageSize { get; }

        private static long? Told(uint number)
        {
            return number == 0 ? (long?)null : number;
        }
    }

    /// <summary>What became of a call. A later library may tell values that are not here.</summary>
    public enum Status
    {
        /// <summary>The caller's mistake, told by the library; nothing was sent.</summary>
        InvalidArgument = 1,
        /// <summary>No connection; nothing was sent.</summary>
        Connect = 2,
        /// <summary>No TLS, or the certificate was refused; nothing was sent.</summary>
        Tls = 3,
        /// <summary>The connection broke during the exchange.</summary>
        Transport = 4,
        /// <summary>The time ran out.</summary>
        Timeout = 5,
        /// <summary>Cancelled: seen in the InnerException of an OperationCanceledException.</summary>
        Cancelled = 6,
        /// <summary>HTTP 401 or 403: the credential, or the token of an upload, is wrong or for the other environment.</summary>
        Unauthorized = 7,
        /// <summary>HTTP 404: there is no such token; it may have expired or been deleted. Or no such
        /// video to upload to.</summary>
        NotFound = 8,
        /// <summary>Any other HTTP 4xx; Problems tell why.</summary>
        Rejected = 9,
        /// <summary>Too many requests; RetryAfter tells how long to wait.</summary>
        RateLimited = 10,
        /// <summary>HTTP 5xx: the service failed.</summary>
        Server = 11,
        /// <summary>An answer that the API does not promise.</summary>
        Decode = 12,
        /// <summary>A bug of the library, contained.</summary>
        Internal = 13,
        /// <summary>The file of an upload cannot be read, has changed, or is another one.</summary>
        Source = 14,
    }

    /// <summary>What is known of a failed call's effect on the service.</summary>
    public enum Outcome
    {
        /// <summary>It may or may not have done what was asked: look before you repeat a create.</summary>
        Unknown = 0,
        /// <summary>It has not done what was asked. Reads are always told as this.</summary>
        NotApplied = 1,
        /// <summary>It has done what was asked, but its answer was lost or cannot be used.</summary>
        Applied = 2,
    }

    /// <summary>A problem in the service's own words; each is null if it has none.</summary>
    public sealed class Problem
    {
        internal Problem(IntPtr type, IntPtr title, IntPtr detail, IntPtr name)
        {
            Type = Utf8.ToString(type);
            Title = Utf8.ToString(title);
            Detail = Utf8.ToString(detail);
            Name = Utf8.ToString(name);
        }

        /// <summary>The kind of problem, a URI that changes: compare statuses instead.</summary>
        public string Type { get; }
        /// <summary>What is wrong, in English.</summary>
        public string Title { get; }
        /// <summary>More about it.</summary>
        public string Detail { get; }
        /// <summary>The parameter that it is about, such as "pageSize".</summary>
        public string Name { get; }
    }

    /// <summary>A call failed. The message is one line, and holds neither credential nor token.</summary>
    public class ApiVideoException : Exception
    {
        internal ApiVideoException(int status, ErrorHandle error) : base(Utf8.ToString(Native.av_error_message(error)))
        {
            Status = (Status)status;
            Outcome = (Outcome)Native.av_error_outcome(error);
            IsRetryable = Native.av_error_is_retryable(error) != 0;
            Attempts = Native.av_error_attempts(error);
            int httpStatus = Native.av_error_http_status(error);
            if (httpStatus != 0) HttpStatus = httpStatus;
            long retryAfter = Native.av_error_retry_after_ms(error);
            if (retryAfter >= 0) RetryAfter = TimeSpan.FromMilliseconds(retryAfter);
            Problem = new Problem(Native.av_error_problem_type(error), Native.av_error_problem_title(error),
                Native.av_error_problem_detail(error), Native.av_error_problem_name(error));
            var problems = new Problem[checked((int)Native.av_error_problem_count(error))];
            for (int i = 0; i < problems.Length; i++)
            {
                var index = (UIntPtr)(uint)i;
                problems[i] = new Problem(Native.av_error_problem_type_at(error, index), Native.av_error_problem_title_at(error, index),
                    Native.av_error_problem_detail_at(error, index), Native.av_error_problem_name_at(error, index));
            }
            Problems = Array.AsReadOnly(problems);
            UploadState = Utf8.ToString(Native.av_error_upload_state(error));
            UploadVideoId = Utf8.ToString(Native.av_error_upload_video_id(error));
        }

        // Takes the error: it is freed here.
        internal static ApiVideoException From(int status, ErrorHandle error)
        {
            using (error)
                switch ((Status)status)
                {
                    case Status.InvalidArgument: return new InvalidArgumentException(status, error);
                    case Status.Connect: return new ConnectException(status, error);
                    case Status.Tls: return new TlsException(status, error);
                    case Status.Transport: return new TransportException(status, error);
                    case Status.Timeout: return new CallTimeoutException(status, error);
                    case Status.Unauthorized: return new UnauthorizedException(status, error);
                    case Status.NotFound: return new NotFoundException(status, error);
                    case Status.Rejected: return new RejectedException(status, error);
                    case Status.RateLimited: return new RateLimitedException(status, error);
                    case Status.Server: return new ServerException(status, error);
                    case Status.Decode: return new DecodeException(status, error);
                    case Status.Internal: return new InternalException(status, error);
                    case Status.Source: return new SourceException(status, error);
                    default: return new ApiVideoException(status, error);
                }
        }

        /// <summary>What failed.</summary>
        public Status Status { get; }
        /// <summary>What the call may have done to the service.</summary>
        public Outcome Outcome { get; }
        /// <summary>Whether the cause is temporary and repeating the call cannot do anything twice.</summary>
        public bool IsRetryable { get; }
        /// <summary>How many times the request was tried, 0 if it was never begun.</summary>
        public long Attempts { get; }
        /// <summary>The HTTP status of the answer; null if there was none.</summary>
        public int? HttpStatus { get; }
        /// <summary>How long to wait before the next try; null if that is not known.</summary>
        public TimeSpan? RetryAfter { get; }
        /// <summary>The problem as a whole; never null.</summary>
        public Problem Problem { get; }
        /// <summary>The single problems that the service lists, as it does with HTTP 400; never null.</summary>
        public IReadOnlyList<Problem> Problems { get; }
        /// <summary>What an upload can go on from: see UploadOptions.Resume. null if there is nothing.</summary>
        public string UploadState { get; }
        /// <summary>The id of the video that an upload was making; null if none is known.</summary>
        public string UploadVideoId { get; }
    }

    /// <summary><see cref="Status.InvalidArgument"/></summary>
    public sealed class InvalidArgumentException : ApiVideoException
    {
        internal InvalidArgumentException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Connect"/></summary>
    public sealed class ConnectException : ApiVideoException
    {
        internal ConnectException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Tls"/></summary>
    public sealed class TlsException : ApiVideoException
    {
        internal TlsException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Transport"/></summary>
    public sealed class TransportException : ApiVideoException
    {
        internal TransportException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Timeout"/></summary>
    public sealed class CallTimeoutException : ApiVideoException
    {
        internal CallTimeoutException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Unauthorized"/></summary>
    public sealed class UnauthorizedException : ApiVideoException
    {
        internal UnauthorizedException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.NotFound"/></summary>
    public sealed class NotFoundException : ApiVideoException
    {
        internal NotFoundException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Rejected"/></summary>
    public sealed class RejectedException : ApiVideoException
    {
        internal RejectedException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.RateLimited"/></summary>
    public sealed class RateLimitedException : ApiVideoException
    {
        internal RateLimitedException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Server"/></summary>
    public sealed class ServerException : ApiVideoException
    {
        internal ServerException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Decode"/></summary>
    public sealed class DecodeException : ApiVideoException
    {
        internal DecodeException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Internal"/></summary>
    public sealed class InternalException : ApiVideoException
    {
        internal InternalException(int status, ErrorHandle error) : base(status, error) { }
    }

    /// <summary><see cref="Status.Source"/></summary>
    public sealed class SourceException : ApiVideoException
    {
        internal SourceException(int status, ErrorHandle error) : base(status, error) { }
    }

    // The options of one call, or of one enumeration, and the way from its CancellationToken to the
    // library's cancel handle.
    internal sealed class Call : IDisposable
    {
        public readonly RequestOptions Options;
        private readonly CancellationToken token;
        private readonly CancelHandle cancel;
        private readonly CancellationTokenRegistration registration;

        public Call(CallOptions options, CancellationToken token, bool isEndable = false)
        {
            this.token = token;
            Options = CallOptions.ToNative(options);
            if (!token.CanBeCanceled && !isEndable) return;
            CancelHandle handle = cancel = Native.av_cancel_new();
            Options.Cancel = handle.DangerousGetHandle();
            registration = token.Register(() => Native.av_cancel_trigger(handle));
        }

        // Of a call that was made endable.
        public void Cancel()
        {
            Native.av_cancel_trigger(cancel);
        }

        public void Check(int status, ErrorHandle error)
        {
            Check(status, error, token);
        }

        // Throws unless the status is 0. An error of the library is always freed.
        public static void Check(int status, ErrorHandle error, CancellationToken token)
        {
            if (status == 0)
            {
                error.Dispose();
                return;
            }
            ApiVideoException exception = ApiVideoException.From(status, error);
            if (exception.Status == Status.Cancelled)
                throw new OperationCanceledException(exception.Message, exception, token);
            throw exception;
        }

        public void Dispose()
        {
            // Waits for a trigger that is running, after which none can begin.
            registration.Dispose();
            if (cancel != null) cancel.Dispose();
        }
    }

    // Numbers in the library's units, and refused where those cannot express them; null is its 0.
    internal static class Number
    {
        public static uint Seconds(TimeSpan time, string parameter)
        {
            if (time < TimeSpan.FromSeconds(1))
                throw new ArgumentOutOfRangeException(parameter, time, "must be 1 second or more, or TokenLifetime.Never");
            return Ticks(time, TimeSpan.TicksPerSecond, int.MaxValue, parameter);
        }

        // The largest uint is the library's word for no limit.
        public static uint Milliseconds(TimeSpan? time, string parameter)
        {
            if (time == Timeout.InfiniteTimeSpan) return uint.MaxValue;
            return Ticks(time, TimeSpan.TicksPerMillisecond, uint.MaxValue - 1, parameter);
        }

        public static uint Positive(int? number, string parameter)
        {
            if (number == null) return 0;
            if (number < 1) throw new ArgumentOutOfRangeException(parameter, number, "must be 1 or more");
            return (uint)number.Value;
        }

        // Here the library has no word for no limit.
        public static uint FiniteMilliseconds(TimeSpan? time, string parameter)
        {
            return Ticks(time, TimeSpan.TicksPerMillisecond, uint.MaxValue, parameter);
        }

        public static ulong Positive(long? number, string parameter)
        {
            if (number == null) return 0;
            if (number < 1) throw new ArgumentOutOfRangeException(parameter, number, "must be 1 or more");
            return (ulong)number.Value;
        }

        public static uint NotNegative(int number, string parameter)
        {
            if (number < 0) throw new ArgumentOutOfRangeException(parameter, number, "must be 0 or more");
            return (uint)number;
        }

        // As .NET counts bytes.
        public static long Signed(ulong number)
        {
            return (long)Math.Min(number, long.MaxValue);
        }

        // null for "not told", and for what a DateTimeOffset cannot express.
        public static DateTimeOffset? Time(long unixSeconds)
        {
            if (unixSeconds == 0
                || unixSeconds < DateTimeOffset.MinValue.ToUnixTimeSeconds()
                || unixSeconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return null;
            return DateTimeOffset.FromUnixTimeSeconds(unixSeconds);
        }

        // Rounded up, so that nothing ends before it was asked to, or becomes 0.
        private static uint Ticks(TimeSpan? time, long ticksPerUnit, uint most, string parameter)
        {
            if (time == null) return 0;
            long ticks = time.Value.Ticks;
            long units = ticks / ticksPerUnit + (ticks % ticksPerUnit > 0 ? 1 : 0);
            if (ticks <= 0 || units > most)
                throw new ArgumentOutOfRangeException(parameter, time, "must be more than zero and at most " + TimeSpan.FromTicks(most * ticksPerUnit));
            return (uint)units;
        }
    }
}
