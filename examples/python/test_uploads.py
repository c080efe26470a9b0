"""Tests of uploads, each named by what it holds, against the stand-ins and services of test_apivideo.py."""

import contextlib
import copy
import functools
import gc
import hashlib
import io
import json
import math
import os
import pathlib
import pickle
import re
import signal
import tempfile
import threading
import unittest
import urllib.request
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import apivideo
from apivideo import Cancel, Client, Outcome, UploadActivity, UploadProgress
from test_apivideo import KEY, LONG, QUICK, SLOW, TestCase, connect, in_use, ledger, reply, service

MIB = 2**20
PART = 5 * MIB  # the smallest that there is
LARGE = os.urandom(2 * PART + 2 * MIB + 7)  # three parts
SMALL = LARGE[:1000]
WHOLE = '{"videoId":"vi1","assets":{}}'  # the least that a service tells of a whole video


def setUpModule():
    global FOLDER, TOKEN
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    FOLDER = pathlib.Path(temporary.name)
    (FOLDER / "small.mp4").write_bytes(SMALL)
    (FOLDER / "large.mp4").write_bytes(LARGE)
    with connect() as client:
        TOKEN = client.create(ttl=3600).id


def device(base_url=QUICK, **options):
    """What has a token, and knows no key."""
    return connect(base_url, api_key=None, no_credential=True, **options)


def of_ledger(video_id):
    return next(video for video in ledger()["uploads"]["videos"] if video["videoId"] == video_id)


def raised_by(call):
    """What it raises, with all that its traceback keeps, which assertRaises() clears."""
    try:
        call()
    except Exception as error:
        return error


