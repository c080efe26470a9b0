"""What is wrong with sets of crates by policy.toml: licences, sources, bans, versions, checksums,
licence texts."""

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "packaging"))

POLICY = tomllib.loads((HERE / "policy.toml").read_text())


class NotSpdx(ValueError):
    """Not an SPDX licence expression."""


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met by licences of `allowed` alone. WITH binds most, then
    AND, then OR."""
    words = re.findall(r"[()]|[^\s()]+", expression)

    def next_is(word):
        return bool(words) and words[0] == word

    def one_of():
        value = all_of()
        while next_is("OR"):
            words.pop(0)
            value = all_of() or value
        return value

    def all_of():
        value = simple()
        while next_is("AND"):
            words.pop(0)
            value = simple() and value
        return value

    def simple():
        word = words.pop(0) if words else ""
        if word == "(":
            value = one_of()
            if not words or words.pop(0) != ")":
                raise NotSpdx(expression)
            return value
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", word) or word in ("AND", "OR", "WITH"):
            raise NotSpdx(expression)
        if next_is("WITH"):
            words.pop(0)
            word += f" WITH {words.pop(0) if words else ''}"
        return word in allowed

    value = one_of()
    if words:
        raise NotSpdx(expression)
    return value


def complaints_of_lock(crates, policy=POLICY):
    """What is wrong with a Cargo.lock alone."""
    for package in crates.lock:
        name, source = package["name"], package.get("source", "")
        what = f"{name} {package['version']}"
        if name in policy["banned"]:
            yield f"{what} is banned: {policy['banned'][name]}"
        if (name, package["version"]) in crates.ours and not source:
            continue
        if source not in policy["sources"]:
            yield f"{what} is from {source or 'a directory'}, not from crates.io"
        if not re.fullmatch(r"[0-9a-f]{64}", package.get("checksum", "")):
            yield f"{what} has no checksum in Cargo.lock"


def complaints_of_licences(crates, policy=POLICY):
    """What is wrong with what crates say of their licences, most strictly in the library."""
    for key in sorted(set(crates.all) - crates.ours):
        crate = crates.all[key]
        what = f"{crate.name} {crate.version}"
        allowed = list(policy["licences"]["shipped"])
        if key not in crates.linked:
            allowed += policy["licences"]["development"]
        try:
            if not is_allowed(crate.licence, allowed):
                yield f"{what} has a licence that is not allowed: {crate.licence or 'none'}"
        except NotSpdx:
            yield f"{what} has a licence that cannot be read: {crate.licence or 'none'}"
        is_excused = crate.name in policy["without_text"] and key not in crates.linked
        if not crate.licence_texts() and not is_excused:
            yield f"{what} has no text of its licence"


def complaints_of_library(here, everywhere, policy=POLICY):
    """What must not ship, on this platform or any; and what ships twice from this one."""
    for key in sorted(here.shipped | everywhere.linked):
        if key[0] in policy["banned_from_library"]:
            yield f"{key[0]} {key[1]} must not ship: {policy['banned_from_library'][key[0]]}"
    names = [name for name, _ in here.shipped]
    for name in sorted(set(names)):
        is_twice = names.count(name) > 1
        if is_twice and name not in policy["duplicates"]:
            yield f"{name} ships in more than one version"
        if not is_twice and name in policy["duplicates"]:
            yield f"{name} is no longer there twice: take it off policy.toml"


def complaints(here, projects, policy=POLICY):
    """What is wrong, line by line; nothing if all is well. `here` is the library as this platform has
    it, `projects` are by directory, with the crates of all platforms."""
    for crates in projects.values():
        yield from complaints_of_lock(crates, policy)
        yield from complaints_of_licences(crates, policy)
    yield from complaints_of_library(here, projects["."], policy)
    lacking = {it.name for crates in projects.values() for it in crates.all.values() if not it.licence_texts()}
    for name in sorted(set(policy["without_text"]) - lacking):
        yield f"{name} has a licence's text, or is not there: take it off policy.toml"
