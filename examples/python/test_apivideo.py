"""Tests of the wrapper, each named by what it holds, against the stand-ins that
tests/languages/with_local_api.sh starts and against services of their own."""

import contextlib
import copy
import gc
import http.server
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from ctypes import CDLL, Structure, c_size_t
from datetime import datetime, timedelta, timezone

import apivideo
from apivideo import NEVER, Cancel, Client, Outcome, SortBy, SortOrder, TraceLevel

KEY, QUICK, SLOW = (os.environ[f"APIVIDEO_{name}"] for name in ("API_KEY", "BASE_URL", "SLOW_BASE_URL"))
LONG = 20  # seconds, for what comes at once unless something is wrong


def connect(base_url=QUICK, **options):
    return Client(**{"api_key": KEY, "base_url": base_url, "proxy_url": "", **options})


def ledger(base_url=QUICK):
    """What a stand-in tells of what it really did."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(base_url + "/local-api/ledger") as answer:
        return json.load(answer)


@contextlib.contextmanager
def service(answer):
    """A service that does with each request what `answer` does with its handler."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with contextlib.suppress(ConnectionError):  # whoever cancels does not stay for the answer
                answer(self)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(status, body="{}", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


def hang_up(handler):
    handler.close_connection = True


class TestCase(unittest.TestCase):
    @contextlib.contextmanager
    def fails(self, kind, **members):
        with self.assertRaises(kind) as raised:
            yield
        self.assertIs(type(raised.exception), kind)
        for name, value in members.items():
            self.assertEqual(getattr(raised.exception, name), value, name)


class Operations(TestCase):
    def setUp(self):
        self.client = connect()
        self.addCleanup(self.client.close)

    def test_a_token_is_made_listed_looked_up_and_deleted_once(self):
        made = self.client.create(ttl=timedelta(hours=1))
        self.assertEqual(self.client.get(made.id), made)
        newest = self.client.list(page_size=1, sort_by=SortBy.CREATED_AT, sort_order=SortOrder.DESCENDING)
        self.assertEqual(newest.tokens, (made,))
        self.assertIsNone(self.client.delete(made.id))
        gone = {"status": 8, "status_name": "AV_STATUS_NOT_FOUND", "http_status": 404, "attempts": 1,
                "outcome": Outcome.NOT_APPLIED, "is_retryable": False, "retry_after": None}
        with self.fails(apivideo.NotFoundError, **gone):
            self.client.delete(made.id)
        with self.fails(apivideo.NotFoundError, **gone):
            self.client.get(made.id)

    def test_a_token_tells_its_times(self):
        token = self.client.create(ttl=5400)
        self.assertEqual(token.ttl, timedelta(seconds=5400))
        self.assertEqual(token.expires_at - token.created_at, token.ttl)
        self.assertLess(abs(datetime.now(timezone.utc) - token.created_at), timedelta(minutes=5))
        self.assertFalse(token.never_expires)

    def test_a_fraction_of_a_second_is_rounded_up(self):
        for ttl in (timedelta(seconds=1), timedelta(seconds=1, microseconds=1), timedelta(seconds=2)):
            token = self.client.create(ttl=ttl)
            self.assertEqual(token.ttl, timedelta(seconds=math.ceil(ttl.total_seconds())))
            # Before it expires, while another test counts; if it has not.
            with contextlib.suppress(apivideo.NotFoundError):
                self.client.delete(token.id)

    def test_a_token_never_expires_if_that_is_asked_for_by_name(self):
        token = self.client.create(ttl=NEVER)
        self.assertEqual((token.ttl, token.expires_at, token.never_expires), (None, None, True))

    def test_what_is_not_told_or_beyond_a_datetime_is_none(self):
        with service(reply(200, '{"token":"to1"}')) as url, connect(url) as client:
            self.assertEqual(client.get("to1"), apivideo.Token("to1", None, None, None, False))
        body = '{"token":"to1","ttl":1,"createdAt":"9999-12-31T23:59:59Z","expiresAt":"9999-12-31T23:59:59-23:00"}'
        with service(reply(200, body)) as url, connect(url) as client:
            token = client.get("to1")
            self.assertEqual(token.created_at, datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc))
            self.assertIsNone(token.expires_at)
        with service(reply(200, '{"data":[{"token":"to1"}],"pagination":{}}')) as url, connect(url) as client:
            page = client.list()
            self.assertEqual(page.tokens[0].id, "to1")
            self.assertEqual((page.items_total, page.current_page, page.pages_total, page.page_size), (None,) * 4)

    def test_the_repr_of_a_token_does_not_show_it(self):
        token = self.client.create(ttl=3600)
        self.assertNotIn(token.id, repr(token))

    def test_pages_are_told_apart(self):
        made = [self.client.create(ttl=3600) for _ in range(3)]
        page = self.client.list(page=2, page_size=2, sort_by=SortBy.CREATED_AT, sort_order=SortOrder.DESCENDING)
        self.assertEqual(page.tokens[0], made[0])
        self.assertEqual((page.current_page, page.page_size), (2, 2))
        self.assertEqual(page.items_total, len(list(self.client.tokens(page_size=100))))
        self.assertEqual(page.pages_total, math.ceil(page.items_total / 2))
        self.assertEqual(self.client.list(page=1_000_000).tokens, ())

    def test_tokens_are_sorted_as_asked(self):
        for ttl in (7200, 3600, 10800):
            self.client.create(ttl=ttl)
        ends = [t.expires_at for t in self.client.tokens(sort_by=SortBy.TTL, sort_order=SortOrder.ASCENDING) if t.ttl]
        self.assertGreaterEqual(len(set(ends)), 3)
        self.assertEqual(ends, sorted(ends))

    def test_iterating_goes_through_all_pages_from_the_given_one(self):
        made = [self.client.create(ttl=3600) for _ in range(7)]
        everything = list(self.client.tokens(page_size=2))
        self.assertEqual(everything[-7:], made)
        self.assertEqual(list(self.client.tokens(page=2, page_size=2)), everything[2:])

    def test_a_loop_may_be_left_at_any_time(self):
        self.client.create(ttl=3600)
        self.client.create(ttl=3600)
        for token in self.client.tokens(page_size=1):
            break
        self.assertEqual(token, next(self.client.tokens()))


