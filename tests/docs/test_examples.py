#!/usr/bin/env python3
"""Each example of the reference compiles, as C11 and as C++17, and does what it says against the
stand-in service. Run by `make test-docs`, which sets LIB, the directory of libapivideo.so, OUT, where
to build, and LOCAL_API, the stand-in service. For another platform COMPILER is what compiles for it and RUNNER
what runs its programs, and LEFT_OUT names the examples that it cannot have."""

import hashlib
import json
import os
import re
import socketserver
import subprocess
import threading
import unittest
from pathlib import Path
from socket import create_connection
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent.parent
COMPILER = os.environ.get("COMPILER", "cc")
RUNNER = os.environ.get("RUNNER", "").split()
LEFT_OUT = os.environ.get("LEFT_OUT", "").split()
EXAMPLES = sorted((ROOT / "examples/c/concepts").glob("*.c"))
PROGRAMS = [ROOT / "examples/c/record_and_upload.c"]
LIB, OUT = Path(os.environ["LIB"]).resolve(), Path(os.environ["OUT"]).resolve()
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT / 'include'}", "-pthread"]
LINK = [f"-L{LIB}", "-lapivideo", f"-Wl,-rpath,{LIB}"]
TOKEN = r"to\w{22}"


class Service:
    """A stand-in service, for the length of a test."""

    def __init__(self, test, *arguments):
        command = [os.environ["LOCAL_API"], "--api-key", "demo", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        self.url = self.process.stdout.readline().strip()  # which is there when it is ready

    def token(self):
        """A token, made however often that fails."""
        while (made := self.run("create")).returncode != 0:
            pass
        return made.stdout.strip()

    def end(self):
        self.process.terminate()
        self.process.communicate()

    def uploads(self):
        """The service's account of what was uploaded."""
        with build_opener(ProxyHandler({})).open(f"{self.url}/local-api/ledger") as answer:
            return json.load(answer)["uploads"]

    def run(self, example, *arguments, key="demo", stdin=None, environment=None):
        """What an example prints, both streams, and how it ends."""
        return subprocess.run(
            [*RUNNER, OUT / example, *arguments],
            # The machine's own proxy would lead elsewhere.
            env={"APIVIDEO_API_KEY": key, "APIVIDEO_BASE_URL": self.url, **(environment or {})},
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that goes where CONNECT tells it to, and keeps in mind where that was."""

    daemon_threads = True

    def __init__(self, test):
        super().__init__(("127.0.0.1", 0), ProxyConnection)
        test.addCleanup(self.server_close)
        test.addCleanup(self.shutdown)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked_for = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ProxyConnection(socketserver.StreamRequestHandler):
    def handle(self):
        method, target, _ = self.rfile.readline().decode().split()
        self.server.asked_for.append((method, target))
        while self.rfile.readline().strip():
            pass
        with create_connection(target.split(":")) as other:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pass_on, args=(other, self.connection), daemon=True).start()
            pass_on(self.connection, other)


def pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass  # the other direction has ended


class Compiled(unittest.TestCase):
    def test_each_example_compiles_as_cxx_too(self):
        for example in EXAMPLES:
            # `= {0}` is what C has for C++'s `= {}`.
            flags = [*FLAGS, "-Wno-missing-field-initializers", "-fsyntax-only"]
            command = ["c++", "-std=c++17", *flags, "-x", "c++", example]
            self.assertEqual(compiled(command), "", example.name)

    def test_each_example_is_short(self):
        self.assertGreater(len(EXAMPLES), 10)
        for example in EXAMPLES:
            lines = example.read_text().splitlines()
            self.assertLessEqual(len(lines), 60, example.name)
            self.assertLessEqual(max(map(len, lines)), 76, example.name)

    def test_each_example_is_run(self):
        runs = re.findall(r'(?:\.run\(|record\(service, )"(\w+)"', Path(__file__).read_text())
        self.assertEqual({it.stem for it in [*EXAMPLES, *PROGRAMS]} - set(runs), set())


class Run(unittest.TestCase):
    def setUp(self):
        if self.id().partition(".test_")[2] in LEFT_OUT:
            self.skipTest("left out")

    def assert_ended(self, ended, code, pattern):
        """It ended so, and all that it printed was what the pattern says."""
        self.assertRegex(ended.stdout + ended.stderr, rf"\A{pattern}\Z")
        self.assertEqual(ended.returncode, code)

    def test_create(self):
        service = Service(self)
        self.assert_ended(service.run("create"), 0, rf"{TOKEN}\n")
        self.assert_ended(service.run("create", key="wrong"), 1, ".* 401 .*\n")

    def test_look_up(self):
        service = Service(self)
        token = service.run("create").stdout.strip()
        self.assert_ended(service.run("look_up", token), 0, r"active until \w+ \w+ .*\n")
        self.assert_ended(service.run("look_up", "no-such"), 1, "not active.*\n")
        self.assert_ended(service.run("look_up"), 1, "invalid argument: token .*\n")

    def test_list(self):
        service = Service(self, "--seed", "12")
        newest = service.run("create").stdout
        self.assert_ended(service.run("list"), 0, rf"10 of 13 tokens\n{newest}({TOKEN}\n){{9}}")

    def test_iterate(self):
        service = Service(self, "--seed", "120")
        newest = service.run("create").stdout
        ended = service.run("iterate")
        self.assert_ended(ended, 0, rf"({TOKEN}\n){{120}}{newest}")
        self.assertEqual(len(set(ended.stdout.split())), 121)

    def test_collect(self):
        service = Service(self, "--seed", "120")
        before = service.run("iterate").stdout.split()
        ended = service.run("collect")
        count = re.search(r"deleted (\d+) of 120\n", ended.stdout)
        self.assert_ended(ended, 0, r"deleted \d+ of 120\n100 of 120\n")
        self.assertGreater(int(count[1]), 0)
        left = service.run("iterate").stdout.split()
        self.assertEqual(len(left), 120 - int(count[1]))
        self.assertLess(set(left), set(before))
        self.assertRegex(service.run("collect").stdout, r"\Adeleted 0 of \d+\n\Z")

    def test_delete(self):
        service = Service(self)
        token = service.run("create").stdout.strip()
        self.assert_ended(service.run("delete", token, token), 0, "deleted\ngone already\n")

    def test_errors(self):
        told = (
            "POST /upload-tokens: 400 .*\n"
            "status: AV_STATUS_REJECTED\noutcome: AV_OUTCOME_NOT_APPLIED\n"
            "try again: no\nwait: -1 ms\nHTTP status: 400\n"
            "title: .*\ndetail: .*\nproblem: ttl: .*\n"
        )
        self.assert_ended(Service(self).run("errors"), 1, told)

    def test_outcome(self):
        service = Service(self)
        self.assert_ended(service.run("outcome"), 0, rf"made {TOKEN}\n")
        self.assert_ended(service.run("outcome", key="wrong"), 1, ".*\nnothing was made: .*\n")

    def test_outcome_of_a_lost_answer(self):
        # Which answers are lost is up to the seed. Wanted: that to the create, but not the list.
        for seed in range(30):
            service = Service(self, "--drop-rate", "50", "--random-seed", str(seed))
            ended = service.run("outcome")
            if "it may be" in ended.stdout:
                break
        self.assert_ended(ended, 1, rf".*\nit may be {TOKEN}\n")

    def test_cancel(self):
        service = Service(self, "--latency-ms", "60000")  # Enter comes first
        self.assert_ended(service.run("cancel"), 1, r"cancelled: AV_OUTCOME_\w+\n")

    def test_deadline(self):
        self.assert_ended(Service(self, "--seed", "2").run("deadline"), 0, "2 tokens\n")
        slow = Service(self, "--latency-ms", "60000")
        self.assert_ended(slow.run("deadline"), 1, "too late: .*\n")

    def test_response(self):
        told = (
            "HTTP status: 200\nattempts: 1\ntype: application/json\n"
            r"requests left: 9 of 10, anew in \d+ s\n"
        )
        self.assert_ended(Service(self, "--rate-limit", "10").run("response"), 0, told)

    def test_trace(self):
        told = rf"{TOKEN}\napivideo info: POST /upload-tokens: attempt 1: .*\n"
        self.assert_ended(Service(self).run("trace"), 0, told)

    def test_proxy(self):
        authority = OUT / "authority.pem"
        service = Service(self, "--seed", "3", "--tls", "--tls-ca-file", authority)
        proxy = Proxy(self)
        self.assert_ended(service.run("proxy", proxy.url, authority), 0, "3 tokens\n")
        self.assertEqual(proxy.asked_for, [("CONNECT", service.url.removeprefix("https://"))])
        self.assert_ended(service.run("proxy", proxy.url), 1, "not trusted: .*\n")
        nowhere = service.run("proxy", "http://127.0.0.1:1", authority)
        self.assert_ended(nowhere, 1, "no way there: .*\n")

    def test_json(self):
        service = Service(self)
        token = service.run("create").stdout.strip()
        ended = service.run("json", token)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        made, listed, found = map(json.loads, ended.stdout.splitlines())
        self.assertEqual(made["ttl"], 3600)
        self.assertEqual({it["token"] for it in listed["data"]}, {token, made["token"]})
        self.assertEqual(found["token"], token)

    def test_threads(self):
        ended = Service(self).run("threads")
        self.assert_ended(ended, 0, rf"({TOKEN}\n){{4}}")
        self.assertEqual(len(set(ended.stdout.split())), 4)

    def test_fork(self):
        told = rf"the parent made {TOKEN}\nthe child made {TOKEN}\n"
        self.assert_ended(Service(self).run("fork"), 0, told)

    def test_upload(self):
        service = Service(self)
        film = OUT / "film.mp4"
        film.write_bytes(bytes(1000))
        told = r"(0 of 1000 bytes\n)+1000 of 1000 bytes\nvi\w{22} is whole\n"
        token = service.run("create").stdout.strip()
        self.assert_ended(service.run("upload", token, film), 0, told)
        self.assert_ended(service.run("upload", "wrong", film), 1, r"(0 of .*\n)+.* 401 .*\n")
        self.assert_ended(service.run("upload"), 1, "invalid argument: path must not be NULL.*\n")

    def test_resume(self):
        film, state = OUT / "long.mp4", OUT / "state"
        film.write_bytes(bytes(11 << 20))
        state.unlink(missing_ok=True)
        service = Service(self)
        token = service.run("create").stdout.strip()
        self.assert_ended(service.run("resume", token, film, state), 0, r"vi\w{22} is whole\n")
        self.assertFalse(state.exists())
        # With one part in two seconds it can be ended between two of them.
        service = Service(self, "--upload-rate-limit", "1/2")
        token = service.run("create").stdout.strip()
        environment = {"APIVIDEO_BASE_URL": service.url}
        with subprocess.Popen([*RUNNER, OUT / "resume", token, film, state], env=environment) as process:
            while not state.exists() or not state.read_text():
                self.assertIsNone(process.poll())
            process.kill()
        self.assert_ended(service.run("resume", token, film, state), 0, r"vi\w{22} is whole\n")
        [video] = service.uploads()["videos"]
        self.assertEqual([it["received"] for it in video["parts"]], [1, 1, 1])

    def test_resume_keeps_no_state_that_holds_no_more(self):
        film, state = OUT / "changing.mp4", OUT / "state of changing.mp4"
        film.write_bytes(bytes(11 << 20))
        state.unlink(missing_ok=True)
        service = Service(self, "--upload-rate-limit", "1/2")
        token = service.run("create").stdout.strip()
        command, environment = [*RUNNER, OUT / "resume", token, film, state], {"APIVIDEO_BASE_URL": service.url}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            while not state.exists() or not state.read_text():
                self.assertIsNone(process.poll())
            with film.open("ab") as file:
                file.write(b"more")
            self.assertIn("changed", process.communicate()[1])
        self.assertEqual(process.returncode, 1)
        self.assertFalse(state.exists())

    def test_record(self):
        for data in [transport_stream(3), transport_stream(13 << 20)]:
            service = Service(self)
            token = service.run("create").stdout.strip()
            self.assert_ended(record(service, "record", data, token), 0, r"vi\w{22} is whole\n")
            self.assert_uploaded(service, data)
        self.assert_ended(service.run("record", token), 1, ".*nothing was written.*\n")

    def test_record_and_upload(self):
        data = transport_stream(30 << 20)
        service = Service(self)
        token = service.run("create").stdout.strip()
        ended = record(service, "record_and_upload", data, "A film", token=token)
        self.assert_ended(ended, 0, rf"vi\w{{22}} is whole: {len(data)} bytes\n(.|\n)*bytes are there.*")
        video = self.assert_uploaded(service, data)
        self.assertEqual(video["title"], "A film")
        # The first, which alone tells the video's id, then what three threads send, then the last.
        self.assertEqual([it["bytes"] >> 20 for it in video["parts"]], [5, 8, 8, 8, 1])

    def test_record_and_upload_outlives_failures_of_the_service(self):
        data = transport_stream(30 << 20)
        service = Service(self, "--fail-rate", "30", "--random-seed", "7")
        token = service.token()
        ended = record(service, "record_and_upload", data, token=token)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assert_uploaded(service, data)

    def assert_uploaded(self, service, data):
        """All of it is there, in one video."""
        videos = [it for it in service.uploads()["videos"] if it["whole"]]
        self.assertEqual([it["sha256"] for it in videos], [hashlib.sha256(data).hexdigest()])
        return videos[0]


def transport_stream(length):
    """So many bytes that look like MPEG-TS: packets of 188 bytes, numbered."""
    packets = (b"\x47" + number.to_bytes(7, "big") + bytes(180) for number in range(length // 188 + 1))
    return b"".join(packets)[:length]


def record(service, example, data, *arguments, token=""):
    """Runs an example that is fed with the data through a pipe."""
    read, write = os.pipe()
    with open(read, "rb") as end, open(write, "wb") as feed:
        feeding = threading.Thread(target=lambda: (feed.write(data), feed.close()))
        feeding.start()
        ended = service.run(example, *arguments, stdin=end, environment={"APIVIDEO_UPLOAD_TOKEN": token})
        feeding.join()
        return ended


def compiled(command):
    """What the compiler complains about."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stderr
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is missing: tests/setup.sh installs it") from None


def setUpModule():
    OUT.mkdir(parents=True, exist_ok=True)
    for example in [*EXAMPLES, *PROGRAMS]:
        if example.stem not in LEFT_OUT:
            complaint = compiled([COMPILER, "-std=c11", *FLAGS, "-o", OUT / example.stem, example, *LINK])
            assert complaint == "", complaint


if __name__ == "__main__":
    unittest.main()
