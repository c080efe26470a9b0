#!/usr/bin/env python3
"""Makes a man page of each page of pages.dox, and one that leads there for every other name on it.

man.py XML VERSION DIRECTORY: XML is what Doxygen has made of the headers, VERSION that of the
library; DIRECTORY, whose name is man3, gets the pages.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from pages import PAGES

WIDTH = 72  # of a declaration: with its margin it fits a terminal of 80 columns

# What roff would take for something else, and what not every terminal has.
ESCAPES = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", "…": "..."}
)


def escaped(text):
    text = text.translate(ESCAPES)
    if not text.isascii():
        sys.exit(f"man.py does not know how to write this in roff: {text}")
    return text


def text_of(element):
    """What an element says, on one line."""
    return " ".join("".join(element.itertext()).split())


# Descriptions. They are made of blocks, each a list of lines of roff: one that does not begin with
# a request is a paragraph of text.


def blocks_of(element):
    """The blocks of a description, or of a paragraph of one."""
    blocks = []
    line = ""

    def end_line():
        nonlocal line
        if line.strip():
            blocks.append([re.sub(r"^(?=[.])", r"\&", line.strip())])
        line = ""

    line += spoken(element.text)
    for child in element:
        if child.tag in BLOCKS:
            end_line()
            blocks += BLOCKS[child.tag](child)
        else:
            line += INLINE[child.tag](escaped(text_of(child)))
        line += spoken(child.tail)
    end_line()
    return blocks


def spoken(text):
    return escaped(re.sub(r"\s+", " ", text or ""))


def bold(text):
    return rf"\fB{text}\fP"


def reference(text):
    """A name that has a man page if it is that of a function."""
    return bold(text[:-2]) + "(3)" if text.endswith("()") else bold(text)


INLINE = {"ref": reference, "computeroutput": bold, "ulink": str}


def program(element):
    lines = []
    for codeline in element:
        for space in codeline.iter("sp"):
            space.text = " "
        lines.append(re.sub(r"^(?=[.])", r"\&", escaped("".join(codeline.itertext()))))
    return [[".EX", *lines, ".EE", ".nh"]]


def parameters(element):
    return [
        labelled(rf"\fI{escaped(text_of(item[0]))}\fP", blocks_of(item[1])) for item in element
    ]


def ordered(element):
    return [
        [f".IP {number}. 4", *lines_of(blocks_of(item), ".IP")]
        for number, item in enumerate(element, 1)
    ]


def itemized(element):
    return [[r".IP \(bu 4", *lines_of(blocks_of(item), ".IP")] for item in element]


def section_of_its_own(element):
    """What is returned, and examples, do not stay in the description."""
    return []


BLOCKS = {
    "para": blocks_of,
    "programlisting": program,
    "parameterlist": parameters,
    "orderedlist": ordered,
    "itemizedlist": itemized,
    "simplesect": section_of_its_own,
}


def labelled(label, blocks):
    return [".TP", label, *lines_of(blocks, ".IP")]


def lines_of(blocks, paragraph=".PP"):
    """The lines of blocks, of which the first stands behind a heading or a label."""
    lines = []
    for block in blocks:
        if lines and not block[0].startswith((".TP", ".IP")):
            lines.append(paragraph)
        lines += block
    return lines


def description_of(item):
    """The blocks of all that is said about a name. Doxygen keeps its first sentence apart."""
    brief = blocks_of(item.find("briefdescription"))
    rest = blocks_of(item.find("detaileddescription"))
    if not brief + rest:
        sys.exit(f"{item.findtext('name')} is not documented")
    if brief and rest and not rest[0][0].startswith("."):
        brief[-1][-1] += " " + rest.pop(0)[0]
    return brief + rest


def returned(item):
    """The blocks that say what a function returns."""
    return [
        block
        for section in item.findall("detaileddescription//simplesect[@kind='return']")
        for block in blocks_of(section)
    ]


# Declarations.


def declaration(type_text, name):
    """A type and what has it. C needs no `struct` where there is a typedef."""
    type_text = re.sub(r"\bstruct (?=av_)", "", type_text)
    return f"{type_text} {name}".replace("* ", "*").strip()


def member_declaration(item):
    name = item.findtext("name") + item.findtext("argsstring")  # "[4]" of an array
    return declaration(text_of(item.find("type")), name)


def prototype(start, parameters):
    """The lines of a function's declaration, with as many parameters on each as fit."""
    indent = " " * len(start) + " "
    if max(map(len, parameters)) + len(indent + ");") > WIDTH:
        indent = "    "  # one is too long to stand below the first
    lines = [start + "(" + parameters[0]]
    for parameter in parameters[1:]:
        lines[-1] += ","
        if len(f"{lines[-1]} {parameter});") > WIDTH:
            lines.append(indent + parameter)
        else:
            lines[-1] += " " + parameter
    lines[-1] += ");"
    return lines


