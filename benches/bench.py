"""Prints what calls cost beside what people use instead, and whether the targets are met, as a table in
Markdown. Everything is measured in one run: the programs take turns, so that what else the machine does
hits them alike.

Usage: bench.py PROGRAMS LIBRARY [SECTION...]

The sections are the methods named in Bench.run(); without any, all."""

import concurrent.futures
import datetime
import os
import pathlib
import platform
import re
import statistics
import sys

import measure
from link import link, plain_sockets
from measure import MIB, Unmeasured
from tls_server import tls_server
from uploads import AT_ONCE, BY_ONE_THREAD, STREAMED, STREAMED_AT_ONCE, WHOLE
import uploads

OURS, CURL, UREQ, RAW = "apivideo", "curl", "ureq", "raw"
# The raw socket with our system calls, and nothing else: no column, but the floor of the times.
WAITING = "raw_that_waits"
COLUMNS = {OURS: "this library", CURL: "libcurl + cJSON", UREQ: "ureq + serde", RAW: "raw socket"}
# A figure that is no program's: this library used in another way, to compare with.
OTHERWISE = "otherwise"

PAGES, PAGE_SIZE = 1000, 100

# A link between continents, and the windows that a connection over it may have: more than the link holds,
# and less.
ROUND_TRIP_MS, LINK_MBIT, WINDOWS_KIB = 100, 50, (2048, 256)


class Target:
    """What a figure of ours has to keep: at most `limit`, or at most `factor` of another's."""

    def __init__(self, text, holds):
        self.text, self.holds = text, holds

    def __and__(self, other):
        return Target(f"{self.text}, {other.text}", lambda of: self.holds(of) and other.holds(of))


def at_most(limit, text):
    return Target(f"≤ {text}", lambda of: of[OURS] <= limit)


def at_most_times(factor, whom, name=None):
    return Target(f"≤ {factor} × {name or whom}", lambda of: of[OURS] <= factor * of[whom])


def at_least_times(factor, whom, name=None):
    return Target(f"≥ {factor} × {name or whom}", lambda of: of[OURS] >= factor * of[whom])


def whole(value):
    return f"{value:,.0f}"


def few(value):
    """A count that may be of hundreds of calls: what some of them add shows."""
    return f"{value:,.2f}".removesuffix(".00")


def microseconds(value):
    return f"{value:,.1f} µs"


def milliseconds(value):
    return f"{value / 1000:,.2f} ms"


def kilobytes(value):
    return f"{value / 1000:,.0f} kB"


def megabytes(value):
    return f"{value / 1e6:,.2f} MB"


