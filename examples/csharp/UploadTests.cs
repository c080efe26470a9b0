// Tests of uploads: see Tests.cs. What the stand-in service has received is asked of its ledger.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using ApiVideo;

internal static partial class Tests
{
    private const int MiB = 1024 * 1024;
    // The smallest: the first part of a new video has it, whatever the others have.
    private const int Part = 5 * MiB;

    // Of which no two parts are alike.
    private static readonly byte[] Film = Noise(17 * MiB);

    // ---- Files ----

    [Test]
    private static void A_file_is_uploaded_by_a_client_that_knows_no_key()
    {
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(Quick))
        {
            UploadedVideo video = client.Upload(file.Path, Token());
            Equal(1000L, video.Bytes);
            Equal(Path.GetFileName(file.Path), video.Title);
            Equal(0L, video.VideosAbandoned);
            Equal(true, video.IsPublic);
            Equal(TimeSpan.Zero, video.CreatedAt.Value.Offset);
            True((DateTimeOffset.UtcNow - video.CreatedAt.Value).Duration() < TimeSpan.FromMinutes(5), "made just now");
            True(video.PublishedAt >= video.CreatedAt, "published");
            foreach (string told in new[] { video.PlayerUrl, video.IframeHtml, video.HlsUrl, video.Mp4Url, video.ThumbnailUrl, video.Json })
                True(told.Contains(video.Id), told);
            True(video.PlayerUrl.StartsWith("https://embed.", StringComparison.Ordinal), video.PlayerUrl);
            True(video.IframeHtml.StartsWith("<iframe ", StringComparison.Ordinal), video.IframeHtml);
            True(video.HlsUrl.EndsWith(".m3u8", StringComparison.Ordinal), video.HlsUrl);
            True(video.Mp4Url.EndsWith(".mp4", StringComparison.Ordinal), video.Mp4Url);
            True(video.ThumbnailUrl.EndsWith(".jpg", StringComparison.Ordinal), video.ThumbnailUrl);
            IsWhole(video, Noise(1000));
        }
    }

    [Test]
    private static void A_client_without_a_key_can_only_upload_and_is_asked_for_by_name()
    {
        using (var client = Device(Quick)) Throws<InvalidArgumentException>(() => client.CreateToken(Minute));
        Throws<InvalidArgumentException>(() => new ApiVideoClient(new ClientOptions { ApiKey = ApiKey, NoCredential = true }));
        Throws<InvalidArgumentException>(() => new ApiVideoClient(new ClientOptions { ApiKey = null }));
    }

    [Test]
    private static void Parts_are_sent_side_by_side_each_once()
    {
        using (var file = new TemporaryFile(Film))
        using (var client = Device(Quick))
        {
            int thread = Thread.CurrentThread.ManagedThreadId;
            UploadedVideo video = client.Upload(file.Path, Token(), new UploadOptions
            {
                PartBytes = Part,
                ParallelParts = 3,
                Progress = progress => Equal(thread, Thread.CurrentThread.ManagedThreadId),
                State = state => Equal(thread, Thread.CurrentThread.ManagedThreadId),
            });
            IsWhole(video, Film);
            Equal("1 1 1 1", Received(video.Id));
        }
    }

    [Test]
    private static void A_name_is_told_and_a_video_that_was_made_before_is_filled()
    {
        string id = MakePrivateVideo("Geburtstag ✓");
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(Quick))
        {
            Equal("größer.mp4", client.Upload(file.Path, Token(), new UploadOptions { FileName = "größer.mp4" }).Title);
            UploadedVideo video = client.Upload(file.Path, Token(), new UploadOptions { VideoId = id });
            Equal(id, video.Id);
            Equal("Geburtstag ✓", video.Title);
            Equal(false, video.IsPublic);
            Throws<NotFoundException>(() => client.Upload(file.Path, Token(), new UploadOptions { VideoId = "viNone" }));
        }
    }

    [Test]
    private static void Progress_never_goes_back_and_ends_with_everything_confirmed()
    {
        var told = new List<UploadProgress>();
        using (var file = new TemporaryFile(Film))
        using (var client = Device(Quick))
        {
            int thread = Thread.CurrentThread.ManagedThreadId;
            client.Upload(file.Path, Token(), new UploadOptions
            {
                PartBytes = Part,
                ProgressInterval = TimeSpan.FromMilliseconds(1),
                // The collector must find all that the library points to.
                Progress = progress => { Equal(thread, Thread.CurrentThread.ManagedThreadId); told.Add(progress); if (told.Count < 50) Collect(); },
            });
        }
        for (int i = 1; i < told.Count; i++)
            True(told[i].BytesConfirmed >= told[i - 1].BytesConfirmed && told[i].PartsConfirmed >= told[i - 1].PartsConfirmed, "it goes on");
        Equal(0L, told[0].BytesConfirmed);
        True(told.Any(progress => progress.BytesSent > 0), "bytes are sent");
        True(told.Any(progress => progress.Activity == UploadActivity.WaitingForAnswer), "answers are waited for");
        foreach (UploadProgress progress in told)
        {
            Equal(Film.Length, progress.BytesTotal);
            Equal(4L, progress.PartsTotal);
            Equal(0L, progress.BytesRepeated);
            Equal(TimeSpan.Zero, progress.Wait);
        }
        Equal(Film.Length, told.Last().BytesConfirmed);
        Equal(4L, told.Last().PartsConfirmed);
    }

    [Test]
    private static void Progress_tells_of_activities_of_a_later_library_and_of_what_is_not_known()
    {
        IntPtr pointer = Marshal.AllocHGlobal(Marshal.SizeOf(typeof(NativeProgress)));
        try
        {
            Marshal.StructureToPtr(new NativeProgress { State = 4711, WaitMs = 1500, BytesSent = ulong.MaxValue }, pointer, false);
            var progress = new UploadProgress(pointer);
            Equal(4711, (int)progress.Activity);
            Equal(TimeSpan.FromSeconds(1.5), progress.Wait);
            Equal(long.MaxValue, progress.BytesSent);
            Equal(null, progress.BytesTotal);
            Equal(null, progress.PartsTotal);
        }
        finally
        {
            Marshal.FreeHGlobal(pointer);
        }
    }

    [Test]
    private static void A_state_is_told_after_each_part_but_the_last()
    {
        var states = new List<string>();
        string token = Token();
        using (var file = new TemporaryFile(Film))
        using (var client = Device(Quick))
        {
            client.Upload(file.Path, token, new UploadOptions { PartBytes = Part, State = states.Add });
            Equal(3, states.Distinct().Count());
            Equal(3, states.Count);
            True(!states.Any(state => state.Contains(token)), "without the token");
            // As after a crash: all but the last part is there.
            var told = new List<UploadProgress>();
            Throws<InvalidArgumentException>(() => client.Upload(file.Path, token, new UploadOptions { Resume = states[0], VideoId = "other" }));
            UploadedVideo video = client.Upload(file.Path, Token(), new UploadOptions { Resume = states[2], Progress = told.Add });
            Equal(3L, told[0].PartsConfirmed);
            IsWhole(video, Film);
        }
    }

    [Test]
    private static void A_file_goes_on_after_a_cancel_and_sends_nothing_again_that_was_confirmed()
    {
        using (var file = new TemporaryFile(Film))
        using (var client = Device(Quick))
        {
            OperationCanceledException cancelled = Cancel((options, token) => client.Upload(file.Path, Token(), options, token));
            var inner = (ApiVideoException)cancelled.InnerException;
            Equal(Status.Cancelled, inner.Status);
            Equal(Outcome.NotApplied, inner.Outcome);
            Equal(inner.UploadState, UploadState.Of(cancelled));
            Equal("1", Received(inner.UploadVideoId));

            var told = new List<UploadProgress>();
            UploadedVideo video = client.Upload(file.Path, Token(), new UploadOptions { Resume = inner.UploadState, Progress = told.Add });
            Equal(inner.UploadVideoId, video.Id);
            Equal(Part, told[0].BytesConfirmed);
            IsWhole(video, Film);
            Equal("1 1 1 1", Received(video.Id));
        }
    }

    // ---- Streams ----

    [Test]
    private static void A_stream_of_unknown_length_is_uploaded_and_left_open()
    {
        using (var client = Device(Quick))
        using (var source = new Pipe(Film))
        {
            UploadedVideo video = client.Upload(source, Token(), new UploadOptions { PartBytes = Part });
            Equal("video", video.Title);
            Equal(Film.Length, video.Bytes);
            IsWhole(video, Film);
            Equal(0, source.Read(new byte[1], 0, 1));
        }
    }

    [Test]
    private static void A_stream_that_can_seek_goes_on_from_where_it_stands()
    {
        // It need not be at the beginning of the stream that the video begins.
        var source = new MemoryStream(new byte[100].Concat(Film).ToArray());
        using (var client = Device(Quick))
        {
            source.Position = 100;
            string state = UploadState.Of(Cancel((options, token) => client.Upload(source, Token(), options, token)));
            source.Position = 100;
            var told = new List<UploadProgress>();
            UploadedVideo video = client.Upload(source, Token(), new UploadOptions { Resume = state, Progress = told.Add });
            True(told[0].BytesConfirmed >= Part, "it goes on");
            Equal(null, told[0].BytesTotal);
            IsWhole(video, Film);
            Equal("1 1 1 1", Received(video.Id));
        }
    }

    [Test]
    private static void Of_a_stream_that_cannot_seek_what_is_confirmed_is_dropped()
    {
        using (var client = Device(Quick))
        {
            string state = UploadState.Of(Cancel((options, token) => client.Upload(new Pipe(Film), Token(), options, token)));
            UploadedVideo video = client.Upload(new Pipe(Film), Token(), new UploadOptions { Resume = state });
            IsWhole(video, Film);
            Equal("1 1 1 1", Received(video.Id));
        }
    }

    [Test]
    private static void A_stream_that_ends_before_what_is_confirmed_is_another_one()
    {
        using (var client = Device(Quick))
        {
            string state = UploadState.Of(Cancel((options, token) => client.Upload(new Pipe(Film), Token(), options, token)));
            foreach (Stream source in new Stream[] { new Pipe(Noise(1000)), new MemoryStream(Noise(1000)) })
            {
                var exception = Throws<EndOfStreamException>(() => client.Upload(source, Token(), new UploadOptions { Resume = state }));
                Equal(state, UploadState.Of(exception));
            }
        }
    }

    [Test]
    private static void What_a_stream_throws_reaches_the_caller_who_can_go_on()
    {
        var broken = new IOException("the camera is gone");
        using (var client = Device(Quick))
        {
            var options = new UploadOptions { PartBytes = Part };
            True(ReferenceEquals(broken, Throws<IOException>(() => client.Upload(new Pipe(Film, 7 * MiB, broken), Token(), options))), "the very same");
            options.Resume = UploadState.Of(broken);
            UploadedVideo video = client.Upload(new Pipe(Film), Token(), options);
            IsWhole(video, Film);
            Equal("1 1 1 1", Received(video.Id));

            // The same exception again, where there is nothing to go on from.
            options.Resume = null;
            Throws<IOException>(() => client.Upload(new Pipe(Film, 1000, broken), Token(), options));
            Equal(null, UploadState.Of(broken));
        }
    }

    [Test]
    private static void A_stream_is_given_up_when_it_is_cancelled_before_anything_is_sent()
    {
        using (var service = new CannedService())
        using (var client = Device(service.Url))
        using (var source = new CancellationTokenSource())
        {
            int reads = 0;
            var endless = new Pipe(Film) { Reading = () => { reads++; source.Cancel(); }, IsEndless = true };
            var exception = Throws<OperationCanceledException>(() => client.Upload(endless, "token", null, source.Token));
            Equal(1, reads);
            Equal(source.Token, exception.CancellationToken);
            Equal(Outcome.NotApplied, ((ApiVideoException)exception.InnerException).Outcome);
            Equal(null, service.Head);
        }
    }

    [Test]
    private static void An_empty_stream_makes_no_video()
    {
        SendsNothing(client => Throws<InvalidArgumentException>(() => client.Upload(new MemoryStream(), "token")));
    }

    // ---- What is written meanwhile ----

    [Test]
    private static void What_is_written_is_uploaded_when_it_is_finished()
    {
        var client = Device(Quick);
        var states = new List<string>();
        using (UploadStream upload = client.BeginUpload(Token(), new UploadOptions { FileName = "live.ts", PartBytes = Part, State = states.Add }))
        {
            client.Dispose();
            Collect();
            Equal(0L, upload.Position);
            Equal(null, upload.State);
            upload.Write(Film, 0, 0);
            upload.Write(new byte[] { 1, 2 }.Concat(Film.Take(1000)).ToArray(), 2, 1000);
            Equal(1000L, upload.Position);
            new MemoryStream(Film, 1000, Film.Length - 1000).CopyTo(upload);
            upload.Flush();
            Equal(Film.Length, upload.Position);
            Equal(states.Last(), upload.State);
            UploadedVideo video = upload.Finish();
            Equal("live.ts", video.Title);
            Equal(3, states.Count);
            IsWhole(video, Film);
            Throws<InvalidArgumentException>(() => upload.Write(Film, 0, 1));
        }
    }

    [Test]
    private static void A_stream_to_write_to_is_what_it_says_and_ends_with_Dispose()
    {
        using (var client = Device(Quick))
        {
            UploadStream upload = client.BeginUpload(Token());
            Equal(false, upload.CanRead);
            Equal(false, upload.CanSeek);
            Equal(true, upload.CanWrite);
            Throws<NotSupportedException>(() => upload.Position = 0);
            Throws<NotSupportedException>(() => upload.Length.ToString());
            Throws<NotSupportedException>(() => upload.SetLength(0));
            Throws<NotSupportedException>(() => upload.Seek(0, SeekOrigin.Begin));
            Throws<NotSupportedException>(() => upload.Read(new byte[1], 0, 1));
            upload.Dispose();
            upload.Dispose();
            Equal(false, upload.CanWrite);
            Throws<ObjectDisposedException>(() => upload.Write(new byte[1], 0, 1));
            Throws<ObjectDisposedException>(() => upload.Finish());
            Throws<ObjectDisposedException>(() => upload.Position.ToString());
        }
    }

    [Test]
    private static void After_a_cancel_writing_goes_on_from_Position()
    {
        using (var client = Device(Quick))
        using (var source = new CancellationTokenSource())
        {
            bool isFirst = true;
            var options = new UploadOptions { PartBytes = Part, Progress = progress => { if (isFirst && progress.PartsConfirmed == 1) source.Cancel(); } };
            using (UploadStream upload = client.BeginUpload(Token(), options))
            {
                Throws<OperationCanceledException>(() => upload.Write(Film, 0, Film.Length, null, source.Token));
                isFirst = false;
                True(upload.Position >= Part && upload.Position < Film.Length, "in the middle, at " + upload.Position);
                int taken = (int)upload.Position;
                upload.Write(Film, taken, Film.Length - taken);
                IsWhole(upload.Finish(), Film);
            }
        }
    }

    [Test]
    private static void What_was_lost_in_a_crash_is_written_once_more()
    {
        using (var client = Device(Quick))
        {
            string state;
            using (UploadStream upload = client.BeginUpload(Token(), new UploadOptions { PartBytes = Part }))
            {
                upload.Write(Film, 0, 7 * MiB);
                state = upload.State;
            }
            using (UploadStream upload = client.BeginUpload(Token(), new UploadOptions { Resume = state }))
            {
                Equal(Part, upload.Position);
                Equal(state, upload.State);
                upload.Write(Film, Part, Film.Length - Part);
                UploadedVideo video = upload.Finish();
                IsWhole(video, Film);
                Equal("1 1 1 1", Received(video.Id));
            }
        }
    }

    [Test]
    private static void Asynchronous_writes_are_ended_by_their_token()
    {
        using (var client = Device(Quick))
        using (var source = new CancellationTokenSource())
        {
            int caller = Thread.CurrentThread.ManagedThreadId, callback = 0;
            var options = new UploadOptions { PartBytes = Part, Progress = progress => { callback = Thread.CurrentThread.ManagedThreadId; source.Cancel(); } };
            using (UploadStream upload = client.BeginUpload(Token(), options))
            {
                Task write = upload.WriteAsync(Film, 0, Film.Length, source.Token);
                try { write.Wait(); } catch (AggregateException) { }
                Equal(TaskStatus.Canceled, write.Status);
                True(callback != 0 && callback != caller, "on another thread");
            }
        }
    }

    [Test]
    private static void An_upload_is_in_one_call_at_a_time()
    {
        using (var client = Device(Quick))
        {
            UploadStream upload = null;
            var options = new UploadOptions { PartBytes = Part, Progress = progress => upload.Write(Film, 0, 1) };
            using (upload = client.BeginUpload(Token(), options))
            {
                Throws<InvalidOperationException>(() => upload.Write(Film, 0, 7 * MiB));
                // And it was no call of the other's that has ended.
                Throws<InvalidOperationException>(() => upload.Finish());
            }
        }
    }

    [Test]
    private static void A_callback_may_dispose_of_its_upload()
    {
        using (var client = Device(Quick))
        {
            UploadStream upload = null;
            upload = client.BeginUpload(Token(), new UploadOptions { PartBytes = Part, State = state => { upload.Dispose(); Collect(); } });
            upload.Write(Film, 0, 7 * MiB);
            Throws<ObjectDisposedException>(() => upload.Write(Film, 0, 1));
        }
    }

    // ---- Callbacks that throw ----

    [Test]
    private static void What_a_callback_throws_ends_the_upload_and_reaches_the_caller_who_can_go_on()
    {
        using (var file = new TemporaryFile(Film))
        using (var client = Device(Quick))
        {
            var uploads = new Func<UploadOptions, UploadedVideo>[]
            {
                options => client.Upload(file.Path, Token(), options),
                options => client.Upload(new MemoryStream(Film), Token(), options),
            };
            var mine = new FormatException("mine");
            foreach (Func<UploadOptions, UploadedVideo> upload in uploads)
                foreach (bool inState in new[] { true, false })
                {
                    int calls = 0;
                    var options = new UploadOptions { PartBytes = Part };
                    if (inState) options.State = state => { calls++; throw mine; };
                    else options.Progress = progress => { if (progress.PartsConfirmed == 1) { calls++; throw mine; } };
                    FormatException thrown = Throws<FormatException>(() => upload(options));
                    True(ReferenceEquals(mine, thrown), "the very same");
                    True(thrown.StackTrace.Contains(nameof(What_a_callback_throws_ends_the_upload_and_reaches_the_caller_who_can_go_on)), thrown.StackTrace);
                    Equal(1, calls);
                    UploadedVideo video = upload(new UploadOptions { Resume = UploadState.Of(thrown) });
                    IsWhole(video, Film);
                    Equal("1 1 1 1", Received(video.Id));
                }
        }
    }

    [Test]
    private static void What_a_callback_throws_in_a_write_leaves_the_upload_usable()
    {
        using (var client = Device(Quick))
        {
            bool isFirst = true;
            var options = new UploadOptions { PartBytes = Part, Progress = progress => { if (isFirst) { isFirst = false; throw new FormatException("mine"); } } };
            using (UploadStream upload = client.BeginUpload(Token(), options))
            {
                Throws<FormatException>(() => upload.Write(Film, 0, Film.Length));
                int taken = (int)upload.Position;
                upload.Write(Film, taken, Film.Length - taken);
                IsWhole(upload.Finish(), Film);
            }
        }
    }

    [Test]
    private static void An_exception_of_another_call_tells_the_state_of_the_upload_that_it_ended()
    {
        using (var file = new TemporaryFile(Film))
        using (var client = Client(Quick))
        {
            string told = null;
            var options = new UploadOptions { PartBytes = Part, State = state => { told = state; client.GetToken("none"); } };
            var exception = Throws<NotFoundException>(() => client.Upload(file.Path, Token(), options));
            Equal(null, exception.UploadState);
            Equal(told, UploadState.Of(exception));
        }
        Equal(null, UploadState.Of(new Exception()));
        Throws<ArgumentNullException>(() => UploadState.Of(null));
    }

    // ---- Errors and arguments of uploads ----

    [Test]
    private static void A_token_that_is_refused_is_unauthorized()
    {
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(Quick))
        {
            var exception = Throws<UnauthorizedException>(() => client.Upload(file.Path, "wrong"));
            Equal(401, exception.HttpStatus);
            Equal(Outcome.NotApplied, exception.Outcome);
            Equal(null, exception.UploadState);
            Equal(null, exception.UploadVideoId);
        }
    }

    [Test]
    private static void A_file_that_cannot_be_read_or_is_another_one_is_told_by_its_own_exception()
    {
        using (var file = new TemporaryFile(Film))
        using (var other = new TemporaryFile(Noise(Film.Length - 1)))
        using (var client = Device(Quick))
        {
            string state = UploadState.Of(Cancel((options, token) => client.Upload(file.Path, Token(), options, token)));
            Equal(Status.Source, Throws<SourceException>(() => client.Upload(other.Path, Token(), new UploadOptions { Resume = state })).Status);
            // Nothing was tried: the state still holds.
            var missing = Throws<SourceException>(() => client.Upload(file.Path + ".none", Token(), new UploadOptions { Resume = state }));
            Equal(state, UploadState.Of(missing));
        }
    }

    [Test]
    private static void Arguments_of_uploads_that_C_cannot_express_are_refused()
    {
        using (var file = new TemporaryFile(Noise(1000)))
            SendsNothing(client =>
            {
                Action<Action<UploadOptions>, string> refuses = (change, parameter) =>
                {
                    var options = new UploadOptions();
                    change(options);
                    foreach (Action upload in new Action[] { () => client.Upload(file.Path, "a", options), () => client.Upload(new MemoryStream(Film), "a", options),
                        () => client.BeginUpload("a", options) })
                        Equal(parameter, Throws<ArgumentException>(upload, typeof(ArgumentOutOfRangeException)).ParamName);
                };
                foreach (TimeSpan time in new[] { TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.FromSeconds(-1), TimeSpan.MinValue, TimeSpan.MaxValue,
                    TimeSpan.FromMilliseconds(4294967296L + 5) })
                {
                    refuses(options => options.Timeout = time, "Timeout");
                    refuses(options => options.StallTimeout = time, "StallTimeout");
                    refuses(options => options.AnswerTimeout = time, "AnswerTimeout");
                    refuses(options => options.Patience = time, "Patience");
                    refuses(options => options.ProgressInterval = time, "ProgressInterval");
                }
                refuses(options => options.ProgressInterval = Timeout.InfiniteTimeSpan, "ProgressInterval");
                foreach (int number in new[] { 0, -1, int.MinValue })
                {
                    refuses(options => options.MaxAttempts = number, "MaxAttempts");
                    refuses(options => options.PartBytes = number, "PartBytes");
                    refuses(options => options.MaxBytesPerSecond = number, "MaxBytesPerSecond");
                }
                refuses(options => options.ParallelParts = -1, "ParallelParts");
                refuses(options => options.VideoId = "a\0", "VideoId");
                refuses(options => options.FileName = "half a pair \ud83d", "FileName");
                refuses(options => options.Resume = "a\0", "Resume");

                Equal("path", Throws<ArgumentException>(() => client.Upload(file.Path + "\0", "a")).ParamName);
                Equal("token", Throws<ArgumentException>(() => client.Upload(file.Path, "a\0")).ParamName);
                Equal("path", Throws<ArgumentNullException>(() => client.Upload((string)null, "a")).ParamName);
                Equal("source", Throws<ArgumentNullException>(() => client.Upload((Stream)null, "a")).ParamName);
                Equal("token", Throws<ArgumentNullException>(() => client.Upload(file.Path, null)).ParamName);
                Equal("token", Throws<ArgumentNullException>(() => client.Upload(new MemoryStream(Film), null)).ParamName);
                Equal("token", Throws<ArgumentNullException>(() => client.BeginUpload(null)).ParamName);
                using (UploadStream upload = client.BeginUpload("a"))
                {
                    Equal("source", Throws<ArgumentException>(() => client.Upload(upload, "a")).ParamName);
                    Equal("buffer", Throws<ArgumentNullException>(() => upload.Write(null, 0, 0)).ParamName);
                    Equal("offset", Throws<ArgumentOutOfRangeException>(() => upload.Write(Film, -1, 1)).ParamName);
                    Equal("count", Throws<ArgumentOutOfRangeException>(() => upload.Write(Film, 0, -1)).ParamName);
                    foreach (int offset in new[] { 0, 1, 2, 3, int.MaxValue })
                        Equal("count", Throws<ArgumentException>(() => upload.Write(new byte[2], offset, int.MaxValue)).ParamName);
                    Throws<ArgumentException>(() => upload.Write(new byte[2], 3, 0));
                    Throws<ArgumentOutOfRangeException>(() => upload.Write(Film, 0, 1, new CallOptions { MaxAttempts = 0 }));
                    Throws<ArgumentOutOfRangeException>(() => upload.Finish(new CallOptions { Timeout = TimeSpan.Zero }));
                    Equal(0L, upload.Position);
                }
            });
    }

    [Test]
    private static void Arguments_of_uploads_that_the_library_refuses_send_nothing()
    {
        using (var file = new TemporaryFile(Noise(1000)))
            SendsNothing(client =>
            {
                foreach (UploadOptions options in new[] { new UploadOptions { PartBytes = Part - 1 }, new UploadOptions { PartBytes = long.MaxValue },
                    new UploadOptions { ParallelParts = 17 }, new UploadOptions { ParallelParts = int.MaxValue }, new UploadOptions { VideoId = "" },
                    new UploadOptions { FileName = "" }, new UploadOptions { Resume = "" } })
                    Throws<InvalidArgumentException>(() => client.Upload(file.Path, "a", options));
                Throws<InvalidArgumentException>(() => client.Upload(file.Path, ""));
            });
    }

    [Test]
    private static void Options_at_their_limits_are_taken()
    {
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(Quick))
            IsWhole(client.Upload(file.Path, Token(), new UploadOptions
            {
                PartBytes = 200 * MiB,
                MaxBytesPerSecond = long.MaxValue,
                ParallelParts = 16,
                StallTimeout = Timeout.InfiniteTimeSpan,
                AnswerTimeout = Timeout.InfiniteTimeSpan,
                Patience = Timeout.InfiniteTimeSpan,
                ProgressInterval = TimeSpan.FromMilliseconds(uint.MaxValue),
                Timeout = Timeout.InfiniteTimeSpan,
                MaxAttempts = int.MaxValue,
            }), Noise(1000));
    }

    // ---- Time of uploads ----

    [Test]
    private static void The_client_s_time_does_not_end_an_upload_but_its_own_does()
    {
        using (var file = new TemporaryFile(Noise(2 * MiB)))
        {
            var options = new ClientOptions { NoCredential = true, BaseUrl = Quick, ProxyUrl = "", Timeout = TimeSpan.FromMilliseconds(200) };
            // It takes a second.
            var slowly = new UploadOptions { MaxBytesPerSecond = 2 * MiB };
            using (var client = new ApiVideoClient(options)) IsWhole(client.Upload(file.Path, Token(), slowly), Noise(2 * MiB));
        }
        using (var service = new CannedService())
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(service.Url))
        {
            var briefly = new UploadOptions { Timeout = TimeSpan.FromMilliseconds(300) };
            Equal(Outcome.Unknown, Throws<CallTimeoutException>(() => client.Upload(file.Path, "token", briefly)).Outcome);
        }
    }

    [Test]
    private static void The_time_of_a_stream_is_that_of_all_its_writes()
    {
        // Each part takes half a second, and the stream three of them and a half.
        var briefly = new UploadOptions { PartBytes = Part, MaxBytesPerSecond = 2 * Part, Timeout = TimeSpan.FromMilliseconds(1100) };
        using (var client = Device(Quick))
        {
            var exception = Throws<CallTimeoutException>(() => client.Upload(new Pipe(Film), Token(), briefly));
            IsWhole(client.Upload(new Pipe(Film), Token(), new UploadOptions { Resume = UploadState.Of(exception) }), Film);
        }
    }

    [Test]
    private static void An_answer_is_waited_for_as_long_as_was_asked_for()
    {
        using (var service = new CannedService())
        using (var client = Device(service.Url))
        using (UploadStream upload = client.BeginUpload("token", new UploadOptions { AnswerTimeout = TimeSpan.FromMilliseconds(200), MaxAttempts = 1 }))
        {
            upload.Write(Film, 0, 1000);
            var exception = Throws<CallTimeoutException>(() => upload.Finish());
            Equal(1L, exception.Attempts);
        }
    }

    // ---- Secrets and memory of uploads ----

    [Test]
    private static void No_text_of_an_object_tells_a_secret()
    {
        string token = Token(), id = MakePrivateVideo("a film");
        using (var file = new TemporaryFile(Noise(1000)))
        using (var client = Device(Quick))
        {
            var options = new UploadOptions { VideoId = id };
            UploadedVideo video = client.Upload(file.Path, token, options);
            string secret = Regex.Match(video.PlayerUrl, "token=(.+)").Groups[1].Value;
            True(secret.Length > 8 && video.Json.Contains(secret), "there is a secret");
            ApiVideoException rejected = Throws<RejectedException>(() => client.Upload(file.Path, token, options));
            using (UploadStream upload = client.BeginUpload(token, options))
                foreach (object it in new object[] { video, options, rejected, upload, client })
                    True(!it.ToString().Contains(secret) && !it.ToString().Contains(token), it.GetType().Name);
        }
    }

    [Test]
    private static void Thousands_of_uploads_leak_nothing()
    {
        using (var file = new TemporaryFile(Noise(1000)))
        {
            string token = Token();
            byte[] data = Noise(1000);
            Action<int> rounds = count =>
            {
                // One for all of them: how many connections are idle between two is chance, and each takes 33 KiB.
                using (var client = Device(Quick))
                    for (int i = 0; i < count; i++)
                    {
                        var options = new UploadOptions { Progress = progress => { }, State = state => { } };
                        client.Upload(file.Path, token, options);
                        client.Upload(new MemoryStream(data), token, options);
                        client.BeginUpload(token, options).Write(data, 0, data.Length);
                        Throws<SourceException>(() => client.Upload("/no/such/file", token, options));
                        Throws<FormatException>(() => client.Upload(file.Path, token, new UploadOptions { Progress = progress => { throw new FormatException(); } }));
                    }
            };
            // The runtime itself takes a while until it takes no more.
            rounds(500);
            ulong before = BytesInUse();
            rounds(1500);
            // The smallest block of malloc is 32 bytes: one lost in each round would be 48000. What Mono takes for
            // used because it looks as if a stack knew it, it lets go of when other calls have been there.
            var time = Stopwatch.StartNew();
            while (BytesInUse() >= before + 16000 && time.Elapsed < TimeSpan.FromSeconds(30)) rounds(10);
            ulong after = BytesInUse();
            True(after < before + 16000, (long)(after - before) + " bytes more are in use");
        }
    }

    // ---- Tools for uploads ----

    // What a device has: no key.
    private static ApiVideoClient Device(string url)
    {
        return new ApiVideoClient(new ClientOptions { NoCredential = true, BaseUrl = url, ProxyUrl = "" });
    }

    private static string Token()
    {
        using (var client = Client(Quick)) return client.CreateToken(TimeSpan.FromHours(1)).Id;
    }

    private static string MakePrivateVideo(string title)
    {
        using (var web = new WebClient { Encoding = Encoding.UTF8 })
        {
            web.Headers[HttpRequestHeader.Authorization] = "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes(ApiKey + ":"));
            web.Headers[HttpRequestHeader.ContentType] = "application/json";
            string made = web.UploadString(Quick + "/videos", "{\"title\":\"" + title + "\",\"public\":false}");
            return Regex.Match(made, "\"videoId\":\"(\\w+)\"").Groups[1].Value;
        }
    }

    // Cancels an upload of the film in its second part, from its progress.
    private static OperationCanceledException Cancel(Action<UploadOptions, CancellationToken> upload)
    {
        using (var source = new CancellationTokenSource())
        {
            var options = new UploadOptions
            {
                PartBytes = Part,
                ProgressInterval = TimeSpan.FromMilliseconds(1),
                MaxBytesPerSecond = 8 * MiB,
                Progress = progress => { if (progress.PartsConfirmed == 1 && progress.BytesSent > 0) source.Cancel(); },
            };
            var exception = Throws<OperationCanceledException>(() => upload(options, source.Token));
            Equal(source.Token, exception.CancellationToken);
            True(UploadState.Of(exception) != null, "there is a state");
            return exception;
        }
    }

    // The service has it, byte for byte.
    private static void IsWhole(UploadedVideo video, byte[] source)
    {
        using (var sha256 = SHA256.Create())
        {
            string digest = BitConverter.ToString(sha256.ComputeHash(source)).Replace("-", "").ToLowerInvariant();
            string told = LedgerOf(video.Id);
            True(told.Contains("\"sha256\":\"" + digest + "\",\"title\"") && told.Contains("\"whole\":true"), told);
        }
    }

    // How often the service has received each of the video's parts.
    private static string Received(string videoId)
    {
        return string.Join(" ", Regex.Matches(LedgerOf(videoId), "\"received\":(\\d+)").Cast<Match>().Select(match => match.Groups[1].Value));
    }

    private static string LedgerOf(string videoId)
    {
        using (var web = new WebClient { Encoding = Encoding.UTF8 })
        {
            string ledger = web.DownloadString(Quick + "/local-api/ledger");
            // No video's text has a brace of its own, but for those of its parts.
            Match video = Regex.Match(ledger, "\\{\"bytes\":\\d+,\"parts\":\\[(\\{[^{}]*\\},?)*\\][^{}]*\"videoId\":\"" + videoId + "\"[^{}]*\\}");
            True(video.Success, videoId + " is in the ledger");
            return video.Value;
        }
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(byte[] content)
        {
            Path = System.IO.Path.GetTempFileName();
            File.WriteAllBytes(Path, content);
        }

        public string Path { get; }

        public void Dispose()
        {
            File.Delete(Path);
        }
    }

    // A stream that can only be read, and may break on the way.
    private sealed class Pipe : Stream
    {
        private readonly byte[] content;
        private readonly int end;
        private readonly Exception broken;
        private int position;

        public Pipe(byte[] content) : this(content, content.Length, null) { }

        public Pipe(byte[] content, int end, Exception broken)
        {
            this.content = content;
            this.end = end;
            this.broken = broken;
        }

        public Action Reading { get; set; }
        public bool IsEndless { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Reading?.Invoke();
            if (IsEndless && position == end) position = 0;
            if (broken != null && position == end) throw broken;
            // Never as much as is asked for.
            int read = Math.Min(Math.Min(count, 50001), end - position);
            Array.Copy(content, position, buffer, offset, read);
            position += read;
            return read;
        }

        public override bool CanRead { get { return true; } }
        public override bool CanSeek { get { return false; } }
        public override bool CanWrite { get { return false; } }
        public override long Length { get { throw new NotSupportedException(); } }
        public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
        public override void SetLength(long value) { throw new NotSupportedException(); }
        public override void Write(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
    }
}