class Errors(TestCase):
    def test_each_status_has_its_class(self):
        answers = [
            (reply(403), apivideo.UnauthorizedError), (reply(404), apivideo.NotFoundError),
            (reply(400), apivideo.RejectedError), (reply(429), apivideo.RateLimitedError),
            (reply(503), apivideo.ServerError), (reply(200, "no JSON"), apivideo.DecodeError),
            (hang_up, apivideo.TransportError),
        ]
        for answer, kind in answers:
            with self.subTest(kind.__name__), service(answer) as url, connect(url, max_attempts=1) as client:
                for call in (client.list, lambda: client.create(ttl=3600), lambda: client.get("a"), lambda: next(client.tokens())):
                    with self.fails(kind):
                        call()
        with self.fails(apivideo.TlsError), connect(QUICK.replace("http:", "https:")) as client:
            client.list()
        with self.fails(apivideo.ConnectError, outcome=Outcome.NOT_APPLIED, http_status=None):
            with connect("http://127.0.0.1:1") as client:
                client.create(ttl=3600)
        with self.fails(apivideo.SourceError, status_name="AV_STATUS_SOURCE"), connect() as client:
            client.upload("/dev/null/missing", token="to1")
        self.assertTrue(issubclass(apivideo.TimedOutError, TimeoutError))

    def test_a_wrong_key_is_unauthorized(self):
        with connect(api_key="wrong") as client:
            with self.fails(apivideo.UnauthorizedError, http_status=401):
                client.list()

    def test_what_the_library_refuses_is_a_value_error(self):
        with connect() as client:
            for call in (lambda: client.list(page_size=101), lambda: client.get(""), lambda: next(client.tokens(page_size=101))):
                with self.fails(apivideo.InvalidArgumentError, status=1, attempts=0):
                    call()
        self.assertTrue(issubclass(apivideo.InvalidArgumentError, ValueError))
        for options in ({"api_key": None}, {"access_token": "b"}, {"base_url": "http://example.com"}):
            with self.fails(apivideo.InvalidArgumentError):
                connect(**options)

    def test_a_status_of_a_later_library_is_the_general_error(self):
        with self.fails(apivideo.ApiVideoError, status=99, outcome=Outcome.UNKNOWN, retry_after=None):
            raise apivideo._read_error(99, None)

    def test_problems_are_told_in_the_services_words(self):
        body = """{"type":"t","title":"Two are wrong.","name":"a",
                   "problems":[{"title":"A","name":"a"},{"title":"\\u00e9","name":"b","detail":"Too much."}]}"""
        with service(reply(400, body)) as url, connect(url) as client:
            problems = (apivideo.Problem(None, "A", None, "a"), apivideo.Problem(None, "é", "Too much.", "b"))
            whole = apivideo.Problem("t", "Two are wrong.", None, "a")
            with self.fails(apivideo.RejectedError, problem=whole, problems=problems):
                client.create(ttl=3600)

    def test_a_rate_limit_tells_how_long_to_wait(self):
        with service(reply(429, Retry_After="7")) as url, connect(url, max_attempts=1) as client:
            with self.fails(apivideo.RateLimitedError, retry_after=timedelta(seconds=7), is_retryable=True):
                client.create(ttl=3600)

    def test_the_outcome_after_a_lost_answer(self):
        def half(handler):
            handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
            handler.close_connection = True

        for answer, outcome in ((hang_up, Outcome.UNKNOWN), (half, Outcome.APPLIED)):
            with service(answer) as url, connect(url) as client:
                with self.fails(apivideo.TransportError, outcome=outcome, is_retryable=False):
                    client.create(ttl=3600)

    def test_an_error_is_the_same_after_pickling(self):
        with connect() as client, self.assertRaises(apivideo.NotFoundError) as raised:
            client.get("missing")
        again = pickle.loads(pickle.dumps(raised.exception))
        self.assertIs(type(again), apivideo.NotFoundError)
        self.assertEqual((str(again), vars(again)), (str(raised.exception), vars(raised.exception)))
        self.assertIn("404", str(again))


