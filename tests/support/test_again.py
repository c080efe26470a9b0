#!/usr/bin/env python3
"""What again.sh promises: by commands that pass, fail, or look at what they were started with."""

import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

AGAIN = Path(__file__).parent.parent / "again.sh"


def again(directory, runs, command):
    return subprocess.run([AGAIN, str(runs), directory, "sh", "-c", command], capture_output=True, text=True, timeout=120)


class Again(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.logs = Path(temporary.name, "logs")

    def told(self, name):
        return (self.logs / f"{name}.log").read_text()

    def test_it_counts_the_runs_and_keeps_what_each_printed(self):
        ended = again(self.logs, 2, "echo here; [ -t 0 ] || true")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        lines = ended.stdout.splitlines()
        self.assertEqual([line.split(", ")[0] for line in lines], ["busy-1: passed", "busy-2: passed", "odd: passed", "3 passed"])
        for name in ("busy-1", "busy-2", "odd"):
            self.assertEqual(self.told(name), "here\n")

    def test_one_run_that_fails_fails_it_all_and_the_others_are_run(self):
        ended = again(self.logs, 2, "[ $(umask) = 0077 ]")
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stdout.splitlines()[-1], "1 passed, 2 failed")

    def test_busy_processes_are_beside_the_busy_runs_alone(self):
        ended = again(self.logs, 1, "ps -o args= --ppid $PPID | grep -c '[k]ill -0' || true")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.told("busy-1").strip(), str(2 * os.cpu_count()))
        self.assertEqual(self.told("odd").strip(), "0")

    def test_the_odd_run_finds_what_others_may_start_it_with(self):
        command = """umask; ulimit -n; echo $LC_ALL $TZ $https_proxy; grep SigIgn /proc/self/status
                     [ -e /proc/self/fd/0 ] || echo closed; exec cat"""
        again(self.logs, 0, command)
        umask, descriptors, environment, ignored, *rest = self.told("odd").splitlines()
        self.assertEqual((umask, descriptors, environment), ("0077", "256", "C Pacific/Apia http://127.0.0.1:9"))
        ignored = int(ignored.split()[1], 16)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            self.assertTrue(ignored >> number - 1 & 1, number.name)

    def test_nothing_goes_on_that_it_has_started_when_it_is_interrupted(self):
        command = ["env", "--default-signal", AGAIN, "1", self.logs, "sh", "-c", "sleep 1000 & echo $!; wait"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            log = self.logs / "busy-1.log"
            for _ in range(1200):
                if log.exists() and log.read_text().endswith("\n"):
                    break
                time.sleep(0.05)
            sleeper = int(self.told("busy-1"))
            busy = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 130)
        self.assertGreater(len(busy), 2 * os.cpu_count())
        for gone in (sleeper, *busy):
            # What was killed may wait for a processor to die on.
            for _ in range(1200):
                if not is_alive(gone):
                    break
                time.sleep(0.05)
            self.assertFalse(is_alive(gone), gone)


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
