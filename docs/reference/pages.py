#!/usr/bin/env python3
"""Prints a C header with each documented name put on its page of pages.dox: Doxygen's filter.

A name is on the page that is called as it, or as it begins: av_error_free on av_error, AV_STATUS_OK
on av_status. A constant whose comment begins with a member of a struct is where that is.
"""

import re
import sys
from pathlib import Path

# Each page, and its topic.
PAGES = dict(
    re.findall(
        r"@defgroup (\w+) \w+\n \*  @ingroup (\w+)\n",
        Path(__file__).with_name("pages.dox").read_text(),
    )
)

# A comment and what it documents: a macro, a function or the type of one, another type.
DOCUMENTED = re.compile(
    r"/\*\*(?P<comment>(?:[^*]|\*(?!/))*)\*/\n"
    r"(?:#define (?P<macro>\w+)|typedef struct (?P<struct>\w+)|typedef .*\(\*(?P<callback>\w+)\)"
    r"|typedef .* (?P<type>\w+);|\w.*?(?P<function>\w+)\()"
)


def page_of(name, comment):
    member = re.match(r"[\s*]*(\w+)\.\w+:", comment)
    words = (member[1] if member else name).lower() + "_"
    fitting = [page for page in PAGES if words.startswith(page + "_")]
    if not fitting:
        sys.exit(f"{name} has no page: docs/reference/pages.dox wants one")
    return max(fitting, key=len)


def with_page(match):
    groups = match.groupdict()
    comment = groups.pop("comment")
    name = next(filter(None, groups.values()))
    return match[0].replace("/**", f"/** @ingroup {page_of(name, comment)}\n", 1)


if __name__ == "__main__":
    print(DOCUMENTED.sub(with_page, Path(sys.argv[1]).read_text()), end="")