class Arguments(TestCase):
    def setUp(self):
        self.client = connect()
        self.addCleanup(self.client.close)
        self.requests = ledger()["requests"]

    def tearDown(self):
        self.assertEqual(ledger()["requests"], self.requests, "something was sent")

    def refused(self, kind, call, *values, **options):
        for value in values:
            with self.subTest(value=value), self.fails(kind):
                call(value)

    def test_no_token_is_made_whose_ttl_is_missing_odd_or_rounds_to_0(self):
        for options in ({}, {"ttl": None}, {"timeout": 1}, {"ttl_seconds": 60}, {"ttl": 60, "ttlSeconds": 60}):
            self.refused(TypeError, lambda value: self.client.create(**value), options)
        self.refused(TypeError, lambda value: self.client.create(value), 3600, timedelta(hours=1), NEVER, {"ttl": 60})
        create = lambda ttl: self.client.create(ttl=ttl)
        self.refused(ValueError, create, 0, -1, 2**31, 2**32, 2**32 + 5, -(2**32) + 5, 2**64 + 5)
        self.refused(ValueError, create, timedelta(0), timedelta(seconds=-1), timedelta(seconds=2**32 + 5),
                     timedelta(microseconds=1), timedelta(milliseconds=400), timedelta(microseconds=999_999),
                     timedelta(seconds=2**31 - 1, microseconds=1), timedelta.min, timedelta.max)
        self.refused(TypeError, create, True, False, 0.4, 1.0, math.nan, math.inf, "1", "never", b"1", [1], {"seconds": 1})

    def test_options_that_nobody_knows_are_refused(self):
        calls = [lambda options: connect(**options), lambda options: self.client.list(**options),
                 lambda options: self.client.tokens(**options), lambda options: self.client.get("a", **options),
                 lambda options: self.client.delete("a", **options)]
        for call in calls:
            self.refused(TypeError, call, {"currentPage": 2}, {"pageSize": 2}, {"ttl": 60}, {"timeout_ms": 60})
        for call in (self.client.list, self.client.tokens, Client, lambda value: self.client.get("a", value),
                     lambda value: self.client.delete("a", value)):
            self.refused(TypeError, call, 2, "demo", {"page": 2})

    def test_numbers_are_whole_and_in_range(self):
        for name in ("page", "page_size", "max_attempts"):
            for method in (self.client.list, self.client.tokens):
                self.refused(ValueError, lambda value: method(**{name: value}), 0, -1, 2**32, 2**32 + 1)
                self.refused(TypeError, lambda value: method(**{name: value}), True, 1.0, math.nan, "1")

    def test_times_are_above_zero_and_in_range(self):
        calls = [lambda value: self.client.list(timeout=value)]
        calls += [lambda value, name=name: connect(**{name: value}).close()
                  for name in ("timeout", "connect_timeout", "attempt_timeout")]
        for call in calls:
            self.refused(ValueError, call, 0, -1, -math.inf, math.nan, 2**32 / 1000, 2**32, 10**400, timedelta(0),
                         timedelta(seconds=-1), timedelta.max)
            self.refused(TypeError, call, True, "1", [])
        for name in ("timeout", "connect_timeout", "attempt_timeout"):
            for value in (1, 1e-9, 4294967, math.inf, timedelta(milliseconds=1)):
                connect(**{name: value}).close()

    def test_milliseconds_are_rounded_up(self):
        for value, milliseconds in ((1e-9, 1), (1.0001, 1001), (2, 2000), (timedelta(microseconds=1), 1), (None, 0)):
            self.assertEqual(apivideo._milliseconds("timeout", value), milliseconds)
        self.assertEqual(apivideo._milliseconds("timeout", math.inf), 2**32 - 1)

    def test_a_nul_or_a_lone_surrogate_in_a_string_is_refused(self):
        for call in (self.client.get, self.client.delete):
            self.refused(ValueError, call, "to\0 1", "\0")
            self.refused(UnicodeEncodeError, call, "\udc80")
            self.refused(TypeError, call, None, b"to1", 1)
        names = ("api_key", "access_token", "base_url", "app_name", "app_version", "sdk_name", "sdk_version", "ca_file",
                 "proxy_url")
        for name in names:
            self.refused(ValueError, lambda value: connect(**{name: value}), "a\0b")
            self.refused(TypeError, lambda value: connect(**{name: value}), b"a", 1)

    def test_other_kinds_of_arguments_are_refused(self):
        self.refused(TypeError, lambda value: self.client.list(sort_by=value), 1, "ttl", SortOrder.ASCENDING)
        self.refused(TypeError, lambda value: self.client.list(sort_order=value), 1, "asc", SortBy.TTL)
        self.refused(TypeError, lambda value: self.client.list(cancel=value), 1, threading.Event())
        self.refused(TypeError, lambda value: connect(trace=value), 1)
        for trace in (print, None):
            self.refused(TypeError, lambda value: connect(trace=trace, trace_level=value), 2, True, "info", None)
        self.refused(TypeError, lambda value: connect(allow_plain_http=value), 1, 0, "no", "", None)

    def test_a_client_and_a_cancel_cannot_be_copied(self):
        for owner in (self.client, Cancel()):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.fails(TypeError):
                    duplicate(owner)


