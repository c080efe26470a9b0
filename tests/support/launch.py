#!/usr/bin/env python3
"""Runs a test program in the same surroundings everywhere, and ends it if it hangs:

    launch.py [--limit SECONDS] [--as NAME] PROGRAM [ARGUMENT…]

Whatever this process has inherited, the program finds: each signal as it is by default and none blocked,
umask 022, LC_ALL=C.UTF-8, TZ=UTC, no proxy and no certificates in the environment, nothing to read on
standard input, no terminal, and as many descriptors as it may have. A test that is about one of these
sets it itself.

After the limit (of 600 s, or TEST_LIMIT), or when this process is told to end, the program is ended with
all that it has started: it is the first of a session and of a process group. What stays behind when it
has ended by itself goes the same way. Its status is passed on; that of one that hung is 124."""

import os
import re
import resource
import signal
import subprocess
import sys

LIMIT = 600
STATUS_HUNG = 124
# Between being asked to end and being made to.
GRACE_SECONDS = 2
TOLD_TO_END = {signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM}

FORGOTTEN = re.compile(
    r"(?i:(https?|all|no)_proxy)|REQUEST_METHOD|SSL_CERT_(FILE|DIR)|LANG|LANGUAGE|LC_.*|APIVIDEO_.*"
    # What an outer make tells its own commands.
    r"|MAKEFLAGS|MFLAGS|MAKEOVERRIDES|MAKELEVEL")


class Hung(Exception):
    pass


class Ended(Exception):
    """This process was told to end, by a signal."""


def on_alarm(*_):
    raise Hung


def on_signal(number, _):
    raise Ended(number)


def open_standard_streams():
    """Those that are closed: what is opened later would take their numbers."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, True)


def environment():
    kept = {name: value for name, value in os.environ.items() if not FORGOTTEN.fullmatch(name)}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


def set_straight():
    """What the program inherits of its process, in the child."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except OSError:
            pass  # the C library's own
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o022)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some programs go through all that they might have.
    most = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft == resource.RLIM_INFINITY or soft != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def end_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def end_all(process):
    """Ends the program and what is in its group, politely at first."""
    for number in TOLD_TO_END:
        signal.signal(number, signal.SIG_IGN)
    end_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    end_group(process.pid, signal.SIGKILL)
    process.wait()


def run(name, limit, command):
    """The status to end with."""
    for number in TOLD_TO_END:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, on_signal)
    signal.signal(signal.SIGALRM, on_alarm)
    # Until there is a program to end.
    signal.pthread_sigmask(signal.SIG_SETMASK, TOLD_TO_END)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env=environment(), start_new_session=True,
            preexec_fn=set_straight)
    except OSError as error:
        print(f"{name} cannot be run: {error}", file=sys.stderr)
        return 127
    try:
        signal.alarm(limit)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        status = process.wait()
        signal.alarm(0)
    except Hung:
        end_all(process)
        print(f"{name} hung: no end after {limit} s", file=sys.stderr)
        return STATUS_HUNG
    except Ended as told:
        signal.alarm(0)
        end_all(process)
        return 128 + told.args[0]
    end_group(process.pid, signal.SIGKILL)
    if status < 0:
        print(f"{name} was ended by {signal.Signals(-status).name}", file=sys.stderr)
        return 128 - status
    return status


def main(arguments):
    name, limit = None, int(os.environ.get("TEST_LIMIT") or LIMIT)
    while arguments and arguments[0] in ("--as", "--limit"):
        option, value, *arguments = arguments
        if option == "--as":
            name = value
        else:
            limit = int(value)
    if not arguments:
        sys.exit(__doc__)
    # Cargo adds a hash to the names of tests.
    name = name or re.sub(r"-[0-9a-f]{16}$", "", os.path.basename(arguments[0]))
    return run(name, limit, arguments)


if __name__ == "__main__":
    open_standard_streams()
    sys.exit(main(sys.argv[1:]))