class Pipe:
    """What can only be read, and not at once."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size):
        return self._data.read(min(size, 100_000))


class Broken(Pipe):
    """A pipe that breaks after so many bytes."""

    def __init__(self, data, breaks_at):
        super().__init__(data[:breaks_at])

    def read(self, size):
        data = super().read(size)
        if not data:
            raise EOFError("the camera is gone")
        return data


class UploadCase(TestCase):
    def setUp(self):
        self.client = device()
        self.addCleanup(self.client.close)

    def upload(self, source, **options):
        return self.client.upload(source, **{"token": TOKEN, "part_bytes": PART, **options})

    def open_upload(self, **options):
        upload = self.client.open_upload(**{"token": TOKEN, "part_bytes": PART, **options})
        self.addCleanup(upload.close)
        return upload

    def assert_whole(self, video, data):
        """The service has just this, and got each part once."""
        held = of_ledger(video.id)
        self.assertTrue(held["whole"])
        self.assertEqual(held["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual({part["received"] for part in held["parts"]}, {1})
        self.assertEqual(video.bytes, len(data))

    def cancelled_in_the_second_part(self, source, **options):
        """The error of an upload that is cancelled while its second part is sent."""
        cancel = Cancel()

        def progress(told):
            if told.parts_confirmed == 1 and told.bytes_sent > 0:
                cancel.trigger()

        with self.assertRaises(apivideo.CancelledError) as raised:
            self.upload(source, cancel=cancel, progress=progress, progress_interval=0.001,
                        max_bytes_per_second=20 * MIB, **options)
        return raised.exception


class Files(UploadCase):
    def test_a_small_file_is_uploaded_in_one_piece(self):
        for path in (FOLDER / "small.mp4", str(FOLDER / "small.mp4")):
            video = self.upload(path)
            self.assert_whole(video, SMALL)
            self.assertEqual(len(of_ledger(video.id)["parts"]), 1)

    def test_a_video_tells_what_the_service_does(self):
        video = self.upload(FOLDER / "small.mp4")
        answer = json.loads(video.json)
        assets = answer["assets"]
        self.assertEqual((video.id, video.title), (answer["videoId"], "small.mp4"))
        self.assertEqual(
            (video.player_url, video.iframe_html, video.hls_url, video.mp4_url, video.thumbnail_url),
            (assets["player"], assets["iframe"], assets["hls"], assets.get("mp4"), assets["thumbnail"]))
        self.assertEqual((video.is_public, video.bytes, video.videos_abandoned), (True, len(SMALL), 0))
        self.assertEqual(video.created_at.replace(microsecond=0).isoformat()[:19], answer["createdAt"][:19])
        self.assertEqual(video.published_at.isoformat()[:19], answer["publishedAt"][:19])

    def test_what_is_not_told_is_none(self):
        with service(reply(201, WHOLE)) as url, device(url) as client:
            video = client.upload(FOLDER / "small.mp4", token="to1")
        self.assertEqual(video.id, "vi1")
        for name in ("title", "player_url", "iframe_html", "hls_url", "mp4_url", "thumbnail_url", "created_at",
                     "published_at", "is_public"):
            self.assertIsNone(getattr(video, name), name)

    def test_a_large_file_is_uploaded_in_parts(self):
        video = self.upload(FOLDER / "large.mp4")
        self.assert_whole(video, LARGE)
        self.assertEqual(len(of_ledger(video.id)["parts"]), 3)

    def test_parts_go_side_by_side_if_asked(self):
        for parts in (0, 1, 4, 16):
            self.assert_whole(self.upload(FOLDER / "large.mp4", parallel_parts=parts), LARGE)

    def test_a_file_goes_under_the_name_that_is_given(self):
        self.assertEqual(self.upload(FOLDER / "small.mp4", file_name="Ünser Film.mp4").title, "Ünser Film.mp4")

    def test_a_file_goes_to_the_video_that_is_given(self):
        request = urllib.request.Request(
            QUICK + "/videos", b'{"title":"made before"}',
            {"Content-Type": "application/json", "Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode()})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            made = json.load(answer)["videoId"]
        video = self.upload(FOLDER / "small.mp4", video_id=made)
        self.assertEqual((video.id, video.title), (made, "made before"))
        self.assert_whole(video, SMALL)

    def test_a_key_is_not_sent_with_a_token(self):
        before = ledger()["uploads"]["with_authorization"]
        with connect() as client:
            self.assert_whole(client.upload(FOLDER / "small.mp4", token=TOKEN), SMALL)
        self.assertEqual(ledger()["uploads"]["with_authorization"], before)

    def test_a_file_that_is_missing_is_an_error_of_the_source(self):
        with self.fails(apivideo.SourceError, status=14, attempts=0, outcome=Outcome.NOT_APPLIED, upload_state=None):
            self.upload(FOLDER / "missing")

    def test_what_is_no_file_or_empty_is_a_value_error(self):
        (FOLDER / "empty").touch()
        for path in (FOLDER, FOLDER / "empty"):
            with self.fails(apivideo.InvalidArgumentError):
                self.upload(path)

    def test_another_file_than_before_is_an_error_of_the_source(self):
        state = self.cancelled_in_the_second_part(FOLDER / "large.mp4").upload_state
        (FOLDER / "other.mp4").write_bytes(LARGE[::-1])
        with self.fails(apivideo.SourceError):
            self.upload(FOLDER / "other.mp4", resume=state)


class Sources(UploadCase):
    def test_what_can_be_read_is_uploaded(self):
        for source in (io.BytesIO(LARGE), Pipe(LARGE), (FOLDER / "large.mp4").open("rb")):
            for parts in (0, 2):
                if isinstance(source, Pipe):
                    source = Pipe(LARGE)
                with self.subTest(type(source).__name__, parts=parts):
                    video = self.upload(source, parallel_parts=parts)
                    self.assert_whole(video, LARGE)
                    self.assertEqual(video.title, "video")
            getattr(source, "close", lambda: None)()

    def test_what_comes_through_a_pipe_is_uploaded_while_it_comes(self):
        read, write = os.pipe()
        confirmed = threading.Event()

        def feed():
            with open(write, "wb") as pipe:
                pipe.write(LARGE[: 2 * PART])
                pipe.flush()
                confirmed.wait(LONG)  # of a part, though this is not its end
                pipe.write(LARGE[2 * PART :])

        with open(read, "rb") as source, ThreadPoolExecutor(1) as thread:
            fed = thread.submit(feed)
            self.assert_whole(self.upload(source, on_state=lambda _: confirmed.set()), LARGE)
            fed.result()
        self.assertTrue(confirmed.is_set())

    def test_what_can_seek_is_uploaded_from_its_beginning_wherever_it_stands(self):
        source = io.BytesIO()
        source.write(SMALL)
        self.assert_whole(self.upload(source), SMALL)

    def test_what_can_seek_is_sought_where_it_goes_on(self):
        reads = []

        class Watched(io.BytesIO):
            def read(self, size):
                reads.append(self.tell())
                return super().read(size)

        source = Watched(LARGE)
        error = self.cancelled_in_the_second_part(source)
        reads.clear()
        video = self.upload(source, resume=error.upload_state)
        self.assertEqual(reads[0], PART)
        self.assertEqual(video.id, error.upload_video_id)
        self.assert_whole(video, LARGE)

    def test_what_cannot_seek_is_read_again_from_its_beginning(self):
        error = self.cancelled_in_the_second_part(Pipe(LARGE))
        video = self.upload(Pipe(LARGE), resume=error.upload_state)
        self.assertEqual(video.id, error.upload_video_id)
        self.assert_whole(video, LARGE)

    def test_what_ends_before_where_it_goes_on_is_refused(self):
        state = self.cancelled_in_the_second_part(Pipe(LARGE)).upload_state
        for source in (Pipe(SMALL), io.BytesIO(SMALL), Pipe(LARGE[:PART])):
            with self.fails(apivideo.InvalidArgumentError):
                self.upload(source, resume=state)

    def test_what_reading_raises_reaches_the_caller_who_can_go_on(self):
        states = []
        with self.fails(EOFError):
            self.upload(Broken(LARGE, 2 * PART + MIB), on_state=states.append)
        self.assertEqual(len(states), 2)
        self.assert_whole(self.upload(Pipe(LARGE), resume=states[-1]), LARGE)

    def test_what_reading_raises_at_once_leaves_nothing(self):
        before = ledger()["requests"]
        with self.fails(EOFError):
            self.upload(Broken(b"", 0))
        self.assertEqual(ledger()["requests"], before)

    def test_a_source_of_texts_or_of_nothing_is_refused(self):
        before = ledger()["requests"]
        (FOLDER / "text").write_text("text")
        with (FOLDER / "text").open() as text, self.fails(TypeError):
            self.upload(text)
        with self.fails(TypeError):
            self.upload(io.StringIO(""))
        with self.fails(apivideo.InvalidArgumentError):
            self.upload(io.BytesIO(b""))
        read, write = os.pipe()
        os.set_blocking(read, False)
        with open(read, "rb", buffering=0) as source, open(write, "wb"), self.fails(BlockingIOError):
            self.upload(source)
        self.assertEqual(ledger()["requests"], before)


class Sessions(UploadCase):
    def test_what_is_written_is_uploaded(self):
        with self.open_upload(file_name="written.ts") as upload:
            self.assertEqual(upload.offset, 0)
            self.assertEqual(upload.write(LARGE[: PART + 1]), PART + 1)
            self.assertEqual(upload.offset, PART + 1)
            upload.write(b"")
            upload.write(bytearray(LARGE[PART + 1 : PART + 10]))
            upload.write(memoryview(LARGE)[PART + 10 :])
            self.assertEqual(upload.offset, len(LARGE))
            video = upload.finish()
        self.assert_whole(video, LARGE)
        self.assertEqual(video.title, "written.ts")

    def test_what_is_written_is_sent_when_a_part_is_full(self):
        states = []
        upload = self.open_upload(on_state=states.append)
        upload.write(LARGE[:PART])
        self.assertEqual(len(states), 0)
        upload.write(LARGE[PART : PART + 1])
        self.assertEqual(len(states), 1)

    def test_another_upload_goes_on_from_the_state_of_one_that_was_left(self):
        states = []
        with self.open_upload(on_state=states.append) as left:
            left.write(LARGE[: PART + MIB])
        with self.open_upload(resume=states[-1]) as upload:
            self.assertEqual(upload.offset, PART)
            upload.write(LARGE[upload.offset :])
            self.assert_whole(upload.finish(), LARGE)

    def test_after_an_error_it_goes_on_from_what_was_taken(self):
        cancel = Cancel()

        def progress(told):
            if told.parts_confirmed == 1 and told.bytes_sent > 0:
                cancel.trigger()

        upload = self.open_upload(progress=progress, progress_interval=0.001, max_bytes_per_second=20 * MIB)
        with self.assertRaises(apivideo.CancelledError) as raised:
            upload.write(LARGE, cancel=cancel)
        self.assertIsNotNone(raised.exception.upload_state)
        self.assertTrue(PART < upload.offset < len(LARGE))
        upload.write(LARGE[upload.offset :])
        self.assert_whole(upload.finish(), LARGE)

    def test_nothing_is_written_after_the_end(self):
        upload = self.open_upload()
        upload.write(SMALL)
        upload.finish()
        for call in (lambda: upload.write(SMALL), upload.finish):
            with self.fails(apivideo.InvalidArgumentError):
                call()

    def test_nothing_is_no_video(self):
        with self.fails(apivideo.InvalidArgumentError):
            self.open_upload().finish()

    def test_a_closed_upload_or_one_of_a_closed_client_refuses_calls(self):
        upload = self.open_upload()
        upload.write(SMALL)
        upload.close()
        upload.close()
        for call in (lambda: upload.write(SMALL), upload.finish, lambda: upload.offset):
            with self.fails(apivideo.ClosedError):
                call()
        under_way = self.open_upload()
        self.client.close()
        for call in (self.open_upload, lambda: self.upload(FOLDER / "small.mp4"), lambda: self.upload(io.BytesIO(SMALL))):
            with self.fails(apivideo.ClosedError):
                call()
        under_way.write(SMALL)
        self.assert_whole(under_way.finish(), SMALL)

    def test_it_is_one_calls_at_a_time(self):
        refused = []

        def progress(_):
            with ThreadPoolExecutor(1) as thread:
                for call in (upload.write, lambda data: thread.submit(upload.write, data).result()):
                    with self.assertRaises(ValueError):
                        call(SMALL)
                    refused.append(call)
            self.assertIn(upload.offset, (0, len(SMALL)))  # before the write, if that tells already

        upload = self.open_upload(progress=progress)
        upload.write(SMALL)
        self.assert_whole(upload.finish(), SMALL)
        self.assertTrue(refused)

    def frees(self):
        """Is told of each upload that is freed."""
        freed, real = [], apivideo._library.av_upload_free
        apivideo._library.av_upload_free = lambda handle: (freed.append(handle), real(handle))
        self.addCleanup(setattr, apivideo._library, "av_upload_free", real)
        return freed

    def test_it_is_freed_when_it_is_closed_though_errors_are_kept_and_by_itself_otherwise(self):
        freed = self.frees()
        cancel = Cancel()
        cancel.trigger()
        gc.disable()
        self.addCleanup(gc.enable)
        upload = self.client.open_upload(token=TOKEN)
        upload.write(SMALL)
        kept = [raised_by(lambda: upload.finish(cancel=cancel))]
        upload.close()
        self.assertEqual(len(freed), 1)
        kept.append(raised_by(lambda: self.upload(Broken(SMALL, 10))))
        self.assertEqual(len(freed), 2)
        self.client.open_upload(token=TOKEN)
        self.assertEqual(len(freed), 3)
        self.assertEqual([type(error) for error in kept], [apivideo.CancelledError, EOFError])

    def test_it_cannot_be_copied(self):
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
            with self.fails(TypeError):
                duplicate(self.open_upload())


class Telling(UploadCase):
    def test_progress_goes_forward_to_the_end_on_the_callers_thread(self):
        for parts in (0, 4):
            told = []
            self.upload(FOLDER / "large.mp4", parallel_parts=parts, progress_interval=0.001,
                        progress=lambda it: told.append((it, threading.get_ident())))
            self.assertEqual({thread for _, thread in told}, {threading.get_ident()})
            told = [it for it, _ in told]
            confirmed = [it.bytes_confirmed for it in told]
            self.assertEqual(confirmed, sorted(confirmed))
            self.assertEqual((confirmed[0], confirmed[-1]), (0, len(LARGE)))
            self.assertEqual({(it.bytes_total, it.parts_total) for it in told}, {(len(LARGE), 3)})
            self.assertEqual((told[-1].parts_confirmed, told[-1].bytes_sent), (3, 0))
            self.assertTrue(all(it.bytes_confirmed + it.bytes_sent <= len(LARGE) for it in told))
            self.assertIn(UploadActivity.WAITING_FOR_ANSWER, {it.activity for it in told})

    def test_the_end_of_what_is_written_is_not_known(self):
        told = []
        self.upload(Pipe(LARGE), progress=told.append)
        self.assertEqual((told[0].bytes_total, told[0].parts_total), (None, None))

    def test_a_wait_is_told(self):
        told = []
        with service(reply(503)) as url, device(url, max_attempts=4) as client:
            with self.fails(apivideo.ServerError, attempts=4):
                client.upload(FOLDER / "large.mp4", token="to1", part_bytes=PART, progress=told.append)
        # One of them may be shorter than a millisecond by chance.
        waits = [it.wait for it in told if it.activity is UploadActivity.WAITING_TO_RETRY]
        self.assertTrue(any(wait > timedelta(0) for wait in waits), told)
        self.assertGreater(told[-1].bytes_repeated, 0)

    def test_an_activity_of_a_later_library_is_another_one(self):
        read = apivideo._read_progress(apivideo._UploadProgress(state=99))
        self.assertIs(read.activity, UploadActivity.OTHER)

    def test_a_state_is_told_after_each_part_but_the_last(self):
        for source in (FOLDER / "large.mp4", Pipe(LARGE)):
            states = []
            self.upload(source, on_state=states.append)
            self.assertEqual([type(state) for state in states], [str, str])
            self.assertNotIn(TOKEN, "".join(states))

    def test_what_a_callback_raises_ends_the_upload_and_reaches_the_caller_who_can_go_on(self):
        states = []

        def progress(told):
            if told.parts_confirmed == 1:
                raise ZeroDivisionError

        def on_state(state):
            states.append(state)
            if not told:
                raise ZeroDivisionError

        for source in (lambda: FOLDER / "large.mp4", lambda: Pipe(LARGE), lambda: io.BytesIO(LARGE)):
            for parts in (0, 4):
                for told in ({}, {"progress": progress}):
                    with self.subTest(source=source(), parts=parts, told=told):
                        states.clear()
                        with self.fails(ZeroDivisionError):
                            self.upload(source(), parallel_parts=parts, on_state=on_state, **told)
                        self.assertEqual(len(states), 1)
                        self.assert_whole(self.upload(source(), resume=states[0]), LARGE)

    def test_an_upload_that_a_callback_has_ended_tells_so_in_the_context(self):
        def on_state(state):
            raise ZeroDivisionError(state)

        with self.assertRaises(ZeroDivisionError) as raised:
            self.upload(FOLDER / "large.mp4", on_state=on_state)
        ended = raised.exception.__context__
        self.assertIs(type(ended), apivideo.CancelledError)
        self.assertEqual(ended.upload_state, str(raised.exception))

    def test_what_a_callback_raises_leaves_the_callers_cancel_and_the_upload_as_they_were(self):
        cancel, states = Cancel(), []

        def on_state(state):
            states.append(state)
            if len(states) == 1:
                raise ZeroDivisionError

        upload = self.open_upload(on_state=on_state)
        with self.fails(ZeroDivisionError):
            upload.write(LARGE[: 2 * PART + 1], cancel=cancel)
        self.assertEqual(len(states), 1)
        upload.write(LARGE[upload.offset :], cancel=cancel)
        self.assert_whole(upload.finish(cancel=cancel), LARGE)
        self.assertEqual(len(states), 2)

    def test_what_a_callback_raises_when_the_video_is_whole_reaches_the_caller(self):
        def progress(told):
            if told.bytes_confirmed == len(SMALL):
                raise ZeroDivisionError

        with self.fails(ZeroDivisionError):
            self.upload(FOLDER / "small.mp4", progress=progress)

    def test_what_is_raised_keeps_nothing_in_a_circle(self):
        def progress(_):
            raise ZeroDivisionError

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        with contextlib.suppress(ZeroDivisionError):
            self.upload(FOLDER / "small.mp4", progress=progress)
        self.assertEqual([it for it in gc.get_objects() if type(it) is ZeroDivisionError], [])

    def test_a_callback_may_make_calls(self):
        inner = []
        self.upload(FOLDER / "small.mp4",
                    progress=lambda _: inner.append(self.client.upload(FOLDER / "small.mp4", token=TOKEN)))
        self.assert_whole(inner[0], SMALL)


class Ending(UploadCase):
    def test_a_cancelled_upload_goes_on_from_its_state(self):
        for parts in (0, 2):
            error = self.cancelled_in_the_second_part(FOLDER / "large.mp4", parallel_parts=parts)
            self.assertEqual((error.outcome, error.is_retryable), (Outcome.NOT_APPLIED, False))
            told = []
            video = self.upload(FOLDER / "large.mp4", resume=error.upload_state, progress=told.append)
            self.assertEqual(video.id, error.upload_video_id)
            self.assert_whole(video, LARGE)
            self.assertGreaterEqual(told[0].bytes_confirmed, PART)

    def test_an_upload_is_cancelled_from_another_thread(self):
        for source in (FOLDER / "large.mp4", Pipe(LARGE)):
            cancel, under_way = Cancel(), threading.Event()
            with ThreadPoolExecutor(1) as thread:
                ended = thread.submit(self.upload, source, cancel=cancel, max_bytes_per_second=MIB,
                                      progress_interval=0.001, progress=lambda _: under_way.set())
                self.assertTrue(under_way.wait(LONG))
                cancel.trigger()
                with self.fails(apivideo.CancelledError):
                    ended.result()

    def test_a_cancel_that_is_triggered_ends_an_upload_before_anything_is_sent(self):
        cancel = Cancel()
        cancel.trigger()
        before = ledger()["requests"]
        for source in (FOLDER / "small.mp4", io.BytesIO(SMALL)):
            with self.fails(apivideo.CancelledError, attempts=0):
                self.upload(source, cancel=cancel)
        self.assertEqual(ledger()["requests"], before)

    def test_a_cancel_keeps_nothing_of_uploads_that_have_ended(self):
        cancel = Cancel()
        self.upload(FOLDER / "small.mp4", cancel=cancel)
        self.assertEqual(cancel._followers, set())

    def test_the_time_of_an_upload_runs_out(self):
        for source in (FOLDER / "large.mp4", Pipe(LARGE), io.BytesIO(LARGE)):
            with self.fails(apivideo.TimedOutError, outcome=Outcome.NOT_APPLIED):  # 12 MiB would take 24 s
                self.upload(source, timeout=timedelta(seconds=0.5), max_bytes_per_second=MIB // 2)

    def test_the_time_of_what_is_read_is_that_of_all_its_parts_together(self):
        with self.fails(apivideo.TimedOutError):  # of 1.2 s, half a second for each part
            self.upload(Pipe(LARGE), timeout=0.8, max_bytes_per_second=10 * MIB)

    def test_no_time_of_the_client_is_an_uploads(self):
        with device(timeout=0.05, attempt_timeout=0.05) as client:
            video = client.upload(FOLDER / "large.mp4", token=TOKEN, max_bytes_per_second=24 * MIB)
            self.assert_whole(video, LARGE)
            video = client.upload(Pipe(LARGE), token=TOKEN, max_bytes_per_second=24 * MIB, timeout=math.inf)
            self.assert_whole(video, LARGE)

    def test_an_answer_that_does_not_come_is_given_up(self):
        with device(SLOW) as client, self.fails(apivideo.TimedOutError, outcome=Outcome.UNKNOWN):
            client.upload(FOLDER / "small.mp4", token=TOKEN, answer_timeout=0.05, max_attempts=1)

    def test_an_outage_is_given_up_when_patience_ends(self):
        with device("http://127.0.0.1:1", max_attempts=1_000_000) as client:
            with self.assertRaises(apivideo.ApiVideoError) as raised:
                client.upload(FOLDER / "small.mp4", token=TOKEN, patience=0.1)
        # It may end in the midst of an attempt.
        self.assertIn(type(raised.exception), (apivideo.ConnectError, apivideo.TimedOutError))
        self.assertIs(raised.exception.outcome, Outcome.NOT_APPLIED)

    def test_attempts_are_as_many_as_asked(self):
        with service(reply(503)) as url, device(url) as client:
            with self.fails(apivideo.ServerError, attempts=1):
                client.upload(FOLDER / "small.mp4", token="to1", max_attempts=1)
            with client.open_upload(token="to1") as upload, self.fails(apivideo.ServerError, attempts=1):
                upload.write(SMALL)
                upload.finish(max_attempts=1)

    def test_an_interrupt_ends_an_upload_when_progress_is_told(self):
        interrupted = threading.Event()

        def interrupt(handler):
            if not interrupted.is_set():
                interrupted.set()
                os.kill(os.getpid(), signal.SIGINT)
            reply(503)(handler)

        # Where this process was started to ignore it, as by nohup, Python leaves it so.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        told = []
        for options in ({}, {"progress": told.append}):
            for source in (FOLDER / "large.mp4", io.BytesIO(LARGE)):
                interrupted.clear()
                with service(interrupt) as url, device(url) as client, self.assertRaises(KeyboardInterrupt) as raised:
                    client.upload(source, token="to1", part_bytes=PART, max_attempts=1_000_000, **options)
                self.assertIs(type(raised.exception.__context__), apivideo.CancelledError)

    def test_other_threads_go_on_during_an_upload(self):
        # Everything here is one process: if a call kept the GIL, its service could not answer it.
        with service(reply(201, WHOLE)) as url, device(url, max_attempts=1) as client:
            for source in (FOLDER / "small.mp4", io.BytesIO(SMALL)):
                self.assertEqual(client.upload(source, token="to1", timeout=LONG).id, "vi1")


class Refusals(UploadCase):
    def test_a_token_that_is_wrong_is_unauthorized(self):
        for source in (FOLDER / "small.mp4", io.BytesIO(SMALL)):
            with self.fails(apivideo.UnauthorizedError, outcome=Outcome.NOT_APPLIED, upload_state=None, upload_video_id=None):
                self.upload(source, token="toWrong")

    def test_without_a_credential_nothing_but_uploads_is_allowed(self):
        before = ledger()["requests"]
        for call in (self.client.list, lambda: self.client.create(ttl=60), lambda: self.client.get("to1"),
                     lambda: self.client.delete("to1"), lambda: next(self.client.tokens())):
            with self.fails(apivideo.InvalidArgumentError):
                call()
        self.assertEqual(ledger()["requests"], before)

    def test_a_key_that_is_missing_is_no_wish_for_none(self):
        for options in ({"api_key": None}, {"no_credential": True}, {"api_key": None, "no_credential": False}):
            with self.fails(apivideo.InvalidArgumentError):
                connect(**options)
        for value in (1, 0, None, "yes"):
            with self.fails(TypeError):
                connect(api_key=None, no_credential=value)

    def arguments(self, kind, **options):
        """Each of the values is refused, and nothing is sent."""
        before = ledger()["requests"]
        for name, values in options.items():
            for value in values:
                for call in (lambda it: self.upload(FOLDER / "small.mp4", **it),
                             lambda it: self.upload(io.BytesIO(SMALL), **it), lambda it: self.open_upload(**it)):
                    with self.subTest(name, value=value), self.assertRaises(kind):
                        call({name: value})
        self.assertEqual(ledger()["requests"], before, "something was sent")

    def test_what_is_of_another_type_is_refused(self):
        texts, numbers, times = (1, b"to1", []), (True, 1.0, math.nan, "1"), (True, "1", [])
        self.arguments(
            TypeError, token=(None, *texts), video_id=texts, file_name=texts, resume=texts, part_bytes=numbers,
            max_bytes_per_second=numbers, parallel_parts=numbers, stall_timeout=times, answer_timeout=times,
            patience=times, progress_interval=times, progress=(1, "print"), on_state=(1, []), partBytes=(PART,))

    def test_what_is_out_of_range_or_would_be_cut_off_is_refused(self):
        times = (0, -1, math.nan, -math.inf, 2**32, timedelta(0), timedelta.max)
        texts = ("", "a\0b", "\udc80")
        self.arguments(
            ValueError, token=texts, video_id=texts, file_name=texts, resume=(*texts, "no state"),
            part_bytes=(0, -1, PART - 1, 200 * MIB + 1, 2**64, 2**64 + PART), max_bytes_per_second=(0, -1, 2**64),
            parallel_parts=(-1, 17, 2**32, 2**32 + 1), stall_timeout=times, answer_timeout=times, patience=times,
            progress_interval=times)

    def test_options_of_each_call_are_checked(self):
        before = ledger()["requests"]
        upload = self.open_upload()
        calls = [lambda it: self.upload(FOLDER / "small.mp4", **it), lambda it: self.upload(io.BytesIO(SMALL), **it),
                 lambda it: upload.write(SMALL, **it), lambda it: upload.finish(**it)]
        for call in calls:
            for options in ({"timeout": "1"}, {"cancel": 1}, {"max_attempts": True}, {"time_out": 1}):
                with self.fails(TypeError):
                    call(options)
            for options in ({"timeout": 0}, {"timeout": -1}, {"max_attempts": 0}):
                with self.fails(ValueError):
                    call(options)
        self.assertEqual(upload.offset, 0)
        self.assertEqual(ledger()["requests"], before)

    def test_what_is_neither_a_path_nor_can_be_read_is_refused(self):
        before = ledger()["requests"]
        for source in (None, 1, b"film.mp4", bytearray(SMALL), ["film.mp4"]):
            with self.fails(TypeError):
                self.upload(source)
        for data in (None, 1, "text", [1]):
            with self.fails(TypeError):
                self.open_upload().write(data)
        with self.fails(ValueError):
            self.upload("a\0b")
        with self.fails(TypeError):
            self.client.upload(FOLDER / "small.mp4")
        self.assertEqual(ledger()["requests"], before)

    def test_no_limit_is_asked_for_by_infinity(self):
        never = dict.fromkeys(("stall_timeout", "answer_timeout", "patience", "timeout", "progress_interval"), math.inf)
        for source in (FOLDER / "small.mp4", io.BytesIO(SMALL)):
            self.assert_whole(self.upload(source, **never), SMALL)

    def test_no_text_shows_a_secret(self):
        assets = {name: f"https://example.com/private/s3cret/{name}" for name in ("player", "iframe", "hls", "mp4", "thumbnail")}
        body = json.dumps({"videoId": "vi1", "title": "A", "public": False, "assets": assets})
        with service(reply(201, body)) as url, device(url) as client:
            video = client.upload(FOLDER / "small.mp4", token="toS3cretToken")
            self.assertIs(video.is_public, False)
            self.assertEqual(video.mp4_url, assets["mp4"])
        texts = [repr(video), str(video), repr(client)]
        upload = self.open_upload(token="toS3cretToken")
        upload.write(SMALL)
        with self.assertRaises(apivideo.UnauthorizedError) as raised:
            upload.finish()
        texts += [repr(upload), repr(raised.exception), str(raised.exception), str(vars(raised.exception))]
        error = self.cancelled_in_the_second_part(FOLDER / "large.mp4")
        texts += [repr(error), str(error), error.upload_state]
        for secret in ("s3cret", "toS3cretToken", TOKEN):
            self.assertNotIn(secret, " ".join(texts))

    def test_an_error_is_the_same_after_pickling(self):
        error = self.cancelled_in_the_second_part(FOLDER / "large.mp4")
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(again), vars(again)), (str(error), vars(error)))
        self.assertTrue(again.upload_state)


class Readme(UploadCase):
    def test_its_uploads_work(self):
        blocks = re.findall(r"```python\n(.*?)```", pathlib.Path(__file__).with_name("README.md").read_text(), re.DOTALL)
        blocks = [block for block in blocks if "no_credential" in block]
        self.assertEqual(len(blocks), 3)
        os.link(FOLDER / "large.mp4", FOLDER / "film.mp4")
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(FOLDER)
        names = {**vars(apivideo), "Client": functools.partial(Client, base_url=QUICK, proxy_url=""),
                 "Path": pathlib.Path, "token": TOKEN, "camera": [LARGE[:PART], LARGE[PART:]]}
        for block in blocks:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block, names)
            self.assert_whole(names.pop("video"), LARGE)
        self.assertFalse((FOLDER / "film.mp4.state").exists())


class Leaks(UploadCase):
    def test_nothing_is_lost_in_uploads(self):
        cancel = Cancel()
        cancel.trigger()

        def raises(_):
            raise ZeroDivisionError

        def written():
            with self.client.open_upload(token=TOKEN) as upload:
                upload.write(SMALL)
                upload.finish()

        def left():
            with self.client.open_upload(token=TOKEN, progress=print) as upload:
                upload.write(SMALL)

        def expect(kind, **options):
            with contextlib.suppress(kind):
                self.upload(**options)
                self.fail("it succeeded")

        path = FOLDER / "small.mp4"
        kinds = {
            "file": lambda: self.upload(path, progress=lambda _: None, cancel=Cancel()),
            "source": lambda: self.upload(Pipe(SMALL)),
            "written": written,
            "left": left,
            "cancelled": lambda: expect(apivideo.CancelledError, source=path, cancel=cancel),
            "raised": lambda: expect(ZeroDivisionError, source=path, progress=raises),
            "broken": lambda: expect(EOFError, source=Broken(SMALL, 10)),
            "refused": lambda: expect(ValueError, source=path, part_bytes=1),
        }
        calls = 200
        for name, call in kinds.items():
            with self.subTest(name):
                # What is lost with each call is lost in every round; caches grow in one at most.
                rounds = []
                for _ in range(3):
                    before = in_use()
                    for _ in range(calls):
                        call()
                    rounds.append([after - then for after, then in zip(in_use(), before)])
                malloc, blocks, descriptors = map(min, zip(*rounds))
                self.assertLess(malloc, 16 * calls, "bytes of malloc")
                self.assertLess(blocks, calls // 2, "blocks of Python")
                self.assertLessEqual(descriptors, 0, "descriptors")


if __name__ == "__main__":
    unittest.main()