def synopsis_of(item):
    """The declaration of a name, as lines of C."""
    name = item.findtext("name")
    if item.get("kind") == "function":
        types = [(it.find("type"), it.findtext("declname", "")) for it in item.iter("param")]
        return prototype(
            declaration(text_of(item.find("type")), name),
            [declaration(text_of(kind), declared) for kind, declared in types],
        )
    if item.get("kind") == "struct":
        members = [f"    {member_declaration(it)};" for it in item.iter("memberdef")]
        return [f"typedef struct {name} {{", *members, f"}} {name};"]
    definition = text_of(item.find("definition"))
    if callback := re.fullmatch(r"(typedef .*)\(\* (\w+)\) \((.*)\)", definition):
        parameters = re.sub(r"\bstruct (?=av_)", "", callback[3]).split(", ")
        return prototype(f"{callback[1]} (*{callback[2]})", parameters)
    return [f"{definition};"]


# Pages.


class Page:
    """What Doxygen knows of a page: its group, and what is on it."""

    def __init__(self, xml, name):
        def compound(identifier):
            return ElementTree.parse(Path(xml, f"{identifier}.xml")).find("compounddef")

        self.name = name
        self.group = compound("group__" + name.replace("_", "__"))
        members = list(self.group.iterfind("sectiondef/memberdef"))
        structs = [compound(it.get("refid")) for it in self.group.iterfind("innerclass")]
        for struct in structs:
            struct.find("compoundname").tag = "name"  # as members have it

        def of_kind(kind):
            return [it for it in members if it.get("kind") == kind]

        # What the page is called as comes first.
        self.items = of_kind("function") + structs + of_kind("typedef")
        self.items.sort(key=lambda it: it.findtext("name") != name)
        self.constants = of_kind("define")
        if not self.items + self.constants:
            sys.exit(f"nothing is on the page {name}")

    def names(self):
        """The names that lead here, its own first: constants have none."""
        return list(dict.fromkeys([self.name, *(it.findtext("name") for it in self.items)]))

    def identifiers(self):
        """What references to something on it may go to."""
        everything = [self.group, *self.items, *self.constants]
        return {it.get("id") for one in everything for it in one.iter() if it.get("id")}

    def references(self):
        """What is referred to on it."""
        return {it.get("refid") for item in self.items for it in item.iter("ref")}


def synopsis(page):
    lines = [".SH SYNOPSIS", ".nf", bold("#include <apivideo.h>")]
    for item in page.items:
        lines += ["", *(bold(escaped(line)) for line in synopsis_of(item))]
    return lines + [".fi", ".PP", r"Link with \fB\-lapivideo\fP."]


def description(page):
    lines = [".SH DESCRIPTION", *lines_of(blocks_of(page.group.find("detaileddescription")))]
    for item in page.items:
        name = item.findtext("name")
        if name != page.name:
            lines.append(f".SS {name}" + ("()" if item.get("kind") == "function" else ""))
        lines += lines_of(description_of(item))
        if item.get("kind") == "struct":
            for member in item.iter("memberdef"):
                label = bold(escaped(member_declaration(member)))
                lines += labelled(label, description_of(member))
    if page.constants:
        lines.append(".SS Constants")
    for item in page.constants:
        value = escaped(text_of(item.find("initializer")))
        lines += labelled(f"{bold(item.findtext('name'))} ({value})", description_of(item))
    return lines


def return_value(page):
    results = {it.findtext("name"): returned(it) for it in page.items if returned(it)}
    if not results:
        return []
    if len(results) == 1:
        return [".SH RETURN VALUE", *lines_of(*results.values())]
    items = [labelled(bold(f"{name}()"), blocks) for name, blocks in results.items()]
    return [".SH RETURN VALUE", *lines_of(items)]


def examples(page):
    """The programs that show how it is used."""
    shown = page.group.findall("detaileddescription//simplesect//programlisting")
    blocks = [block for listing in shown for block in program(listing)]
    return [".SH EXAMPLES", *lines_of(blocks)] if blocks else []


def see_also(page, pages):
    """The other pages of its topic, and those that it refers to. The first knows all."""
    names = {"apivideo"}
    for other in pages:
        is_sibling = PAGES[other.name] == PAGES[page.name]
        if is_sibling or page.name == "apivideo" or other.identifiers() & page.references():
            names.add(other.name)
    *others, last = sorted(names - {page.name})
    return [".SH SEE ALSO", *(f".BR {it} (3)," for it in others), f".BR {last} (3)"]


def man_page(page, pages, version):
    about = escaped(text_of(page.group.find("briefdescription")).rstrip("."))
    lines = [
        r'.\" Made by docs/reference/man.py from the comments of apivideo.h.',
        f'.TH {page.name} 3 "" "apivideo {version}" "apivideo"',
        # No justified text, and no hyphen inside a name.
        ".ad l",
        ".nh",
        ".SH NAME",
        rf"{', '.join(page.names())} \- {about[0].lower()}{about[1:]}",
        *synopsis(page),
        *description(page),
        *return_value(page),
        *examples(page),
        *see_also(page, pages),
    ]
    return "\n".join(lines) + "\n"


def main(xml, version, directory):
    pages = [Page(xml, name) for name in PAGES]
    directory = Path(directory)
    directory.mkdir(parents=True)
    for page in pages:
        (directory / f"{page.name}.3").write_text(man_page(page, pages, version))
        for name in page.names()[1:]:
            (directory / f"{name}.3").write_text(f".so {directory.name}/{page.name}.3\n")


main(*sys.argv[1:])
