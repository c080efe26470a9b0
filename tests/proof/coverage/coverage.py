#!/usr/bin/env python3
"""How much of src/ the tests run, and whether every line that none of them runs is named, with its
reason, in not_covered.

    coverage.py SOURCES NOT_COVERED LIBRARY=COUNTS.profdata [OTHER=COUNTS.profdata…]

What counts is what the library is made of, the first one: lines for the tests alone are in the
others, and in no figure."""

import json
import os
import subprocess
import sys
from pathlib import Path

LLVM_COV = os.environ.get("LLVM_COV", "llvm-cov-22")


class Complaint(Exception):
    """What is wrong with the list of what is not covered, or with what it should have."""


def export(program, counts, *options):
    command = [LLVM_COV, "export", f"-instr-profile={counts}", *options, program]
    result = subprocess.run(command, capture_output=True, text=True)
    # It counts what it can, and warns, if a program is not the one that ran.
    if result.returncode != 0 or result.stderr:
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    return result.stdout


def lines_of(tracefile):
    """How often each line ran, by file and number, as lcov writes it."""
    lines = {}
    file = None
    for record in tracefile.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            file = value
        elif kind == "DA":
            number, count = value.split(",")[:2]
            lines[file, int(number)] = int(count)
    return lines


def regions_of(exported):
    """How often each stretch of code ran, by file and place, however many copies of it there are."""
    regions = {}
    for function in json.loads(exported)["data"][0]["functions"]:
        for *place, count, file, _, kind in function["regions"]:
            if kind == 0:
                key = function["filenames"][file], tuple(place)
                regions[key] = regions.get(key, 0) + count
    return regions


def together(runs):
    """The counts of the first run's keys, over all runs."""
    return {key: sum(run.get(key, 0) for run in runs) for key in runs[0]}


def below(counts, sources):
    """The files below `sources`, by their names there."""
    prefix = str(sources.resolve()) + "/"
    return {(it[0][len(prefix) :], it[1]): n for it, n in counts.items() if it[0].startswith(prefix)}


class Entry:
    """`FILE: TEXT`, and after it, indented, the reason. TEXT is a line of the file, or `fn NAME` for
    all of a function. With a ~ before it, some runs cover it and some do not."""

    def __init__(self, head, reason):
        self.sometimes = head.startswith("~ ")
        self.file, _, self.text = head.removeprefix("~ ").partition(": ")
        self.head, self.reason = head, reason

    def lines(self, source):
        """The numbers of the lines that are meant."""
        if not self.text.startswith("fn "):
            return {number for number, line in source.items() if line.strip() == self.text}
        meant = set()
        for number, line in source.items():
            name = line.split("fn ", 1)[-1] if "fn " in line else ""
            if name.startswith((self.text[3:] + "(", self.text[3:] + "<")):
                closing = line[: len(line) - len(line.lstrip())] + "}"
                end = next((n for n in source if n >= number and source[n].startswith(closing)), number)
                meant |= set(range(number, end + 1))
        return meant


def entries(text):
    """Those of a list; lines that begin with # say something about it."""
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            found.append(Entry(line, ""))
        elif found:
            found[-1].reason = f"{found[-1].reason} {line.strip()}".strip()
    return found


def complaints(lines, sources, listed):
    """What is not covered and not listed, and what is listed for nothing."""
    missed = {}
    for (file, number), count in lines.items():
        if count == 0:
            missed.setdefault(file, set()).add(number)
    source = {
        file: dict(enumerate((sources / file).read_text().splitlines(), 1))
        for file in {file for file, _ in lines}
    }
    explained = {}
    for entry in listed:
        if not entry.reason:
            yield f"not_covered: no reason: {entry.head}"
        meant = entry.lines(source.get(entry.file, {}))
        if not meant:
            yield f"not_covered: there is no such line: {entry.head}"
        elif not meant & missed.get(entry.file, set()) and not entry.sometimes:
            yield f"not_covered: is covered now, take it off: {entry.head}"
        explained.setdefault(entry.file, set()).update(meant)
    for file in sorted(missed):
        for number in sorted(missed[file] - explained.get(file, set())):
            # A bracket that closes goes with the line before it.
            if not source[file][number].strip("})];, ") and number - 1 in missed[file]:
                continue
            yield f"src/{file}:{number}: no test runs: {source[file][number].strip()}"


def share(counts):
    """Of some counts: how many are there, how many are not 0, and that in per cent."""
    there, run = len(counts), sum(it > 0 for it in counts)
    return f"{run:5} of {there:5} {100 * run / there if there else 100:6.2f} %"


def table(lines, regions):
    def of(counts, file):
        return [n for (it, _), n in counts.items() if it == file]

    yield f"{'':24} {'lines':^23}   {'regions':^23}"
    for file in sorted({file for file, _ in lines}):
        yield f"{file:24} {share(of(lines, file))}   {share(of(regions, file))}"
    yield f"{'all':24} {share(list(lines.values()))}   {share(list(regions.values()))}"


def main():
    sources, not_covered, *runs = sys.argv[1:]
    sources = Path(sources)
    runs = [run.split("=") for run in runs]
    lines = [below(lines_of(export(*run, "-format=lcov")), sources) for run in runs]
    regions = [below(regions_of(export(*run, "-format=text")), sources) for run in runs]
    lines, regions = together(lines), together(regions)
    print("\n".join(table(lines, regions)))
    listed = entries(Path(not_covered).read_text())
    wrong = list(complaints(lines, sources, listed))
    print("\n".join(wrong))
    for what, counts in (("lines", lines), ("regions", regions)):
        print(f"proof: coverage of src/, {what}: {' '.join(share(list(counts.values())).split())}")
    missed = sum(count == 0 for count in lines.values())
    print(f"proof: lines not covered, each with a reason: {missed if not wrong else 'no'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
