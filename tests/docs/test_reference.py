#!/usr/bin/env python3
"""The reference is whole: every name has its page, in HTML and for man; the pages are sound; and what
is not documented is refused. Run by `make test-docs`, which sets BUILD, where `make docs` has put
them, and LIB, the directory of libapivideo.so."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD, LIB = Path(os.environ["BUILD"]).resolve(), Path(os.environ["LIB"])
HTML, MAN = BUILD / "docs/html", BUILD / "man"
HEADER = re.sub(r"/\*.*?\*/", "", (ROOT / "include/apivideo.h").read_text(), flags=re.S)
VERSION = re.search(r'#define APIVIDEO_VERSION "(.*)"', HEADER)[1]
ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": ""}


def run(*command):
    """What a command prints and complains about, and how it ends."""
    try:
        return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is missing: tests/setup.sh installs it") from None


def page_of(name):
    """The file that `man` opens for a name."""
    found = run("man", "-M", MAN, "-w", "3", name)
    assert found.returncode == 0, found.stderr
    return Path(found.stdout.strip())


def man(name):
    """What `man` shows of a name: the text below each heading."""
    return shown(page_of(name))


@functools.cache
def shown(page):
    parts = re.split(r"^([A-Z][A-Z ]+)$", run("man", "-M", MAN, "3", page.stem).stdout, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def functions():
    lines = run("nm", "-D", "--defined-only", LIB / "libapivideo.so").stdout.splitlines()
    return [line.split()[2] for line in lines]


def functions_that_request():
    """Those that take options of a request."""
    return re.findall(r"\b(\w+)\([^;]*?av_request_options[^;]*;", HEADER)


def types():
    return re.findall(r"^typedef .*?(av_\w+)(?: \{|;|\)\()", HEADER, re.M)


def constants():
    return re.findall(r"^#define (\w+) ", HEADER, re.M)


def pages():
    return sorted(it for it in MAN.glob("man3/*.3") if not it.read_text().startswith(".so"))


class ManPages(unittest.TestCase):
    def test_every_function_has_one_that_declares_and_describes_it(self):
        self.assertGreater(len(functions()), 40)
        for name in functions():
            with self.subTest(name):
                page = man(name)
                self.assertRegex(page["SYNOPSIS"], rf"\b{name}\(")
                self.assertIn(name, page["NAME"])
                self.assertGreater(len(page["DESCRIPTION"].split()), 4)
                self.assertIn("(3)", page["SEE ALSO"])

    def test_every_type_has_one_that_declares_it(self):
        self.assertIn("av_trace_fn", types())
        self.assertIn("av_token_page", types())
        for name in types():
            with self.subTest(name):
                self.assertRegex(man(name)["SYNOPSIS"], rf"\b{name}\b")

    def test_every_constant_is_on_one_with_its_value(self):
        text = "".join(it.read_text() for it in pages())
        self.assertIn("AV_STATUS_OK", constants())
        for name in constants():
            self.assertTrue(re.search(rf"\\fB{name}\\fP \(.+\)\n.", text), name)

    def test_accessors_share_that_of_their_type(self):
        for name, page in [
            ("av_error_message", "av_error"),
            ("av_error_problem_title_at", "av_error"),
            ("av_response_header", "av_response"),
            ("av_token_page_free", "av_token_page"),
            ("av_client_config", "av_client"),
        ]:
            self.assertEqual(page_of(name), MAN / f"man3/{page}.3")

    def test_parameters_and_results_are_told(self):
        page = man("av_tokens_create")
        for parameter in ["client", "ttl_seconds", "options", "out", "error"]:
            self.assertRegex(page["DESCRIPTION"], rf"(?m)^ {{7}}{parameter}\b")
        self.assertIn("RATE_LIMITED", page["RETURN VALUE"])

    def test_every_function_that_makes_a_request_has_an_example_that_calls_it(self):
        known = {"av_tokens_create", "av_token_iter_next"}
        self.assertLessEqual(known, set(functions_that_request()))
        for name in functions_that_request():
            with self.subTest(name):
                self.assertRegex(man(name)["EXAMPLES"], rf"\b{name}\(")

    def test_every_example_is_on_one_as_it_is(self):
        text = "".join(shown(page).get("EXAMPLES", "") for page in pages())
        text = re.sub(r"(?m)^ {7}", "", text)
        for example in (ROOT / "examples/c/concepts").glob("*.c"):
            self.assertTrue(example.read_text() in text, example.name)

    def test_apropos_finds_every_name(self):
        for page in pages():
            found = re.findall(r': "(\w+) - .', run("lexgrog", page).stdout)
            told = re.search(r"\.SH NAME\n(.*) \\- ", page.read_text())[1].split(", ")
            self.assertEqual(found, told)

    def test_groff_and_man_have_nothing_to_complain_about(self):
        self.assertGreater(len(pages()), 10)
        for page in pages():
            for command in [
                ("groff", "-ww", "-man", "-Tutf8", "-z", page),
                ("man", "--warnings=w", "--encoding=UTF-8", "--local-file", page),
            ]:
                self.assertEqual(run(*command).stderr, "", page.name)

    def test_they_fit_a_terminal_of_80_columns_but_for_longer_examples(self):
        narrow = ENVIRONMENT | {"MANWIDTH": "80"}
        for page in pages():
            command = ["man", "--local-file", page]
            text = subprocess.run(command, capture_output=True, text=True, env=narrow).stdout
            text = text.split("\nEXAMPLES\n")[0]
            self.assertLessEqual(max(map(len, text.splitlines())), 80, page.name)


class Html(unittest.TestCase):
    def test_every_name_is_on_the_page_of_its_group(self):
        text = "".join(it.read_text() for it in HTML.glob("group__*.html"))
        for name in functions() + types() + constants():
            declared = rf'class="memname">([^<]|</?a[^>]*>)*\b{name}\b'
            self.assertTrue(re.search(declared, text), name)

    def test_the_first_page_leads_to_every_topic(self):
        front = (HTML / "index.html").read_text()
        for page in ["apivideo", "av__client", "tokens", "calls", "errors"]:
            self.assertIn(f'href="group__{page}.html"', front)


class Making(unittest.TestCase):
    """Makes it once more, elsewhere."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.elsewhere = Path(directory.name, "somewhere/else")
        for name in ["include", "docs/reference", "examples/c/concepts"]:
            shutil.copytree(ROOT / name, self.elsewhere / name)

    def make(self):
        script = self.elsewhere / "docs/reference/make.sh"
        return run("sh", script, VERSION, self.elsewhere / "build")

    def change(self, path, old, new):
        path = self.elsewhere / path
        text = path.read_text()
        self.assertEqual(text.count(old), 1, old)
        path.write_text(text.replace(old, new))

    def assert_refused(self, complaint):
        made = self.make()
        self.assertNotEqual(made.returncode, 0)
        self.assertIn(complaint, made.stderr)

    def test_the_same_bytes_come_of_it_whatever_the_directory(self):
        made = self.make()
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        for kind in ["docs/html", "man"]:
            here = {it.relative_to(BUILD): it.read_bytes() for it in files(BUILD / kind)}
            build = self.elsewhere / "build"
            there = {it.relative_to(build): it.read_bytes() for it in files(build / kind)}
            self.assertGreater(len(here), 50)
            self.assertEqual({it for it in here if here[it] != there.get(it)}, set())
            self.assertEqual(here.keys(), there.keys())

    def test_a_function_without_a_comment_is_refused(self):
        self.change(
            "include/apivideo.h",
            "/**\n * Frees an error and its strings. NULL is a no-op.\n */\n",
            "",
        )
        self.assert_refused("av_error_free")

    def test_a_parameter_without_a_comment_is_refused(self):
        self.change("include/apivideo.h", " * @param ttl_seconds  how", " * how")
        self.assert_refused("ttl_seconds")

    def test_a_comment_on_no_parameter_is_refused(self):
        self.change("include/apivideo.h", " * @param ttl_seconds  how", " * @param ttl_second  how")
        self.assert_refused("ttl_second")

    def test_a_member_without_a_comment_is_refused(self):
        comment = "  /**\n   * 0, or one or both of AV_CLIENT_ALLOW_PLAIN_HTTP and AV_CLIENT_NO_CREDENTIAL.\n   */\n"
        self.change("include/apivideo.h", comment, "")
        self.assert_refused("flags")

    def test_a_name_without_a_page_is_refused(self):
        self.change(
            "include/apivideo.h",
            "#define AV_STATUS_OK 0\n",
            "#define AV_STATUS_OK 0\n\n/**\n * What nobody knows.\n */\n#define AV_NOVELTY 1\n",
        )
        self.assert_refused("AV_NOVELTY has no page")

    def test_a_page_without_a_name_is_refused(self):
        self.change(
            "docs/reference/pages.dox",
            " *  @defgroup av_outcome av_outcome\n",
            " *  @defgroup av_nothing av_nothing\n *  @ingroup errors\n *  @brief Nothing.\n *\n"
            " *  @defgroup av_outcome av_outcome\n",
        )
        self.assert_refused("nothing is on the page av_nothing")

    def test_an_example_that_is_not_there_is_refused(self):
        (self.elsewhere / "examples/c/concepts/fork.c").unlink()
        self.assert_refused("fork.c")


def files(directory):
    return [it for it in directory.rglob("*") if it.is_file()]


if __name__ == "__main__":
    unittest.main()
