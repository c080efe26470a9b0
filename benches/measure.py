"""How things are measured, for the table (bench.py) and for the gate on counts (counts.py): servers
and programs as processes, and what one call adds to what valgrind, strace or allocations.so count."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile

# Proxies, locales and certificates of whoever runs this are not to be measured.
ENVIRONMENT = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


class Unmeasured(Exception):
    """Why there is no figure."""


def run(*command, **environment):
    """Lets a program end, which has to succeed, and gives back what it printed: (out, err)."""
    command = [str(word) for word in command]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
            env=ENVIRONMENT | {name: str(value) for name, value in environment.items()})
    except FileNotFoundError:
        raise Unmeasured(f"{os.path.basename(command[0])} is not there") from None
    except subprocess.TimeoutExpired:
        raise Unmeasured(f"{os.path.basename(command[0])} does not end") from None
    if ended.returncode != 0:
        why = (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
        raise Unmeasured(f"{os.path.basename(command[0])}: {why}")
    return ended.stdout, ended.stderr


def numbers(*command, **environment):
    """The numbers in the last line that a program prints."""
    return [float(word) for word in run(*command, **environment)[0].splitlines()[-1].split()]


@contextlib.contextmanager
def server(programs, headers=5, tokens=100):
    """The static server, as its URL."""
    with started(programs / "server", headers, tokens) as url:
        yield url


@contextlib.contextmanager
def sink(programs):
    """What takes uploads, as its URL."""
    with started(programs / "sink") as url:
        yield url


@contextlib.contextmanager
def started(*command):
    """A server that prints its URL, as that."""
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def on(cores):
    """Keeps what is started meanwhile on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def one_core():
    """A core for client and server together. The last: the first has more to do for the system."""
    return {max(os.sched_getaffinity(0))}


@contextlib.contextmanager
def files(*sizes):
    """Files of so many bytes, which take no room, as their paths."""
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, str(number)) for number in range(len(sizes))]
        for path, size in zip(paths, sizes):
            with open(path, "wb") as file:
                file.truncate(size)
        yield paths


MIB = 1 << 20


def added_by_a_call(count, few=50, many=150):
    """What one call adds to `count(calls)`, once the first ones have made connections and buffers."""
    return (count(many) - count(few)) / (many - few)


def counted_instructions(*command, **environment):
    """User instructions of a whole process; the kernel's are not seen."""
    told = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command, **environment)[1]
    return int(re.search(r"Collected : (\d+)", told)[1])


def counted_system_calls(*command, **environment):
    """System calls of a whole process, by name."""
    with tempfile.NamedTemporaryFile("r") as told:
        run("strace", "-f", "-c", "-o", told.name, *command, **environment)
        rows = [line.split() for line in told]
    # % time, seconds, usecs/call, calls, errors (may be blank), syscall
    return {row[-1]: int(row[3]) for row in rows if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"}


def counted_allocations(program, *arguments, **environment):
    """How many times a whole process takes something from the heap."""
    told = run(program, *arguments, LD_PRELOAD=program.parent / "allocations.so", **environment)[1]
    return int(re.search(r"^allocations (\d+)$", told, re.MULTILINE)[1])


def instructions(program, url, call):
    """User instructions of a call."""
    return added_by_a_call(lambda calls: counted_instructions(program, url, "calls", call, calls))


def system_calls(program, url, call):
    """System calls of a call, by name."""
    counted = {calls: counted_system_calls(program, url, "calls", call, calls) for calls in (50, 150)}
    added = {name: added_by_a_call(lambda calls: counted[calls].get(name, 0)) for name in counted[150]}
    return {name: calls for name, calls in added.items() if calls >= 0.01}


def allocations(program, url, call):
    """How many times a call takes something from the heap, results included."""
    return added_by_a_call(lambda calls: counted_allocations(program, url, "calls", call, calls))


def compiler(library):
    """The Rust compiler that made the library, as it tells itself."""
    told = re.search(rb"rustc version [^\0]*", library.read_bytes())
    return told[0].decode().replace("rustc version", "rustc") if told else "an unknown rustc"


def c_library():
    """The C library that programs run with here."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "an unknown C library"
    except ValueError:
        return "an unknown C library"