class Configuration(TestCase):
    def test_every_member_reaches_the_service_or_the_library(self):
        seen = []

        def answer(handler):
            seen.append(handler.headers)
            reply(200, '{"token":"to1"}')(handler)

        options = {"app_name": "my-app", "app_version": "1.2.3", "sdk_name": "my-sdk", "sdk_version": "4.5"}
        with service(answer) as url, connect(url, **options) as client:
            client.get("to1")
        everything = " ".join(f"{name}: {value}" for name, value in seen[0].items())
        for value in options.values():
            self.assertIn(value, everything)
        with service(answer) as url, connect(url, api_key=None, access_token="secret") as client:
            client.get("to1")
        self.assertEqual(seen[1]["Authorization"], "Bearer secret")
        with service(answer) as url, connect("http://example.com", allow_plain_http=True, proxy_url=url) as client:
            with self.assertRaises(apivideo.ApiVideoError) as raised:
                client.get("to1")  # by CONNECT, which this service does not know
        self.assertEqual(raised.exception.status_name, "AV_STATUS_CONNECT")
        with self.fails(apivideo.InvalidArgumentError) as _:
            connect(ca_file="/dev/null/missing")

    def test_attempts_are_as_many_as_asked(self):
        with service(reply(503)) as url, connect(url, max_attempts=2) as client:
            for expected, options in ((2, {}), (1, {"max_attempts": 1})):
                with self.fails(apivideo.ServerError, attempts=expected):
                    client.list(**options)
                with self.fails(apivideo.ServerError, attempts=expected):
                    next(client.tokens(**options))

    def test_the_library_is_looked_for_and_checked_at_import(self):
        def import_with(library):
            environment = {**os.environ, "APIVIDEO_LIBRARY": library}
            command = [sys.executable, "-B", "-c", "import apivideo; print(apivideo.LIBRARY_VERSION)"]
            return subprocess.run(command, env=environment, capture_output=True, text=True)

        self.assertEqual(import_with("").stdout, apivideo.LIBRARY_VERSION + "\n")
        self.assertEqual(import_with("libapivideo.so").stdout, apivideo.LIBRARY_VERSION + "\n")
        for library in ("libmissing.so", "libc.so.6"):
            self.assertIn("\nImportError: ", import_with(library).stderr)

    def test_the_library_is_called_as_each_platform_calls_it(self):
        names = {platform: apivideo._library_name(platform) for platform in ("linux", "freebsd14", "darwin", "win32")}
        self.assertEqual(names, {
            "linux": "libapivideo.so.0.1", "freebsd14": "libapivideo.so.0.1", "darwin": "libapivideo.0.1.dylib",
            "win32": "apivideo.dll",
        })

    def test_another_abi_is_refused(self):
        script = """import ctypes
class Other:
    def __init__(self, *_):
        self.av_library_version = lambda: b"0.10.0"
ctypes.CDLL = Other
import apivideo"""
        command = [sys.executable, "-B", "-c", script]
        self.assertIn("written for 0.1", subprocess.run(command, capture_output=True, text=True).stderr)

    def test_a_client_that_is_not_closed_is_quiet_at_exit(self):
        script = "import apivideo, sys\nclient = apivideo.Client(api_key='a', trace=print)\nc = apivideo.Cancel()\nsys.keep = client, c"
        ended = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))


