#!/usr/bin/env python3
"""What programs have compiled in of apivideo.h and look for in the library, and whether it is kept.

abi.py check HEADER LIBRARY   compares them with every record of their ABI, by docs/ABI.md
abi.py record HEADER LIBRARY  writes down what they are, under the version that the header tells

A record is a directory beside this file that is called as a version: the header; abi.txt, what
header and library come to; and abi-32.txt, how structures lie where pointers have 32 bits.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

RECORDS = Path(__file__).parent

# What clang calls the platforms, and the table of a record that holds there. With 32 bits it is one,
# too, though integers of 64 are aligned to four bytes on x86, and to eight on Arm.
TABLES = {
    "x86_64-linux-gnu": "abi.txt",
    "aarch64-linux-gnu": "abi.txt",
    "riscv64-linux-gnu": "abi.txt",
    "s390x-linux-gnu": "abi.txt",
    "x86_64-linux-musl": "abi.txt",
    "aarch64-linux-musl": "abi.txt",
    "x86_64-w64-windows-gnu": "abi.txt",
    "x86_64-apple-darwin": "abi.txt",
    "arm64-apple-darwin": "abi.txt",
    "i686-linux-gnu": "abi-32.txt",
    "armv7-linux-gnueabihf": "abi-32.txt",
}


def run(*command, source=None):
    """What a command prints that must succeed."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, input=source)
        return done.stdout
    except FileNotFoundError:
        sys.exit(f"{command[0]} is missing: tests/setup.sh installs it")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{' '.join(map(str, command))}: {failed.stderr}")


# The ABI as facts: (kind, name) and what it is.


