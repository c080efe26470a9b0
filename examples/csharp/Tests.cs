// Tests of the wrapper, with no framework: each method marked [Test] is one, named by what it holds.
// They want the stand-ins that tests/languages/with_local_api.sh starts.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using ApiVideo;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class TestAttribute : Attribute { }

internal static partial class Tests
{
    private static readonly string ApiKey = Setting("APIVIDEO_API_KEY");
    private static readonly string Quick = Setting("APIVIDEO_BASE_URL");
    private static readonly string Slow = Setting("APIVIDEO_SLOW_BASE_URL");

    // More than any test needs on a busy machine: what it limits is how long a broken one hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static int Main(string[] names)
    {
        int passed = 0, failed = 0;
        foreach (MethodInfo method in typeof(Tests).GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
        {
            if (!method.IsDefined(typeof(TestAttribute), false)) continue;
            if (names.Length > 0 && !names.Contains(method.Name)) continue;
            try
            {
                var watch = Stopwatch.StartNew();
                ((Action)Delegate.CreateDelegate(typeof(Action), method))();
                Console.WriteLine("ok      {0} ({1:0.0} s)", method.Name, watch.Elapsed.TotalSeconds);
                passed++;
            }
            catch (Exception exception)
            {
                Console.WriteLine("FAILED  {0}: {1}", method.Name, exception);
                failed++;
            }
        }
        Console.WriteLine("{0} passed, {1} failed", passed, failed);
        return failed == 0 && passed > 0 ? 0 : 1;
    }

    // ---- The library ----

    [Test]
    private static void The_library_is_called_as_each_platform_calls_it()
    {
        Equal("libapivideo.so.0.1", Native.LibraryName(OSPlatform.Linux));
        Equal("libapivideo.so.0.1", Native.LibraryName(OSPlatform.Create("FREEBSD")));
        Equal("libapivideo.0.1.dylib", Native.LibraryName(OSPlatform.OSX));
        Equal("apivideo.dll", Native.LibraryName(OSPlatform.Windows));
    }

    // ---- Tokens ----

    [Test]
    private static void A_token_is_made_listed_iterated_looked_up_and_deleted_once()
    {
        using (var client = Client(Quick))
        {
            UploadToken made = client.CreateToken(TimeSpan.FromHours(1));
            Equal(made.Id, client.GetToken(made.Id).Id);
            var newestFirst = new TokenQuery { SortBy = TokenSort.CreatedAt, SortOrder = SortOrder.Descending, PageSize = 100 };
            True(client.ListTokens(newestFirst).Items.Any(token => token.Id == made.Id), "listed");
            True(client.Tokens().Any(token => token.Id == made.Id), "iterated");

            client.DeleteToken(made.Id);

            var exception = Throws<NotFoundException>(() => client.DeleteToken(made.Id));
            Equal(Status.NotFound, exception.Status);
            Equal(404, exception.HttpStatus);
            Equal(Outcome.NotApplied, exception.Outcome);
            Equal(1L, exception.Attempts);
            True(exception.Problem.Title != null, "the problem has a title");
            Throws<NotFoundException>(() => client.GetToken(made.Id));
        }
    }

    [Test]
    private static void A_token_tells_its_times()
    {
        using (var client = Client(Quick))
        {
            UploadToken token = client.CreateToken(TimeSpan.FromSeconds(5400));
            Equal(TimeSpan.FromSeconds(5400), token.TimeToLive);
            Equal(token.CreatedAt.Value.AddSeconds(5400), token.ExpiresAt);
            Equal(TimeSpan.Zero, token.CreatedAt.Value.Offset);
            True((DateTimeOffset.UtcNow - token.CreatedAt.Value).Duration() < TimeSpan.FromMinutes(5), "made just now");
            Equal(false, token.NeverExpires);
        }
    }

    [Test]
    private static void A_token_never_expires_if_that_is_asked_for_by_name()
    {
        using (var client = Client(Quick))
        {
            UploadToken token = client.CreateToken(TokenLifetime.Never);
            Equal(true, token.NeverExpires);
            Equal(null, token.TimeToLive);
            Equal(null, token.ExpiresAt);
        }
    }

    [Test]
    private static void A_fraction_of_a_second_is_rounded_up()
    {
        using (var client = Client(Quick))
        {
            Equal(TimeSpan.FromSeconds(3601), client.CreateToken(TimeSpan.FromSeconds(3600.001)).TimeToLive);
            foreach (long ticks in new[] { TimeSpan.TicksPerSecond, TimeSpan.TicksPerSecond + 1 })
            {
                UploadToken token = client.CreateToken(TimeSpan.FromTicks(ticks));
                Equal(TimeSpan.FromSeconds(ticks == TimeSpan.TicksPerSecond ? 1 : 2), token.TimeToLive);
                // Before it expires, while another test counts; if it has not.
                try { client.DeleteToken(token.Id); } catch (NotFoundException) { }
            }
        }
    }

    [Test]
    private static void Pages_hold_what_was_asked_for()
    {
        using (var client = Client(Quick))
        {
            for (int i = 0; i < 3; i++) client.CreateToken(TimeSpan.FromHours(1));
            TokenPage page = client.ListTokens(new TokenQuery { Page = 2, PageSize = 1, SortBy = TokenSort.CreatedAt, SortOrder = SortOrder.Ascending });
            Equal(1, page.Items.Count);
            Equal(2L, page.CurrentPage);
            Equal(1L, page.PageSize);
            True(page.ItemsTotal >= 3, "three or more in all");
            Equal(page.ItemsTotal, page.PagesTotal);
        }
    }

    [Test]
    private static void Pages_are_sorted_as_asked()
    {
        using (var client = Client(Quick))
        {
            for (int hours = 1; hours <= 3; hours++) client.CreateToken(TimeSpan.FromHours(hours));
            var query = new TokenQuery { PageSize = 100, SortBy = TokenSort.TimeToLive, SortOrder = SortOrder.Ascending };
            List<DateTimeOffset> ascending = Ends(client.ListTokens(query));
            query.SortOrder = SortOrder.Descending;
            List<DateTimeOffset> descending = Ends(client.ListTokens(query));
            True(ascending.Distinct().Count() >= 3, "three or more ends");
            True(ascending.SequenceEqual(ascending.OrderBy(end => end)), "ascending");
            True(descending.SequenceEqual(descending.OrderByDescending(end => end)), "descending");
        }
    }

    private static List<DateTimeOffset> Ends(TokenPage page)
    {
        return page.Items.Where(token => !token.NeverExpires).Select(token => token.ExpiresAt.Value).ToList();
    }

    [Test]
    private static void A_page_beyond_the_last_is_empty()
    {
        using (var client = Client(Quick))
            Equal(0, client.ListTokens(new TokenQuery { Page = 1000000 }).Items.Count);
    }

    [Test]
    private static void Iterating_goes_through_all_pages_and_begins_anew_each_time()
    {
        using (var client = Client(Quick))
        {
            var made = Enumerable.Range(0, 7).Select(i => client.CreateToken(TimeSpan.FromHours(1)).Id).ToList();
            IEnumerable<UploadToken> tokens = client.Tokens(new TokenQuery { PageSize = 3 });
            var ids = new HashSet<string>(tokens.Select(token => token.Id));
            True(made.All(ids.Contains), "each is there");
            Equal(ids.Count, tokens.Count());
            Equal(ids.First(), tokens.First().Id);
        }
    }

    [Test]
    private static void An_enumeration_outlives_its_client_and_none_begins_after_it()
    {
        var client = Client(Quick);
        client.CreateToken(Minute);
        client.CreateToken(Minute);
        IEnumerable<UploadToken> tokens = client.Tokens(new TokenQuery { PageSize = 1 });
        using (IEnumerator<UploadToken> enumerator = tokens.GetEnumerator())
        {
            True(enumerator.MoveNext(), "the first");
            client.Dispose();
            True(enumerator.MoveNext(), "the second");
        }
        Throws<ObjectDisposedException>(() => tokens.First());
    }

    // ---- Errors ----

    [Test]
    private static void Each_status_has_its_exception()
    {
        Equal(Status.Unauthorized, Throws<UnauthorizedException>(() => Answer("403 Forbidden", "{}")).Status);
        Equal(Status.NotFound, Throws<NotFoundException>(() => Answer("404 Not Found", "{}")).Status);
        Equal(Status.Rejected, Throws<RejectedException>(() => Answer("400 Bad Request", "{}")).Status);
        Equal(Status.RateLimited, Throws<RateLimitedException>(() => Answer("429 Too Many Requests", "{}")).Status);
        Equal(Status.Server, Throws<ServerException>(() => Answer("503 Service Unavailable", "{}")).Status);
        Equal(Status.Decode, Throws<DecodeException>(() => Answer("200 OK", "no JSON")).Status);
        Equal(Status.Transport, Throws<TransportException>(() => Answer(null, null)).Status);
        Equal(Status.Tls, Throws<TlsException>(() =>
        {
            using (var client = Client(Quick.Replace("http:", "https:"))) client.ListTokens();
        }).Status);
        Equal(Status.InvalidArgument, Throws<InvalidArgumentException>(() =>
        {
            using (var client = Client(Quick)) client.ListTokens(new TokenQuery { PageSize = 101 });
        }).Status);
        Equal(Status.Connect, Throws<ConnectException>(() =>
        {
            var closed = new TcpListener(IPAddress.Loopback, 0);
            closed.Start();
            int port = ((IPEndPoint)closed.LocalEndpoint).Port;
            closed.Stop();
            using (var client = Client("http://127.0.0.1:" + port)) client.ListTokens();
        }).Status);
        Equal(Status.Source, Throws<SourceException>(() =>
        {
            using (var client = Client(Quick)) client.Upload("/no/such/file.mp4", "token");
        }).Status);
    }

    [Test]
    private static void A_status_of_a_later_library_is_a_general_exception()
    {
        ApiVideoException exception = ApiVideoException.From(4711, new ErrorHandle());
        Equal(typeof(ApiVideoException), exception.GetType());
        Equal(4711, (int)exception.Status);
        Equal(Outcome.Unknown, exception.Outcome);
        Equal(null, exception.HttpStatus);
        Equal(null, exception.RetryAfter);
    }

    [Test]
    private static void A_wrong_key_is_unauthorized()
    {
        using (var client = new ApiVideoClient(new ClientOptions { ApiKey = "wrong", BaseUrl = Quick }))
            Equal(401, Throws<UnauthorizedException>(() => client.CreateToken(Minute)).HttpStatus);
    }

    [Test]
    private static void The_service_s_problems_are_told()
    {
        const string body = "{\"type\":\"https://example.org/t\",\"title\":\"Größe\",\"detail\":\"d\",\"name\":\"pageSize\"," +
            "\"problems\":[{\"title\":\"first\",\"name\":\"a\"},{\"title\":\"zweites ✓\",\"detail\":\"more\"}]}";
        var exception = Throws<RejectedException>(() => Answer("400 Bad Request", body));
        Equal("https://example.org/t", exception.Problem.Type);
        Equal("Größe", exception.Problem.Title);
        Equal("d", exception.Problem.Detail);
        Equal("pageSize", exception.Problem.Name);
        Equal(2, exception.Problems.Count);
        Equal("a", exception.Problems[0].Name);
        Equal(null, exception.Problems[0].Detail);
        Equal("zweites ✓", exception.Problems[1].Title);
        Equal("more", exception.Problems[1].Detail);
        Equal(null, exception.RetryAfter);
        Equal(false, exception.IsRetryable);
    }

    [Test]
    private static void A_rate_limit_tells_how_long_to_wait()
    {
        var exception = Throws<RateLimitedException>(() => Answer("429 Too Many Requests", "{}", "Retry-After: 7"));
        Equal(TimeSpan.FromSeconds(7), exception.RetryAfter);
        Equal(429, exception.HttpStatus);
        Equal(true, exception.IsRetryable);
    }

    [Test]
    private static void A_create_with_an_unusable_object_for_an_answer_was_applied()
    {
        using (var service = new CannedService("200 OK", "{\"no token\":1}"))
        using (var client = Client(service.Url))
            Equal(Outcome.Applied, Throws<DecodeException>(() => client.CreateToken(Minute)).Outcome);
    }

    // ---- Arguments ----

    [Test]
    private static void Strings_are_passed_as_UTF_8()
    {
        using (var service = new CannedService("404 Not Found", "{}"))
        using (var client = Client(service.Url))
        {
            Throws<NotFoundException>(() => client.GetToken("tö ✓"));
            True(service.Head.StartsWith("GET /upload-tokens/t%C3%B6%20%E2%9C%93 ", StringComparison.Ordinal), service.Head);
        }
    }

    [Test]
    private static void Strings_that_C_cannot_express_are_refused()
    {
        using (var client = Client(Quick))
        {
            string id = client.CreateToken(Minute).Id;
            Equal("id", Throws<ArgumentException>(() => client.DeleteToken(id + "\0more")).ParamName);
            Equal("id", Throws<ArgumentException>(() => client.GetToken(id + "\0")).ParamName);
            Equal("id", Throws<ArgumentException>(() => client.GetToken("half a pair \ud83d")).ParamName);
            Throws<ArgumentNullException>(() => client.GetToken(null));
            Throws<ArgumentNullException>(() => client.DeleteToken(null));
            Equal(id, client.GetToken(id).Id);
        }
        Equal("ApiKey", Throws<ArgumentException>(() => new ApiVideoClient(new ClientOptions { ApiKey = "demo\0" })).ParamName);
        Throws<ArgumentNullException>(() => new ApiVideoClient(null));
    }

    [Test]
    private static void No_token_is_made_whose_time_to_live_is_missing_or_rounds_to_0_or_is_out_of_range()
    {
        var longest = TimeSpan.FromSeconds(int.MaxValue);
        SendsNothing(client =>
        {
            foreach (TimeSpan time in new[] { TimeSpan.Zero, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(1),
                TimeSpan.FromSeconds(0.4), TimeSpan.FromTicks(TimeSpan.TicksPerSecond - 1), TimeSpan.FromTicks(-1),
                Timeout.InfiniteTimeSpan, TimeSpan.FromSeconds(-1), TimeSpan.MinValue, TimeSpan.MaxValue,
                longest + TimeSpan.FromTicks(1), TimeSpan.FromSeconds(4294967296L + 5) })
                Equal("timeToLive", Throws<ArgumentOutOfRangeException>(() => client.CreateToken(time)).ParamName);
            Equal("timeToLive", Throws<ArgumentOutOfRangeException>(() => client.CreateToken(default(TokenLifetime))).ParamName);
        });
        using (var client = Client(Quick)) Equal(longest, client.CreateToken(longest).TimeToLive);
    }

    // Neither nothing, nor a number without a unit, nor null is a lifetime: such a program does not compile.
    [Test]
    private static void A_lifetime_is_a_time_or_Never_and_has_no_default()
    {
        ParameterInfo parameter = typeof(ApiVideoClient).GetMethods().Single(method => method.Name == "CreateToken").GetParameters()[0];
        Equal(typeof(TokenLifetime), parameter.ParameterType);
        Equal(false, parameter.IsOptional);
        Equal(true, parameter.ParameterType.IsValueType);
        List<Type> from = typeof(TokenLifetime).GetMethods().Where(method => method.Name == "op_Implicit" || method.Name == "op_Explicit")
            .Select(method => method.GetParameters()[0].ParameterType).ToList();
        Equal(typeof(TimeSpan), from.Single());
        Equal(0, typeof(TokenLifetime).GetConstructors().Length);
        Equal(false, TokenLifetime.Never.Equals(default(TokenLifetime)));
    }

    [Test]
    private static void Numbers_out_of_range_are_refused()
    {
        SendsNothing(client =>
        {
            foreach (TimeSpan time in new[] { TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.FromSeconds(-1), TimeSpan.MinValue,
                TimeSpan.MaxValue, TimeSpan.FromMilliseconds(uint.MaxValue), TimeSpan.FromMilliseconds(4294967296L + 5) })
            {
                Throws<ArgumentOutOfRangeException>(() => client.ListTokens(null, new CallOptions { Timeout = time }));
                Throws<ArgumentOutOfRangeException>(() => client.Tokens(null, new CallOptions { Timeout = time }));
                Throws<ArgumentOutOfRangeException>(() => client.CreateToken(Minute, new CallOptions { Timeout = time }));
                Throws<ArgumentOutOfRangeException>(() => client.DeleteToken("a", new CallOptions { Timeout = time }));
                Equal("Timeout", Throws<ArgumentOutOfRangeException>(() => With(options => options.Timeout = time)).ParamName);
                Equal("ConnectTimeout", Throws<ArgumentOutOfRangeException>(() => With(options => options.ConnectTimeout = time)).ParamName);
                Equal("AttemptTimeout", Throws<ArgumentOutOfRangeException>(() => With(options => options.AttemptTimeout = time)).ParamName);
            }
            foreach (int number in new[] { 0, -1, int.MinValue })
            {
                Throws<ArgumentOutOfRangeException>(() => client.ListTokens(null, new CallOptions { MaxAttempts = number }));
                Throws<ArgumentOutOfRangeException>(() => client.ListTokens(new TokenQuery { Page = number }));
                Throws<ArgumentOutOfRangeException>(() => client.Tokens(new TokenQuery { PageSize = number }));
                Throws<ArgumentOutOfRangeException>(() => client.Tokens(null, new CallOptions { MaxAttempts = number }));
                Equal("MaxAttempts", Throws<ArgumentOutOfRangeException>(() => With(options => options.MaxAttempts = number)).ParamName);
            }
            foreach (int number in new[] { 101, 256 + 25, int.MaxValue })
                Throws<InvalidArgumentException>(() => client.ListTokens(new TokenQuery { PageSize = number }));
            foreach (int number in new[] { -1, 3, 256 + 1 })
            {
                Throws<InvalidArgumentException>(() => client.ListTokens(new TokenQuery { SortBy = (TokenSort)number }));
                Throws<InvalidArgumentException>(() => client.Tokens(new TokenQuery { SortOrder = (SortOrder)number }).First());
            }
            foreach (int number in new[] { -1, 4, 256 + 1 })
                Throws<InvalidArgumentException>(() => With(options => options.TraceLevel = (ApiVideoTraceLevel)number));
        });
        using (var client = Client(Quick))
            client.ListTokens(null, new CallOptions { Timeout = Timeout.InfiniteTimeSpan, MaxAttempts = 1 });
    }

    // A client that differs from a good one by this.
    private static void With(Action<ClientOptions> change)
    {
        var options = new ClientOptions { ApiKey = ApiKey, BaseUrl = Quick, ProxyUrl = "" };
        change(options);
        new ApiVideoClient(options).Dispose();
    }

    private static void SendsNothing(Action<ApiVideoClient> use)
    {
        using (var service = new CannedService("503 Service Unavailable", "{}"))
        using (var client = Client(service.Url))
        {
            use(client);
            Equal(null, service.Head);
        }
    }

    [Test]
    private static void A_client_wants_exactly_one_credential()
    {
        Throws<InvalidArgumentException>(() => new ApiVideoClient(new ClientOptions()));
        Throws<InvalidArgumentException>(() => new ApiVideoClient(new ClientOptions { ApiKey = "a", AccessToken = "b" }));
    }

    [Test]
    private static void A_client_is_as_its_options_say()
    {
        using (var service = new CannedService("503 Service Unavailable", "{}"))
        {
            var options = new ClientOptions
            {
                AccessToken = "letmein",
                BaseUrl = service.Url + "/prefix",
                AppName = "recorder",
                AppVersion = "1.2.3",
                ProxyUrl = "",
                MaxAttempts = 2,
            };
            using (var client = new ApiVideoClient(options))
                Equal(2L, Throws<ServerException>(() => client.ListTokens()).Attempts);
            True(service.Head.StartsWith("GET /prefix/upload-tokens ", StringComparison.Ordinal), service.Head);
            True(service.Head.IndexOf("authorization: Bearer letmein\n", StringComparison.OrdinalIgnoreCase) > 0, service.Head);
            True(service.Head.Contains("recorder:1.2.3"), service.Head);

            options.ProxyUrl = "ftp://nowhere";
            Throws<InvalidArgumentException>(() => new ApiVideoClient(options));
            options.ProxyUrl = "";
            options.CaFile = "/dev/null";
            Throws<InvalidArgumentException>(() => new ApiVideoClient(options));
            options.CaFile = null;
            options.BaseUrl = "http://example.org";
            Throws<InvalidArgumentException>(() => new ApiVideoClient(options));
            options.AllowPlainHttp = true;
            using (new ApiVideoClient(options)) { }
        }
    }

    // ---- Time and cancellation ----

    [Test]
    private static void A_call_ends_when_its_time_is_up()
    {
        using (var client = new ApiVideoClient(new ClientOptions { ApiKey = ApiKey, BaseUrl = Slow, Timeout = TimeSpan.FromMilliseconds(2000) }))
        {
            var watch = Stopwatch.StartNew();
            var exception = Throws<CallTimeoutException>(() => client.CreateToken(Minute));
            True(watch.Elapsed < TimeSpan.FromSeconds(20), "it ended well before the 30 s of the default");
            Equal(Status.Timeout, exception.Status);
            Equal(Outcome.Unknown, exception.Outcome);
        }
        using (var client = Client(Slow))
            Throws<CallTimeoutException>(() => client.ListTokens(null, new CallOptions { Timeout = TimeSpan.FromMilliseconds(100) }));
    }

    [Test]
    private static void Cancelling_ends_a_call_that_waits_for_its_answer()
    {
        using (var service = new CannedService())
        using (var client = Client(service.Url))
        using (var source = new CancellationTokenSource())
        {
            var canceller = new Thread(() => { service.WaitUntilAsked(); source.Cancel(); });
            canceller.Start();
            var exception = Throws<OperationCanceledException>(() => client.CreateToken(Minute, null, source.Token));
            canceller.Join();
            Equal(source.Token, exception.CancellationToken);
            var inner = (ApiVideoException)exception.InnerException;
            Equal(Status.Cancelled, inner.Status);
            Equal(Outcome.Unknown, inner.Outcome);
        }
    }

    [Test]
    private static void Cancelling_ends_an_enumeration()
    {
        using (var client = Client(Quick))
        using (var source = new CancellationTokenSource())
        {
            client.CreateToken(Minute);
            client.CreateToken(Minute);
            using (var enumerator = client.Tokens(new TokenQuery { PageSize = 1 }, null, source.Token).GetEnumerator())
            {
                True(enumerator.MoveNext(), "the first");
                source.Cancel();
                Throws<OperationCanceledException>(() => enumerator.MoveNext());
            }
        }
    }

    [Test]
    private static void A_call_that_is_cancelled_beforehand_sends_nothing()
    {
        using (var service = new CannedService())
        using (var client = Client(service.Url))
        {
            var token = new CancellationToken(true);
            var exception = Throws<OperationCanceledException>(() => client.CreateToken(Minute, null, token));
            Equal(Outcome.NotApplied, ((ApiVideoException)exception.InnerException).Outcome);
            Equal(0L, ((ApiVideoException)exception.InnerException).Attempts);
            Equal(null, service.Head);
        }
    }

    [Test]
    private static void Cancelling_may_race_with_completion()
    {
        using (var client = Client(Quick))
        {
            int before = client.Tokens().Count();
            int calls = 0, succeeded = 0, cancelled = 0, applied = 0, notApplied = 0;
            var random = new Random(1);
            var watch = Stopwatch.StartNew();
            // Long enough that both ends of the race were seen, however quick the machine is.
            while (calls < 500 || succeeded == 0 || cancelled == 0)
            {
                True(watch.Elapsed < Patience, "both " + succeeded + " successes and " + cancelled + " cancellations are seen");
                calls++;
                using (var source = new CancellationTokenSource())
                using (var cancelling = new ManualResetEventSlim())
                {
                    int spins = random.Next(1 << random.Next(1, 18));
                    ThreadPool.QueueUserWorkItem(_ => { Thread.SpinWait(spins); source.Cancel(); cancelling.Set(); });
                    try
                    {
                        client.CreateToken(TimeSpan.FromHours(1), null, source.Token);
                        succeeded++;
                    }
                    catch (OperationCanceledException exception)
                    {
                        cancelled++;
                        Outcome outcome = ((ApiVideoException)exception.InnerException).Outcome;
                        if (outcome == Outcome.Applied) applied++;
                        if (outcome == Outcome.NotApplied) notApplied++;
                    }
                    cancelling.Wait();
                }
            }
            // What the outcomes said is what has happened.
            int made = client.Tokens().Count() - before;
            True(succeeded + applied <= made && made <= calls - notApplied,
                made + " made: " + succeeded + " succeeded, " + applied + " applied, " + notApplied + " not applied");
        }
    }

    // ---- Lifetime ----

    [Test]
    private static void A_disposed_client_refuses_calls_and_a_second_Dispose_does_no_harm()
    {
        var client = Client(Quick);
        client.Dispose();
        client.Dispose();
        Throws<ObjectDisposedException>(() => client.CreateToken(Minute));
        Throws<ObjectDisposedException>(() => client.ListTokens());
        Throws<ObjectDisposedException>(() => client.Tokens().First());
    }

    [Test]
    private static void A_call_under_way_survives_Dispose()
    {
        using (var service = new CannedService())
        {
            var client = Client(service.Url);
            Exception thrown = null;
            var caller = new Thread(() =>
            {
                try { client.ListTokens(); } catch (Exception exception) { thrown = exception; }
            });
            caller.Start();
            service.WaitUntilAsked();
            client.Dispose();
            service.Answer("404 Not Found", "{}");
            caller.Join();
            True(thrown is NotFoundException, "it got its answer: " + thrown);
        }
    }

    [Test]
    private static void Threads_share_a_client()
    {
        using (var client = Client(Quick))
        {
            var ids = new HashSet<string>();
            var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
            {
                for (int i = 0; i < 25; i++)
                {
                    string id = client.CreateToken(TimeSpan.FromHours(1)).Id;
                    lock (ids) ids.Add(id);
                }
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            Equal(200, ids.Count);
            True(ids.IsSubsetOf(client.Tokens().Select(token => token.Id)), "all of them exist");
        }
    }

    [Test]
    private static void The_trace_is_told_survives_the_garbage_collector_and_may_throw()
    {
        var lines = new List<string>();
        using (var client = new ApiVideoClient(new ClientOptions
        {
            ApiKey = ApiKey,
            BaseUrl = Quick,
            TraceLevel = ApiVideoTraceLevel.Info,
            Trace = (level, line) => { Equal(ApiVideoTraceLevel.Info, level); lines.Add(line); throw new InvalidOperationException("ignored"); },
        }))
        {
            for (int i = 0; i < 20; i++)
            {
                Collect();
                client.ListTokens();
            }
            Equal(20, lines.Count);
            True(lines[0].StartsWith("GET /upload-tokens", StringComparison.Ordinal), lines[0]);
        }
    }

    [Test]
    private static void Ten_thousand_calls_leak_nothing()
    {
        using (var client = Client(Quick))
        using (var source = new CancellationTokenSource())
        {
            Action round = () =>
            {
                string id = client.CreateToken(TimeSpan.FromHours(1), null, source.Token).Id;
                client.ListTokens(new TokenQuery { PageSize = 1 });
                client.Tokens(new TokenQuery { PageSize = 1 }).First();
                client.DeleteToken(id);
                Throws<NotFoundException>(() => client.GetToken(id));
            };
            for (int i = 0; i < 500; i++) round();
            ulong before = BytesInUse();
            for (int i = 0; i < 2000; i++) round();
            ulong after = BytesInUse();
            // The smallest block of malloc is 32 bytes: one lost in each round would be 64000.
            True(after < before + 32000, (long)(after - before) + " bytes more are in use");
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MallocInfo
    {
        public UIntPtr Arena, FreeBlocks, FastBlocks, MappedBlocks, MappedBytes, Unused, FastBytes, BytesInUse, BytesFree, Top;
    }

    [DllImport("libc.so.6")]
    private static extern MallocInfo mallinfo2();

    // What malloc has handed out, to the library and to the runtime.
    private static ulong BytesInUse()
    {
        Collect();
        return (ulong)mallinfo2().BytesInUse;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    // ---- Tools ----

    private static ApiVideoClient Client(string url)
    {
        return new ApiVideoClient(new ClientOptions { ApiKey = ApiKey, BaseUrl = url, ProxyUrl = "" });
    }

    // Lists against a service that gives this answer.
    private static void Answer(string status, string body, string header = null)
    {
        using (var service = new CannedService(status, body, header))
        using (var client = Client(service.Url))
            client.ListTokens(null, new CallOptions { MaxAttempts = 1 });
    }

    private static string Setting(string name)
    {
        string value = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(value)) throw new InvalidOperationException(name + " is not set: run me by with_local_api.sh");
        return value;
    }

    private static void True(bool condition, string what)
    {
        if (!condition) throw new Exception("not true: " + what);
    }

    private static void Equal<T>(T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual)) throw new Exception("expected " + expected + ", got " + actual);
    }

    // Of this very type, or of the other.
    private static T Throws<T>(Action action, Type other = null) where T : Exception
    {
        try
        {
            action();
        }
        catch (T exception) when (exception.GetType() == typeof(T) || exception.GetType() == other)
        {
            return exception;
        }
        throw new Exception("expected " + typeof(T).Name + ", got nothing");
    }
}

// A service that gives every request the same answer, with a status of null breaks the connection
// instead, and made without an answer waits for one.
internal sealed class CannedService : IDisposable
{
    private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
    private readonly ManualResetEventSlim asked = new ManualResetEventSlim();
    private readonly ManualResetEventSlim answerable = new ManualResetEventSlim();
    private readonly Thread thread;
    private volatile bool disposed;
    private byte[] answer;

    public CannedService()
    {
        listener.Start();
        Url = "http://127.0.0.1:" + ((IPEndPoint)listener.LocalEndpoint).Port;
        thread = new Thread(Serve) { IsBackground = true };
        thread.Start();
    }

    public CannedService(string status, string body, string header = null) : this()
    {
        Answer(status, body, header);
    }

    public string Url { get; }

    // The last request's line and headers; null if none came.
    public string Head { get; private set; }

    public void WaitUntilAsked()
    {
        asked.Wait();
    }

    public void Answer(string status, string body, string header = null)
    {
        if (status != null)
            answer = Encoding.UTF8.GetBytes("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nConnection: close\r\n"
                + (header == null ? "" : header + "\r\n") + "Content-Length: " + Encoding.UTF8.GetByteCount(body) + "\r\n\r\n" + body);
        answerable.Set();
    }

    public void Dispose()
    {
        disposed = true;
        answerable.Set();
        // Not every runtime ends a waiting accept when its socket is closed: a connection does.
        using (new TcpClient("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port)) thread.Join();
        listener.Stop();
    }

    private void Serve()
    {
        while (true)
        {
            using (TcpClient connection = listener.AcceptTcpClient())
            using (NetworkStream stream = connection.GetStream())
            {
                if (disposed) return;
                try
                {
                    ServeOne(stream);
                }
                catch (IOException)
                {
                    // The client has gone away.
                }
            }
        }
    }

    private void ServeOne(Stream stream)
    {
        var reader = new StreamReader(stream, Encoding.ASCII);
        var head = new StringBuilder();
        int length = 0;
        for (string line; (line = reader.ReadLine()) != null && line != "";)
        {
            head.Append(line).Append('\n');
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line.Substring(15));
        }
        if (length > 0) reader.ReadBlock(new char[length], 0, length);
        Head = head.ToString();
        asked.Set();
        answerable.Wait();
        if (answer != null) stream.Write(answer, 0, answer.Length);
    }
}