class Cancelling(TestCase):
    def test_a_triggered_cancel_ends_every_call_before_anything_is_sent(self):
        cancel = Cancel()
        cancel.trigger()
        cancel.trigger()
        before = ledger()["requests"]
        with connect() as client:
            for call in every_call(client):
                with self.fails(apivideo.CancelledError, outcome=Outcome.NOT_APPLIED, attempts=0):
                    call(cancel=cancel)
        self.assertEqual(ledger()["requests"], before)

    def test_a_call_is_cancelled_from_another_thread(self):
        arrived, end = threading.Semaphore(0), threading.Event()

        def answer(handler):
            arrived.release()
            end.wait(LONG)
            handler.close_connection = True

        outcomes = [Outcome.UNKNOWN, Outcome.NOT_APPLIED, Outcome.NOT_APPLIED, Outcome.NOT_APPLIED, Outcome.UNKNOWN]
        with service(answer) as url, connect(url, timeout=LONG) as client, ThreadPoolExecutor() as threads:
            for call, outcome in zip(every_call(client), outcomes):
                cancel = Cancel()
                ended = threads.submit(call, cancel=cancel)
                self.assertTrue(arrived.acquire(timeout=LONG))
                cancel.trigger()
                with self.fails(apivideo.CancelledError, outcome=outcome, is_retryable=False):
                    ended.result()
            end.set()

    def test_one_cancel_ends_many_calls(self):
        arrived, end = threading.Semaphore(0), threading.Event()

        def answer(handler):
            arrived.release()
            end.wait(LONG)

        cancel = Cancel()
        with service(answer) as url, connect(url, timeout=LONG) as client, ThreadPoolExecutor(8) as threads:
            calls = [threads.submit(client.get, "to1", cancel=cancel) for _ in range(8)]
            for _ in calls:
                self.assertTrue(arrived.acquire(timeout=LONG))
            cancel.trigger()
            for call in calls:
                with self.fails(apivideo.CancelledError):
                    call.result()
            end.set()

    def test_an_iteration_holds_its_cancel(self):
        with connect() as client:
            client.create(ttl=3600)
            tokens = client.tokens(cancel=Cancel())
            gc.collect()
            self.assertTrue(next(tokens).id)

    def test_outcomes_are_true_when_cancelling_races_completion(self):
        tries = 600
        with connect() as client, ThreadPoolExecutor(1) as thread:
            began = time.perf_counter()
            for _ in range(50):
                client.create(ttl=3600)
            usual = (time.perf_counter() - began) / 50
            before = ledger()["created"]
            counts = {"completed": 0, **dict.fromkeys(Outcome, 0)}
            for number in range(tries):
                cancel, begins = Cancel(), threading.Event()

                def call():
                    begins.set()
                    return client.create(ttl=3600, cancel=cancel)

                ended = thread.submit(call)
                begins.wait(LONG)
                until = time.perf_counter() + 2 * usual * number / tries
                while time.perf_counter() < until:
                    time.sleep(0)
                cancel.trigger()
                try:
                    ended.result()
                    counts["completed"] += 1
                except apivideo.CancelledError as error:
                    counts[error.outcome] += 1
            made = ledger()["created"] - before
        self.assertEqual(sum(counts.values()), tries)
        self.assertTrue(0 < counts["completed"] < tries, "there was no race")
        surely = counts["completed"] + counts[Outcome.APPLIED]
        self.assertTrue(surely <= made <= surely + counts[Outcome.UNKNOWN], f"{made} were made: {counts}")

    def test_the_time_of_a_call_or_of_its_client_runs_out(self):
        with connect(SLOW, timeout=math.inf) as client:
            for timeout in (0.02, timedelta(milliseconds=20)):
                for call in every_call(client)[1:4]:
                    with self.fails(apivideo.TimedOutError, status=5, outcome=Outcome.NOT_APPLIED):
                        call(timeout=timeout)
            with self.fails(apivideo.TimedOutError, outcome=Outcome.UNKNOWN):
                client.create(ttl=3600, timeout=2)
        with connect(SLOW, timeout=0.02) as client, self.fails(apivideo.TimedOutError):
            client.get("to1")