def abi_of(header, library, target="x86_64-linux-gnu"):
    """The facts of a header, for a platform, and of a library."""
    exports = [line.split()[2] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    return facts_of(header, target) | {("export", name): "function" for name in sorted(exports)}


def facts_of(header, target="x86_64-linux-gnu"):
    """The facts of a header, as the compiler understands it for a platform."""
    nodes = [it for it in tree_of(header, target) if it.get("name", "").startswith("av_")]
    structs = {node["name"]: node for node in nodes if node.get("completeDefinition")}
    facts = {}
    for node in nodes:
        name, type_name = node["name"], node.get("type", {}).get("qualType")
        if node["kind"] == "RecordDecl" and name not in structs:
            facts["opaque", name] = "struct"
        elif node["kind"] == "TypedefDecl" and type_name != f"struct {name}":
            facts["type", name] = type_name
        elif node["kind"] == "FunctionDecl":
            facts["function", name] = type_name
    return facts | measured(header, target, structs)


def measured(header, target, structs):
    """What takes a compiler to find out: sizes, offsets and values."""
    rows = []  # facts, an expression for each of their figures, and what follows these
    for name, node in structs.items():
        rows.append((("struct", name), [f"sizeof({name})"], ""))
        for member in node["inner"]:
            if member["kind"] == "FieldDecl":
                place, type_name = f"{name}, {member['name']}", member["type"]["qualType"]
                figures = [f"offsetof({place})", f"SIZE_OF({place})"]
                rows.append((("member", f"{name}.{member['name']}"), figures, f" {type_name}"))
    macros = clang(header, target, "-dM", "-E")
    for name, value in sorted(re.findall(r"^#define (A(?:V|PIVIDEO)_\w+) (.+)$", macros, re.M)):
        if name.startswith("APIVIDEO_VERSION"):
            continue  # what is meant to change
        figures, text = ([], value) if value.startswith('"') else ([name], "")
        rows.append((("constant", name), figures, text))

    values = iter(values_of(header, target, [it for _, figures, _ in rows for it in figures]))
    return {fact: " ".join(next(values) for _ in figures) + rest for fact, figures, rest in rows}


def values_of(header, target, expressions):
    """What they come to, which the compiler tells of an enumeration. Nothing is run."""
    names = "".join(f"value_{i} = (int)({it}),\n" for i, it in enumerate(expressions))
    macro = "#define SIZE_OF(type, member) sizeof(((type *)0)->member)\n"
    enumeration = tree_of(header, target, f"{macro}enum {{\n{names}}};\n")[-1]
    return [it["inner"][0]["value"] for it in enumeration["inner"]]


def tree_of(header, target, more=""):
    """What the compiler makes of a header, and of what follows it."""
    tree = clang(header, target, "-fsyntax-only", "-Xclang", "-ast-dump=json", more=more)
    return json.loads(tree)["inner"]


def clang(header, target, *options, more=""):
    """What clang prints of a header. Of a platform it needs nothing but what it has itself."""
    source = f'#include "{Path(header).resolve()}"\n{more}'
    return run("clang", f"--target={target}", "-ffreestanding", *options, "-xc", "-", source=source)


# Whether it is kept.


def breaches(old, new):
    """What a program made for the old ABI would find broken in the new one."""
    for (kind, name), was in old.items():
        if (kind, name) not in new:
            if kind != "member" or not is_reserve(old, name):
                yield f"{kind} {name} is gone"
        elif kind == "struct":
            yield from breaches_of_struct(name, old, new)
        elif kind == "member" and is_reserve(old, name):
            continue  # looked at with its struct
        elif new[kind, name] != was:
            yield f"{kind} {name} was {was}, and is {new[kind, name]}"


def breaches_of_struct(name, old, new):
    """Input structs may grow at their end; results keep their size, and use up their reserve."""
    size, new_size = int(old["struct", name]), int(new["struct", name])
    if is_input(old, name):
        room = set(range(size, new_size))
    else:
        reserves = [it for it in members_of(old, name) if is_reserve(old, it)]
        room = {byte for reserve in reserves for byte in bytes_of(old, reserve)}
        if new_size != size:
            yield f"struct {name} had {size} bytes, and has {new_size}"
    for member in members_of(new, name):
        is_new = ("member", member) not in old or is_reserve(old, member)
        if is_new and not room.issuperset(bytes_of(new, member)):
            yield f"member {member} lies where there was no room for it"


def members_of(abi, struct):
    return [name for kind, name in abi if kind == "member" and name.startswith(struct + ".")]


def bytes_of(abi, member):
    offset, size = map(int, abi["member", member].split()[:2])
    return range(offset, offset + size)


def is_input(abi, struct):
    return ("member", f"{struct}.struct_size") in abi


def is_reserve(abi, member):
    """Whether it is the reserve of a result."""
    struct, name = member.split(".")
    return name.startswith("reserved") and not is_input(abi, struct)


# Records.


def version_of(header):
    version = re.search(r'#define APIVIDEO_VERSION "([\d.]+)"', Path(header).read_text())[1]
    return tuple(map(int, version.split(".")))


def same_abi(one, other):
    """Before 1.0 every minor version has an ABI of its own."""
    return one[0] == other[0] and (one[0] > 0 or one[1] == other[1])


def records_for(header):
    """The records that a header has to keep to, the oldest first."""
    version = version_of(header)
    records = {version_of(it): it.parent for it in RECORDS.glob("*/apivideo.h")}
    kept = [records[it] for it in sorted(records) if same_abi(it, version)]
    if not kept:
        sys.exit(f"there is no record of the ABI of {header} yet: `make abi-record` makes it")
    return kept


def read(record, table="abi.txt"):
    lines = (record / table).read_text().splitlines()
    return {(kind, name): value for kind, name, value in (line.split(" ", 2) for line in lines)}


def text_of(abi):
    return "".join(f"{kind} {name} {value}\n" for (kind, name), value in abi.items())


def layout_of(abi):
    """What of an ABI is another one where pointers have 32 bits."""
    return {fact: value for fact, value in abi.items() if fact[0] in ("struct", "member")}


def breaches_anywhere(record, header, library):
    """What programs made for a record would find broken, on whichever platform."""
    for target, table in TABLES.items():
        for breach in breaches(read(record, table), abi_of(header, library, target)):
            yield f"{target}: {breach}"


def check(header, library):
    broken = False
    for record in records_for(header):
        for breach in breaches_anywhere(record, header, library):
            print(f"{record.name}: {breach}", file=sys.stderr)
            broken = True
    return 1 if broken else 0


def record(header, library):
    directory = RECORDS / ".".join(map(str, version_of(header)))
    abi, layout_32 = abi_of(header, library), layout_of(facts_of(header, "i686-linux-gnu"))
    if directory.exists():
        sys.exit(f"{directory.name} is recorded: remove that first, if it is not released yet")
    directory.mkdir()
    shutil.copy(header, directory / "apivideo.h")
    (directory / "abi.txt").write_text(text_of(abi))
    (directory / "abi-32.txt").write_text(text_of(layout_32))
    return 0


if __name__ == "__main__":
    sys.exit({"check": check, "record": record}[sys.argv[1]](*sys.argv[2:]))
