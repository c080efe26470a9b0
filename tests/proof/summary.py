#!/usr/bin/env python3
"""Gathers the figures of a run of `make proof`, lines of the form `proof: WHAT: FIGURE`, and tells which
docs/PROOF.md has a place for; with --write it puts them there. A place is <!--WHAT--> in the third
column, before the figure; one row may have several, with <br> between. <!--WHAT*--> is for all that
begin so.

    tests/proof/summary.py [--write] LOG"""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/PROOF.md"
PLACE = re.compile(r"<!--(?P<what>[^>]+)-->(?P<figure>.*?)(?=<br>| \|)")


def figures(log):
    """By what they are of; of several runs the last."""
    found = {}
    for line in log.splitlines():
        # Rust's tests may have put their dots before it.
        if line.lstrip(".").startswith("proof: "):
            # A figure may hold colons; what it is of holds none.
            what, colon, figure = line.lstrip(".").removeprefix("proof: ").partition(": ")
            if not colon:
                sys.exit(f"neither `proof: WHAT: FIGURE` nor anything else: {line}")
            found[what] = figure.strip()
    return found


def with_figures(page, found):
    """The page with the figures that there are; the others stay."""

    def fill(place):
        text = shown(place["what"], found)
        return f"<!--{place['what']}-->{text}" if text else place[0]

    return PLACE.sub(fill, page)


def meant(what, found):
    """What there are figures of that a place is for: what it names, or all that begin so."""
    if what.endswith("*"):
        return [it for it in found if it.startswith(what[:-1])]
    return [what] if what in found else []


def shown(what, found):
    """What is put into a place; a bare number says what it counts."""
    if what.endswith("*"):
        start = what[:-1]
        text = ", ".join(f"{it.removeprefix(start)} {found[it]}" for it in meant(what, found))
        return text and f"{start.strip()}: {text}".replace("|", "/")
    figure = found.get(what, "").replace("|", "/")
    return figure if not figure or re.search(r"[a-z]{3}", figure) else f"{what}: {figure}"


def places(page):
    return [place["what"] for place in PLACE.finditer(page)]


def commands(page):
    """The targets that the table's last column names."""
    rows = [line for line in page.splitlines() if line.startswith("|")][2:]
    cells = (row.strip("|").split("|")[-1] for row in rows)
    return [target for cell in cells for command in re.findall(r"`make ([^`]+)`", cell)
            for target in command.split()]


def main():
    *options, log = sys.argv[1:]
    found = figures(Path(log).read_text(errors="replace"))
    page = PAGE.read_text()
    placed = {it for what in places(page) for it in meant(what, found)}
    for what, figure in found.items():
        print(f"{what}: {figure}" + ("" if what in placed else "  (no place in docs/PROOF.md)"))
    missing = [what for what in places(page) if not meant(what, found)]
    for what in missing:
        print(f"{what}: no figure in this run")
    if "--write" in options:
        if missing:
            sys.exit("not written: what this run has no figure of would be that of another")
        PAGE.write_text(with_figures(page, found))


if __name__ == "__main__":
    main()
