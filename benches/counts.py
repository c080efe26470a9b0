"""The gate on counts: compares what a call costs, in figures that do not depend on the machine's
mood, with those in baseline.txt, and fails if one is more than 5 % worse, or beyond its target. Time is
never compared.

Usage: counts.py PROGRAMS LIBRARY [--record]

What another compiler or C library does to instructions and size is not the code's doing: with others
than the baseline's these are told, but not judged. System calls and allocations always are."""

import pathlib
import sys

import measure
import uploads

MARGIN = 0.05
BASELINE = pathlib.Path(__file__).with_name("baseline.txt")
PREAMBLE = """\
# What `make test-counts` compares with, written by `make record-counts`. Figures are recorded anew only
# for a reason, which the commit that does so has to give.
"""
MADE_WITH = ("compiler", "C library")

# What each figure is called, and whether compiler and C library have a say in it.
INSTRUCTIONS = "user instructions per {}"
SYSTEM_CALLS = "system calls per GET"
ALLOCATIONS = "allocations per {}"
SIZE = "bytes of libapivideo.so"
SYSTEM_CALLS_OF_UPLOADS = "system calls per {}"
MIB = "uploaded MiB"
STREAMED_MIB = "streamed MiB"
MIB_AT_ONCE = "MiB by 4 parts at once"

# What each may be at most, whatever was recorded.
TARGETS = {
    INSTRUCTIONS.format("GET with 5 response headers"): 33_000,
    INSTRUCTIONS.format("GET with 15 response headers"): 50_000,
    INSTRUCTIONS.format("list of 100"): 285_000,
    SYSTEM_CALLS: 4,
    ALLOCATIONS.format("GET"): 36,
    ALLOCATIONS.format("list of 100"): 38,
    INSTRUCTIONS.format(MIB): 20_000,
    # Valgrind counts a copy by rep movsb once a byte: two copies, into the part and to the socket's buffer.
    INSTRUCTIONS.format(STREAMED_MIB): 2_200_000,
    INSTRUCTIONS.format(MIB_AT_ONCE): 20_000,
    SYSTEM_CALLS_OF_UPLOADS.format(MIB): 10,
    SYSTEM_CALLS_OF_UPLOADS.format(STREAMED_MIB): 10,
    SYSTEM_CALLS_OF_UPLOADS.format(MIB_AT_ONCE): 10,
    # Without uploads it was 1,947,744. Those of files took 120 KiB, and were to; recordings and parts side by side
    # take 24 KiB more. 2 MiB is where it ends: a bound within some bytes of what there is forbids every repair.
    SIZE: 2 * 1024 * 1024,
}

# How much the socket takes at once, how often progress is told, and which thread waits for which, is the
# machine's mood, and how memory is copied its C library's choice.
UPLOADS = {MIB: uploads.WHOLE, STREAMED_MIB: uploads.STREAMED, MIB_AT_ONCE: uploads.AT_ONCE}
HELD_BY_TARGET_ALONE = {what.format(mib) for what in (INSTRUCTIONS, SYSTEM_CALLS_OF_UPLOADS) for mib in UPLOADS}


def most(name, then):
    """What a figure may be at most that was `then`."""
    if name in HELD_BY_TARGET_ALONE:
        return TARGETS[name]
    return min(then * (1 + MARGIN), TARGETS.get(name, then * (1 + MARGIN)))


def depends_on_compiler(name):
    return name.startswith("user instructions") or name == SIZE


def count(programs, library):
    """All figures, by name."""
    program = programs / "apivideo"
    figures = {}
    with measure.on(measure.one_core()):
        with measure.server(programs, headers=5) as url:
            figures[INSTRUCTIONS.format("GET with 5 response headers")] = measure.instructions(program, url, "get")
            figures[INSTRUCTIONS.format("list of 100")] = measure.instructions(program, url, "list")
            figures[SYSTEM_CALLS] = sum(measure.system_calls(program, url, "get").values())
            figures[ALLOCATIONS.format("GET")] = measure.allocations(program, url, "get")
            figures[ALLOCATIONS.format("list of 100")] = measure.allocations(program, url, "list")
        with measure.server(programs, headers=15) as url:
            figures[INSTRUCTIONS.format("GET with 15 response headers")] = measure.instructions(program, url, "get")
        with measure.sink(programs) as url:
            program = programs / "upload_apivideo"
            for mib, way in UPLOADS.items():
                figures[INSTRUCTIONS.format(mib)] = uploads.instructions_per_mib(program, url, way)
                figures[SYSTEM_CALLS_OF_UPLOADS.format(mib)] = uploads.system_calls_per_mib(program, url, way)
            figures[ALLOCATIONS.format("upload")] = uploads.allocations(program, url, uploads.WHOLE)
            figures[ALLOCATIONS.format("streamed upload")] = uploads.allocations(program, url, uploads.STREAMED)
    figures[SIZE] = library.stat().st_size
    return {name: round(figure, 2) for name, figure in sorted(figures.items())}


def write(made_with, figures):
    lines = [f"{name}: {value}\n" for name, value in (made_with | figures).items()]
    return PREAMBLE + "".join(lines)


def read(text):
    """What the figures were made with, and the figures."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    values = dict(line.rsplit(": ", 1) for line in lines)
    made_with = {name: values.pop(name) for name in MADE_WITH}
    return made_with, {name: float(value) for name, value in values.items()}


def verdicts(now, then, same_makers):
    """(name, verdict) of each figure, in either set."""
    for name in sorted(now.keys() | then.keys()):
        if name not in now or name not in then:
            yield name, "FAILED: not in both, so record it anew"
        elif now[name] > most(name, then[name]):
            if same_makers or not depends_on_compiler(name):
                yield name, "FAILED: worse"
            else:
                yield name, "worse, NOT JUDGED: another compiler or C library"
        elif now[name] < then[name] * (1 - MARGIN) and name not in HELD_BY_TARGET_ALONE:
            yield name, "better: hold it by `make record-counts`"
        else:
            yield name, "as before"


def compare(made_with, now, then_made_with, then):
    """Prints the comparison, and tells how many figures failed."""
    for name in MADE_WITH:
        if made_with[name] != then_made_with[name]:
            print(f"{name}: {made_with[name]}, while the baseline was recorded with {then_made_with[name]}")
    judged = list(verdicts(now, then, made_with == then_made_with))
    for name, verdict in judged:
        before, here = then.get(name, 0), now.get(name, 0)
        change = f"{100 * (here / before - 1):+.1f} %" if before else ""
        print(f"{name:50} {before:>12,.10g} -> {here:>12,.10g} {change:>8}  {verdict}")
    failed = sum("FAILED" in verdict for _, verdict in judged)
    not_judged = sum("NOT JUDGED" in verdict for _, verdict in judged)
    print(f"{len(judged) - failed - not_judged} passed, {failed} failed, {not_judged} not judged")
    return failed


def main(programs, library, *options):
    programs, library = pathlib.Path(programs).resolve(), pathlib.Path(library).resolve()
    made_with = dict(zip(MADE_WITH, (measure.compiler(library), measure.c_library())))
    try:
        figures = count(programs, library)
    except measure.Unmeasured as why:
        sys.exit(f"test-counts: cannot count: {why}")
    if "--record" in options:
        BASELINE.write_text(write(made_with, figures))
        print(BASELINE.read_text(), end="")
        return 0
    return 1 if compare(made_with, figures, *read(BASELINE.read_text())) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
