"""What is wrong with a set of crates by policy.toml: licences, sources, bans, versions, checksums,
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


def complaints_of_lock(lock, own, policy=POLICY):
    """What is wrong with a Cargo.lock alone, but for crates of our `own`: it has all platforms'."""
    for package in lock:
        name, source = package["name"], package.get("source", "")
        what = f"{name} {package['version']}"
        if name in policy["banned"]:
            yield f"{what} is banned: {policy['banned'][name]}"
        if name in own and not source:
            continue
        if source not in policy["sources"]:
            yield f"{what} is from {source or 'a directory'}, not from crates.io"
        if not re.fullmatch(r"[0-9a-f]{64}", package.get("checksum", "")):
            yield f"{what} has no checksum in Cargo.lock"


def complaints(crates, lock, policy=POLICY):
    """What is wrong, line by line; nothing if all is well."""
    yield from complaints_of_lock(lock, [crates.own.name], policy)
    for key in sorted(crates.shipped | crates.development):
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
        if key in crates.shipped and crate.name in policy["banned_from_library"]:
            yield f"{what} must not ship: {policy['banned_from_library'][crate.name]}"

    names = [name for name, _ in crates.shipped]
    for name in sorted(set(names)):
        is_twice = names.count(name) > 1
        if is_twice and name not in policy["duplicates"]:
            yield f"{name} ships in more than one version"
        if not is_twice and name in policy["duplicates"]:
            yield f"{name} is no longer there twice: take it off policy.toml"
    lacking = {it.name for it in crates.all.values() if not it.licence_texts()}
    for name in sorted(set(policy["without_text"]) - lacking):
        yield f"{name} has a licence's text, or is not there: take it off policy.toml"
