#!/usr/bin/env python3
"""What launch.py promises to those who run tests with it."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "TEST_LIMIT"}


def launch(*arguments, **options):
    return subprocess.run(
        [LAUNCH, *arguments], capture_output=True, text=True, timeout=60,
        **{"env": ENVIRONMENT, "stdin": subprocess.DEVNULL, **options})


def python(code, **options):
    """What a program in Python prints that is launched, which has to succeed."""
    ended = launch(sys.executable, "-c", code, **options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def is_there(process):
    """Whether it runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def goes(process):
    """Whether it ends within a minute: what was killed may wait for a processor to die on."""
    for _ in range(1200):
        if not is_there(process):
            return True
        time.sleep(0.05)
    return False


class Limit(unittest.TestCase):
    def test_one_that_sleeps_for_ever_is_ended_and_named(self):
        ended = launch("--limit", "1", "--as", "the sleeper", "sleep", "infinity")
        self.assertEqual(ended.returncode, 124)
        self.assertEqual(ended.stderr, "the sleeper hung: no end after 1 s\n")

    def test_the_limit_may_be_told_by_the_environment(self):
        ended = launch("sleep", "infinity", env=ENVIRONMENT | {"TEST_LIMIT": "1"})
        self.assertEqual((ended.returncode, ended.stderr), (124, "sleep hung: no end after 1 s\n"))

    def test_what_it_has_started_ends_with_it_though_it_will_not(self):
        ended = launch("--limit", "1", "sh", "-c", "trap '' TERM; sleep infinity & echo $!; wait; wait")
        self.assertEqual(ended.returncode, 124)
        self.assertTrue(goes(int(ended.stdout)))

    def test_what_one_leaves_behind_that_ends_by_itself_is_ended_too(self):
        ended = launch("sh", "-c", "sleep infinity > /dev/null 2>&1 & echo $!")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertTrue(goes(int(ended.stdout)))

    def test_whoever_ends_the_launcher_ends_the_program(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                command = ["env", "--default-signal", LAUNCH, "sh", "-c", "echo $$; exec sleep infinity"]
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as launched:
                    program = int(launched.stdout.readline())
                    launched.send_signal(number)
                    self.assertEqual(launched.wait(60), 128 + number)
                self.assertTrue(goes(program))


class Status(unittest.TestCase):
    def test_it_is_the_programs(self):
        for status in (0, 1, 99):
            self.assertEqual(launch("sh", "-c", f"exit {status}").returncode, status)

    def test_a_signal_that_ended_it_is_named(self):
        ended = launch("--as", "the crash", "sh", "-c", "kill -SEGV $$")
        self.assertEqual((ended.returncode, ended.stderr), (139, "the crash was ended by SIGSEGV\n"))

    def test_a_program_that_is_not_there_is_a_failure(self):
        ended = launch("/nowhere/at-all")
        self.assertEqual(ended.returncode, 127)
        self.assertIn("at-all cannot be run: ", ended.stderr)


class Surroundings(unittest.TestCase):
    def test_signals_are_as_by_default_and_none_is_blocked(self):
        def odd():
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())

        told = launch("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", preexec_fn=odd).stdout
        states = dict(line.split(":\t") for line in told.splitlines())
        # 32 and 33 are the C library's own, which ignores them in what make starts.
        self.assertEqual(int(states["SigIgn"], 16) & ~(3 << 31), 0)
        self.assertEqual(int(states["SigBlk"], 16), 0)

    def test_files_are_made_with_umask_022(self):
        self.assertEqual(python("import os; print(oct(os.umask(0)))", preexec_fn=lambda: os.umask(0o077)), "0o22")

    def test_the_environment_leads_nowhere_and_has_the_locale_and_zone_of_tests(self):
        odd = {"https_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "x", "all_proxy": "x", "No_Proxy": "x",
               "SSL_CERT_FILE": "x", "SSL_CERT_DIR": "x", "REQUEST_METHOD": "GET", "LANG": "de_DE", "LC_TIME": "x",
               "APIVIDEO_API_KEY": "x", "MAKEFLAGS": "j", "LC_ALL": "C", "TZ": "Pacific/Apia", "ANOTHER": "stays"}
        told = dict(line.partition("=")[::2] for line in launch("env", env=ENVIRONMENT | odd).stdout.splitlines())
        self.assertEqual({name: told[name] for name in odd if name in told},
                         {"LC_ALL": "C.UTF-8", "TZ": "UTC", "ANOTHER": "stays"})

    def test_there_is_nothing_to_read_and_no_terminal(self):
        code = "import os, sys; print(repr(sys.stdin.read())); os.open('/dev/tty', os.O_RDWR)"
        ended = launch(sys.executable, "-c", code, stdin=None)
        self.assertEqual(ended.stdout, "''\n")
        self.assertIn("/dev/tty", ended.stderr)

    def test_standard_streams_that_are_closed_are_open(self):
        def close():
            for descriptor in (0, 1, 2):
                os.close(descriptor)

        with tempfile.NamedTemporaryFile() as told:
            code = "import os, sys; print([os.readlink(f'/proc/self/fd/{it}') for it in range(3)], file=open(sys.argv[1], 'w'))"
            launch(sys.executable, "-c", code, told.name, preexec_fn=close)
            self.assertEqual(told.read().decode(), "['/dev/null', '/dev/null', '/dev/null']\n")

    def test_there_are_as_many_descriptors_as_there_may_be(self):
        def low():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))

        code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"
        self.assertEqual(python(code, preexec_fn=low), "(100, 100)")


if __name__ == "__main__":
    unittest.main()