class Table:
    """The rows, and why some figures are not in them."""

    def __init__(self):
        self.rows, self.notes, self.unmeasured, self.missed = [], [], [], 0

    def add(self, what, figures, show, target=None, remarks=None, ratio=None):
        """A row of `figures` (by program). A remark is told after a program's figure; `ratio` is that to
        libcurl, if it is not of the figures shown."""
        shown = [show(figures[name]) + (remarks or {}).get(name, "") if name in figures else ""
                 for name in COLUMNS]
        if ratio is None and figures.get(CURL):
            ratio = figures[OURS] / figures[CURL]
        told = f"{ratio:.2f}" if ratio else ""
        self.rows.append([what, *shown, told, target.text if target else "", self.verdict(target, figures)])

    def verdict(self, target, figures):
        if not target:
            return ""
        try:
            met = target.holds(figures)
        except KeyError:
            return "not judged"
        self.missed += not met
        return "yes" if met else "**no**"

    def print(self):
        head = ["", *COLUMNS.values(), "ours / libcurl", "target", "met"]
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(len(head))]
        for row in [head, ["-" * width for width in widths], *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


class Bench:
    def __init__(self, programs, library):
        self.programs, self.library = pathlib.Path(programs).resolve(), pathlib.Path(library).resolve()
        self.table, self.load = Table(), os.getloadavg()[0]

    def program(self, name):
        return self.programs / name

    def present(self, *names):
        return [name for name in names or COLUMNS if self.program(name).exists()]

    def in_turns(self, rounds, take, names):
        """Takes take(name) so many times for each name, by turns, to and fro: all that each has given."""
        given = {name: [] for name in names}
        for turn in range(rounds):
            for name in list(given)[::-1 if turn % 2 else 1]:
                try:
                    given[name].append(take(name))
                except Unmeasured as why:
                    # The rows go on without a peer, but not without what is compared with them.
                    if name not in (CURL, UREQ, RAW):
                        raise
                    self.table.unmeasured.append(f"{COLUMNS[name]}: {why}")
                    del given[name]
        return given

    def of_each(self, take):
        """take(program) of each program, for figures that do not depend on when they are taken."""
        given = self.in_turns(1, lambda name: take(self.program(name)), self.present())
        return {name: value for name, (value,) in given.items()}

    def instructions(self):
        with measure.on(measure.one_core()):
            for headers, call, what, target in (
                    (5, "get", "GET, 5 response headers", at_most(33_000, "33 k")),
                    (15, "get", "GET, 15 response headers", at_most(50_000, "50 k")),
                    (5, "list", "list of 100", at_most(285_000, "285 k"))):
                with measure.server(self.programs, headers) as url:
                    figures = self.of_each(lambda program: measure.instructions(program, url, call))
                self.table.add(f"user instructions per {what}", figures, whole, target)

    def wall(self):
        with measure.on(measure.one_core()), measure.server(self.programs) as url:
            for call, what, count, target in (
                    ("get", "GET", 3000, at_most_times(0.70, CURL, "libcurl") & at_most_times(1.8, RAW)),
                    ("list", "list of 100", 800, at_most_times(0.32, CURL, "libcurl"))):
                given = self.in_turns(
                    15, lambda name: measure.numbers(self.program(name), url, "best", call, count),
                    self.present(*COLUMNS, WAITING))
                best = {name: min(values)[0] for name, values in given.items()}
                waiting = best.pop(WAITING, None)
                remarks = {RAW: f" (ours {best[OURS] / best[RAW]:.2f} ×)"} if RAW in best else {}
                self.table.add(f"wall per {what}, client and server on one core, best batch", best, microseconds,
                               target, remarks)
                # The raw socket's time is the kernel's and the server's, of which some machines take twice
                # as much as others: what is left is the client's own.
                if RAW in best:
                    floor = best.pop(RAW)
                    above = {name: value - floor for name, value in best.items()}
                    self.table.add("of it above the raw socket's", above, microseconds)
                if waiting and CURL in best:
                    self.table.add(f"least per {what} with the system calls of ours", {RAW: waiting}, microseconds,
                                   remarks={RAW: f" ({waiting / best[CURL]:.2f} × libcurl)"})

    def system_calls(self):
        with measure.on(measure.one_core()), measure.server(self.programs) as url:
            by_name = self.of_each(lambda program: measure.system_calls(program, url, "get"))
        figures = {name: sum(calls.values()) for name, calls in by_name.items()}
        remarks = {name: " (" + ", ".join(f"{few(count)} {call}" for call, count in sorted(calls.items())) + ")"
                   for name, calls in by_name.items()}
        self.table.add("system calls per warm GET", figures, few, at_most(4, "4"), remarks)

    def allocations(self):
        with measure.on(measure.one_core()), measure.server(self.programs) as url:
            for call, what, limit in (("get", "GET", 36), ("list", "list of 100", 38)):
                figures = self.of_each(lambda program: measure.allocations(program, url, call))
                self.table.add(f"heap allocations per warm {what}, its result included", figures, few,
                               at_most(limit, str(limit)))

    def process(self):
        launch = self.program("process")
        with measure.server(self.programs) as url:
            given = self.in_turns(
                40, lambda name: measure.numbers(launch, self.program(name), url, "calls", "get", 1), self.present())
        walls = {name: [wall for wall, _ in values] for name, values in given.items()}
        least = {name: min(values) for name, values in walls.items()}
        remarks = {name: f" (median {milliseconds(statistics.median(values))})" for name, values in walls.items()}
        self.table.add("process doing one GET: wall, best of 40", least, milliseconds,
                       at_most_times(0.4, CURL, "libcurl"), remarks)
        peaks = {name: statistics.median(peak * 1024 for _, peak in values) for name, values in given.items()}
        self.table.add("process doing one GET: peak memory", peaks, megabytes, at_most(3.2e6, "3.2 MB"))

    def tls(self):
        cores, mine = os.sched_getaffinity(0), measure.one_core()
        with measure.on(cores - mine or cores), tls_server() as server:
            with measure.on(mine):
                self.first_https_call(server)
            with measure.on(cores):
                self.idle_connections(server)

    def first_https_call(self, server):
        trust = {name: (name, server.bundle) for name in self.present(OURS, CURL, UREQ)}
        trust |= {"handshake": (OURS, server.one_authority)}

        def first(name):
            program, certificates = trust[name]
            return measure.numbers(self.program(program), server.url, "first", **certificates)

        given = self.in_turns(25, first, trust)
        handshake = given.pop("handshake")
        firsts = {name: min(one for one, _ in values) for name, values in given.items()}
        remarks = {name: f" (median {milliseconds(statistics.median(one for one, _ in values))})"
                   for name, values in given.items()}
        self.table.add(f"first HTTPS call, {server.authorities} CAs of the system", firsts,
                       milliseconds, at_most_times(0.12, CURL, "libcurl"), remarks)
        seconds = {name: min(two for _, two in values) for name, values in given.items()}
        seconds[OTHERWISE] = min(two for _, two in handshake)
        self.table.add("second client of the process: HTTPS call", seconds, milliseconds,
                       at_most_times(1.3, OTHERWISE, f"one with a single CA ({milliseconds(seconds[OTHERWISE])})"))

    def idle_connections(self, server):
        manners = {OURS: "shared", CURL: "own", UREQ: "shared"}

        def heap(name):
            before, first, after, open_at_last = measure.numbers(
                self.program(name), server.url, "idle", 16, manners[name],
                LD_PRELOAD=self.program("allocations.so"), **server.bundle)
            if open_at_last <= first:
                raise Unmeasured("no connection stays open")
            return (after - before) / (open_at_last - first), int(open_at_last)

        given = self.in_turns(1, heap, self.present(*manners))
        figures = {name: values[0][0] for name, values in given.items()}
        remarks = {name: f" ({values[0][1]} open)" for name, values in given.items()}
        self.table.add("heap per idle TLS connection (libcurl: per handle)", figures, kilobytes,
                       at_most(64_000, "64 kB"), remarks)

    def shipped(self):
        def needs(file):
            """What the loader loads for a file beside the C library."""
            told, _ = measure.run("ldd", file)
            of_libc = re.compile(r"/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libutil)[-.]")
            return [pathlib.Path(path) for path in re.findall(r"=> (/\S+)", told) if not of_libc.search(path)]

        def shipped(name, file, own):
            files = [pathlib.Path(path) for path in needs(file) if not path.name.startswith("libapivideo")]
            sizes[name] = own + sum(path.stat().st_size for path in files)
            needed[name] = [path.name for path in files]

        sizes, needed = {}, {}
        own = self.library.stat().st_size
        shipped(OURS, self.library, own)
        if self.present(CURL):
            shipped(CURL, self.program(CURL), 0)
        remarks = {name: f" with {', '.join(names) if len(names) < 3 else f'{len(names)} libraries'}"
                   for name, names in needed.items()}
        remarks[OURS] = f" (the .so {megabytes(own)})" + remarks[OURS]
        target = Target(".so ≤ 2.10 MB, libgcc_s only",
                        lambda of: own <= 2.0952e6 and all(name.startswith("libgcc_s") for name in needed[OURS]))
        self.table.add("shipped: stripped, with what it needs beside libc", sizes, megabytes, target, remarks)

    def threads(self):
        with measure.server(self.programs) as url:
            for count in (1, 2, 4, 8):
                self.threads_at_once(url, count, judged=count == 8)

    def threads_at_once(self, url, count, judged):
        # A handle of libcurl's and a socket are for one thread, ureq's agent is for all.
        manners = {name: (name, "shared" if name in (OURS, UREQ) else "own") for name in self.present()}
        manners[OTHERWISE] = (OURS, "own")

        def calls(name):
            program, manner = manners[name]
            return measure.numbers(self.program(program), url, "threads", count, manner, 100)

        given = self.in_turns(40, calls, manners)
        rates = {name: [rate for rate, _ in values] for name, values in given.items()}
        # Within a round: from one to the next the machine may be another.
        ratios = {name: statistics.median(ours / other for ours, other in zip(rates[OURS], values))
                  for name, values in rates.items()}
        other_way = ratios[OTHERWISE]
        target = (Target(f"≥ 0.9 × a client per thread ({other_way:.2f})", lambda _: other_way >= 0.9)
                  & Target("≥ 1.2 × libcurl", lambda _: ratios[CURL] >= 1.2))
        which = f"{count} thread{'s' * (count > 1)} on one client"
        self.table.add(f"calls per second, {which}, median of 40",
                       {name: statistics.median(values) for name, values in rates.items()}, whole,
                       target if judged else None,
                       {name: f" (best {whole(max(values))})" for name, values in rates.items()}, ratios.get(CURL))
        if judged:
            used = {name: statistics.median(each for _, each in values) for name, values in given.items()}
            self.table.add(f"processor's time per call, {which}", used, microseconds,
                           remarks={OURS: f" ({microseconds(used[OTHERWISE])} with a client per thread)"})

    def iterating(self):
        def iterate(tokens):
            with measure.server(self.programs, tokens=tokens) as url:
                told, _ = measure.run(self.program("process"), self.program("iterate"), url)
            (seen, first, last), (_, peak) = ([float(word) for word in line.split()] for line in told.splitlines())
            if seen != tokens:
                raise Unmeasured(f"{seen:.0f} of {tokens} tokens were told")
            return first, last, peak * 1024

        with measure.on(measure.one_core()):
            given = self.in_turns(9, iterate, (PAGE_SIZE, PAGES * PAGE_SIZE))
        page, all_pages = given.values()
        # The kernel counts memory by batches of pages, now more and now less.
        more = statistics.median(one[2] for one in all_pages) - statistics.median(one[2] for one in page)
        self.table.add(f"iterating {PAGES * PAGE_SIZE:,} tokens: peak memory above that of one page", {OURS: more},
                       kilobytes, at_most(1e6, "1 MB"))
        first, last = (min(one[i] for one in all_pages) for i in (0, 1))
        self.table.add("time per page in the last quarter of them", {OURS: last, OTHERWISE: first}, microseconds,
                       at_most_times(1.1, OTHERWISE, f"in the first ({microseconds(first)})"))

    def uploading(self):
        cores, mine = os.sched_getaffinity(0), measure.one_core()
        with measure.on(cores - mine or cores), measure.sink(self.programs) as plain:
            with tls_server(plain) as tls, measure.on(mine):
                self.uploading_to(plain, "plain", (OURS, CURL, RAW), {}, 1.15, 0.9, 10)
                self.uploading_to(tls.url, "TLS", (OURS, CURL), tls.one_authority, 1.05, 1.0, 12)
            self.table.notes.append(
                f"What this library streams, or uploads by several parts, goes in parts of {uploads.PART_MIB} MiB; its "
                "peers upload a file of that size for each, one after another.")
            with measure.on(mine):
                self.instructions_of_uploads(plain)
                self.memory_of_uploads(plain)

    def uploaders(self, *names):
        return {name: self.program("upload_" + name) for name in names if self.program("upload_" + name).exists()}

    def in_each_way(self, rounds, ways, names, take):
        """take(program, way) by turns: of each way, what each program gave."""
        programs = self.uploaders(*names)

        def in_its_ways(name):
            own = dict.fromkeys(way if name == OURS else way.peers for way in ways)
            return {way: take(programs[name], way) for way in own}

        given = self.in_turns(rounds, in_its_ways, programs)
        return {way: {name: [one[way if name == OURS else way.peers] for one in turns]
                      for name, turns in given.items()} for way in ways}

    def uploading_to(self, url, how, names, environment, most_cpu, least_rate, most_calls):
        mib, ways = 192, (WHOLE, STREAMED, AT_ONCE)

        def upload(program, way):
            with way.files(mib) as files:
                return measure.numbers(program, url, *files, **environment, **way.environment)

        given = self.in_each_way(21, ways, names, upload)
        calls = self.in_each_way(
            1, ways, names, lambda program, way: uploads.system_calls_per_mib(program, url, way, **environment))
        for way in ways:
            used = {name: [cpu * 1024 / mib / 1e6 for _, cpu, _ in values] for name, values in given[way].items()}
            rates = {name: [mib * 1e6 / wall for wall, _, _ in values] for name, values in given[way].items()}
            self.table.add(f"processor's time per GiB {way.what}, {how}, median of 21",
                           {name: statistics.median(values) for name, values in used.items()},
                           lambda it: f"{it:.3f} s", at_most_times(most_cpu, CURL, "libcurl"),
                           {name: f" (best {min(values):.3f} s)" for name, values in used.items()})
            self.table.add(f"MiB per second {way.what}, {how}, median of 21",
                           {name: statistics.median(values) for name, values in rates.items()},
                           whole, at_least_times(least_rate, CURL, "libcurl"),
                           {name: f" (best {max(values):,.0f})" for name, values in rates.items()})
            self.table.add(f"system calls per MiB {way.what}, {how}",
                           {name: value for name, (value,) in calls[way].items()}, few,
                           at_most(most_calls, str(most_calls)))

    def instructions_of_uploads(self, url):
        limits = {WHOLE: at_most(20_000, "20 k"), STREAMED: at_most(2_200_000, "2.2 M, two copies"),
                  AT_ONCE: at_most(100_000, "100 k")}
        given = self.in_each_way(
            1, limits, (OURS, CURL, RAW), lambda program, way: uploads.instructions_per_mib(program, url, way))
        for way, target in limits.items():
            self.table.add(f"user instructions per MiB {way.what}, plain",
                           {name: value for name, (value,) in given[way].items()}, whole, target)

    def memory_of_uploads(self, url):
        launch, part = self.program("process"), uploads.PART_MIB
        limits = {WHOLE: 1.25, STREAMED: part + 1.25, AT_ONCE: 4 * 1.25, STREAMED_AT_ONCE: 5 * part + 4 * 1.25}

        def peaks(program, way):
            """Peak memory with a file of one byte, and with a large one."""
            with measure.files(1) as (byte,), way.files(192) as (_, *files):
                return [1024 * measure.numbers(launch, program, url, byte, *which, **way.environment)[1]
                        for which in ([byte], files)]

        given = self.in_each_way(9, limits, (OURS, CURL, RAW), peaks)
        for way, limit in limits.items():
            figures = {name: statistics.median(large for _, large in values) - statistics.median(
                little for little, _ in values) for name, values in given[way].items()}
            self.table.add(f"peak memory for 192 MiB {way.what} above that for one byte", figures, kilobytes,
                           at_most(limit * MIB, f"{limit:g} MiB"))

    def over_a_link(self):
        with measure.sink(self.programs) as url:
            for window in WINDOWS_KIB:
                self.over_a_link_of(url, (ROUND_TRIP_MS, LINK_MBIT, window))

    def over_a_link_of(self, url, settings):
        mib, programs = 64, self.uploaders(OURS, CURL, RAW)

        def goodput(program, way):
            with link(self.programs, url, *settings) as there, way.files(mib) as files:
                wall, *_ = measure.numbers(program, there, *files, **way.environment)
                return 8 * mib * MIB / wall

        # They wait for the link, not for a processor: all go at the same time, each over a link of its own.
        with concurrent.futures.ThreadPoolExecutor() as threads:
            four = threads.submit(goodput, programs[OURS], AT_ONCE)
            alone = {name: threads.submit(goodput, program, BY_ONE_THREAD if name == OURS else BY_ONE_THREAD.peers)
                     for name, program in programs.items()}
            four, alone = four.result(), {name: one.result() for name, one in alone.items()}

        def megabits(value):
            return f"{value:.1f} Mbit/s"

        round_trip_ms, mbit, window = settings
        there = f"over {round_trip_ms} ms and {mbit} Mbit/s, a window of {window} KiB"
        self.table.add(f"goodput {there}, {BY_ONE_THREAD.what}", alone, megabits, at_least_times(0.9, CURL, "libcurl"))
        self.table.add(f"goodput {there}, {AT_ONCE.what}", {OURS: four, OTHERWISE: alone[OURS]}, megabits,
                       at_least_times(1, OTHERWISE, "part by part"),
                       {OURS: f" ({four / alone[OURS]:.2f} × part by part)"})
        took, to, back, four_to = plain_sockets(self.programs, *settings)
        self.table.notes.append(
            f"The link with a window of {window} KiB, by plain sockets: {took:.1f} ms there and back, {megabits(to)} "
            f"there, {megabits(back)} back, {megabits(four_to)} there by four connections. One gets "
            f"{megabits(min(mbit, window * 8.192 / round_trip_ms))} at most, by the "
            + ("window" if window * 8.192 / round_trip_ms < mbit else "link")
            + "; nothing is lost, and none begins slowly.")

    def section(self, measures):
        print(f"{measures.__name__} …", file=sys.stderr, flush=True)
        try:
            measures()
        except Unmeasured as why:
            self.table.unmeasured.append(f"{measures.__name__}: {why}")

    def run(self, *only):
        sections = (self.instructions, self.wall, self.system_calls, self.allocations, self.process, self.tls,
                    self.shipped, self.threads, self.iterating, self.uploading, self.over_a_link)
        for measures in sections:
            if not only or measures.__name__ in only:
                self.section(measures)
        self.describe()
        self.table.print()
        print()
        for note in self.table.notes:
            print(note)
        for name in COLUMNS:
            if not self.present(name):
                self.table.unmeasured.append(f"{COLUMNS[name]}: not built, its libraries are missing (benches/setup.sh)")
        for why in dict.fromkeys(self.table.unmeasured):
            print(f"Could not be measured: {why}")
        print(f"{self.table.missed} target{'s' * (self.table.missed != 1)} missed.")

    def describe(self):
        def first_line(*command):
            try:
                out, err = measure.run(*command)
            except Unmeasured as why:
                return str(why)
            return (out or err).splitlines()[0]

        def system():
            try:
                return platform.freedesktop_os_release()["PRETTY_NAME"]
            except OSError:
                return platform.system()

        processor = re.search(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        print(f"{datetime.date.today()}, {processor[1] if processor else platform.machine()}, "
              f"{len(os.sched_getaffinity(0))} cores, {system()}, Linux {platform.release()}, {measure.c_library()}; "
              f"built by {measure.compiler(self.library)}, peers in C by {first_line('cc', '--version')}.")
        versions = [first_line(self.program(name), "-", "version") for name in self.present()]
        print("; ".join([*versions, first_line("nginx", "-v")]) + ".")
        print(f"The machine's load was {self.load:.1f} at the beginning"
              + (": other work disturbs what is measured in time." if self.load > 0.5 else ".") + "\n")


if __name__ == "__main__":
    Bench(*sys.argv[1:3]).run(*sys.argv[3:])