def every_call(client):
    return [
        lambda **options: client.create(ttl=3600, **options),
        lambda **options: client.get("to1", **options),
        client.list,
        lambda **options: next(client.tokens(**options)),
        lambda **options: client.delete("to1", **options),
    ]


class Threads(TestCase):
    def test_other_threads_go_on_during_a_call(self):
        # Everything here is one process: if a call kept the GIL, its service could not answer it.
        with service(reply(200, '{"token":"to1","data":[{"token":"to1"}],"pagination":{}}')) as url:
            with connect(url, timeout=LONG, max_attempts=1) as client:
                for call in every_call(client):
                    call()

    def test_threads_share_a_client(self):
        def work(ttl):
            for _ in range(25):
                token = client.create(ttl=ttl)
                self.assertEqual(token.ttl, timedelta(seconds=ttl))
                self.assertEqual(client.get(token.id), token)
                client.delete(token.id)

        with connect() as client, ThreadPoolExecutor(12) as threads:
            for ended in [threads.submit(work, ttl) for ttl in range(3600, 3612)]:
                ended.result()

    def test_a_closed_client_refuses_calls(self):
        client = connect()
        client.create(ttl=3600)
        begun = client.tokens(page_size=1)
        client.close()
        client.close()
        before = ledger()["requests"]
        for call in every_call(client):
            with self.fails(apivideo.ClosedError):
                call()
        self.assertEqual(ledger()["requests"], before)
        self.assertTrue(next(begun).id, "an iteration under way goes on")

    def frees(self):
        """Is told of each client that is freed."""
        freed, real = [], apivideo._library.av_client_free
        apivideo._library.av_client_free = lambda handle: (freed.append(handle), real(handle))
        self.addCleanup(setattr, apivideo._library, "av_client_free", real)
        return freed

    def test_a_call_under_way_outlives_its_client(self):
        arrived, closed, lines, freed = threading.Event(), threading.Event(), [], self.frees()

        def answer(handler):
            arrived.set()
            closed.wait(LONG)
            reply(200, '{"token":"to1"}')(handler)

        with service(answer) as url, ThreadPoolExecutor(1) as thread:
            client = connect(url, trace=lambda level, line: lines.append(line))
            ended = thread.submit(client.get, "to1")
            self.assertTrue(arrived.wait(LONG))
            client.close()
            with self.fails(apivideo.ClosedError):
                client.get("to1")
            self.assertEqual(len(freed), 0)
            del client
            gc.collect()
            closed.set()
            self.assertEqual(ended.result().id, "to1")
        self.assertTrue(lines)
        self.assertEqual(len(freed), 1)

    def test_closing_races_calls(self):
        freed = self.frees()

        def work(client, begun):
            with self.assertRaises(apivideo.ClosedError):
                while True:
                    with contextlib.suppress(apivideo.NotFoundError):
                        client.get("to1")
                    begun.release()

        with ThreadPoolExecutor(4) as threads:
            for number in range(1, 101):
                client, begun = connect(), threading.Semaphore(0)
                ended = [threads.submit(work, client, begun) for _ in range(4)]
                for _ in ended:
                    self.assertTrue(begun.acquire(timeout=LONG))
                client.close()
                for each in ended:
                    each.result()
                self.assertEqual(len(freed), number)

    def test_a_client_is_freed_once_though_errors_and_iterations_are_kept(self):
        freed = self.frees()
        client = connect()
        with self.assertRaises(apivideo.NotFoundError) as kept:
            client.get("missing")
        tokens = client.tokens()
        client.close()
        client.close()
        self.assertEqual(len(freed), 1)
        self.assertIsNotNone(kept.exception)
        tokens.close()

    def test_a_client_that_is_not_closed_is_freed_when_it_is_collected(self):
        freed = self.frees()
        connect()
        gc.collect()
        self.assertEqual(len(freed), 1)

    def test_a_forked_child_uses_and_closes_the_client(self):
        arrived, end = threading.Event(), threading.Event()

        def answer(handler):
            if not arrived.is_set():
                arrived.set()
                end.wait(LONG)
            reply(200, '{"token":"to1"}')(handler)

        with service(answer) as url, connect(url) as client, ThreadPoolExecutor(1) as thread:
            ended = thread.submit(client.get, "to1")
            self.assertTrue(arrived.wait(LONG))
            child = os.fork()
            if child == 0:
                try:
                    client.get("to1", timeout=LONG)
                    client.close()
                    os._exit(0)
                finally:
                    os._exit(1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            end.set()
            self.assertEqual(ended.result().id, "to1")

    def test_an_interrupt_is_told_after_a_call_and_frees_what_it_made(self):
        def answer(handler):
            os.kill(os.getpid(), signal.SIGINT)
            reply(200, '{"token":"to1"}')(handler)

        # Where this process was started to ignore it, as by nohup, Python leaves it so.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        freed = self.frees()
        # The handler runs between two of Python's own steps, which may be in the next call.
        with self.assertRaises(KeyboardInterrupt), service(answer) as url, connect(url) as client:
            for _ in range(1000):
                client.get("to1")
        gc.collect()
        self.assertEqual(len(freed), 1)


class Tracing(TestCase):
    def test_a_trace_is_told_of_each_attempt_on_the_callers_thread(self):
        lines = []
        trace = lambda level, line: lines.append((level, line, threading.get_ident()))
        with connect(trace=trace) as client:
            client.list()
            gc.collect()
            client.list()
        self.assertGreaterEqual(len(lines), 2)
        for level, line, thread in lines:
            self.assertEqual((level, thread), (TraceLevel.INFO, threading.get_ident()))
            self.assertIn("GET /upload-tokens", line)

    def test_its_level_tells_how_much(self):
        counts = []
        for level in TraceLevel:
            lines = []
            with connect(trace=lambda *line: lines.append(line), trace_level=level) as client:
                client.list()
            counts.append(len(lines))
        self.assertEqual(counts[0], 0)
        self.assertTrue(0 < counts[1] < counts[2], counts)

    def test_what_a_trace_raises_is_told_and_the_call_goes_on(self):
        def trace(level, line):
            raise ZeroDivisionError(line)

        told = []
        hook, sys.unraisablehook = sys.unraisablehook, lambda args: told.append(args.exc_type)
        self.addCleanup(setattr, sys, "unraisablehook", hook)
        with connect(trace=trace) as client:
            self.assertTrue(client.create(ttl=3600).id)
        self.assertEqual(set(told), {ZeroDivisionError})

    def test_a_trace_may_make_calls(self):
        inner = []
        with connect() as other:
            with connect(trace=lambda *_: inner.append(other.list())) as client:
                client.list()
        self.assertTrue(inner)


class Leaks(TestCase):
    def test_nothing_is_lost_in_thirty_thousand_calls(self):
        cancel = Cancel()
        cancel.trigger()

        def expect(kind, call, *arguments, **options):
            with contextlib.suppress(kind):
                call(*arguments, **options)
                self.fail("it succeeded")

        def closed():
            own = Cancel()
            own.trigger()
            with connect(trace=print, trace_level=TraceLevel.ERROR) as client:
                expect(apivideo.CancelledError, client.get, "to1", cancel=own)

        with connect() as client:
            token = client.create(ttl=3600).id
            client.create(ttl=3600)
            kinds = {
                "get": lambda: client.get(token),
                "create and delete": lambda: client.delete(client.create(ttl=3600).id),
                "list": lambda: client.list(page_size=5),
                "iterate": lambda: [token for token, _ in zip(client.tokens(page_size=5), range(6))],
                "left": lambda: next(client.tokens(page_size=1)),
                "missing": lambda: expect(apivideo.NotFoundError, client.get, "missing"),
                "cancelled": lambda: expect(apivideo.CancelledError, client.list, cancel=cancel),
                "refused": lambda: expect(apivideo.InvalidArgumentError, lambda: next(client.tokens(page_size=101))),
                "NUL": lambda: expect(ValueError, client.get, "\0"),
                "closed": closed,
            }
            calls = 1000
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


class MallocInfo(Structure):
    _fields_ = [(name, c_size_t) for name in (
        "arena", "free_blocks", "fast_blocks", "mapped_blocks", "mapped_bytes", "unused", "fast_bytes", "bytes_in_use",
        "bytes_free", "top")]


mallinfo2 = CDLL("libc.so.6").mallinfo2
mallinfo2.restype = MallocInfo


def in_use():
    """What malloc has handed out, to the library and to Python; what Python has; and descriptors."""
    gc.collect()
    info = mallinfo2()
    return info.bytes_in_use + info.mapped_bytes, sys.getallocatedblocks(), len(os.listdir("/proc/self/fd"))


if __name__ == "__main__":
    unittest.main()
