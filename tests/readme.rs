//! What the READMEs say. The project's: its program is extracted, built with the README's own command
//! against what `make` has built, and run against the stand-in service. That of the tests: what it names
//! is there, and it names every test.

#[path = "support/local_api.rs"]
mod local_api;

use local_api::LocalApi;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = include_str!("../README.md");
const TESTS_README: &str = include_str!("README.md");

/// Below tests/: where each file of this kind is a test, but for those in `HELPERS`.
const FOLDERS_OF_TESTS: [(&str, &str); 9] = [
    ("", "rs"),
    ("c", "c"),
    ("cpp", "cpp"),
    ("install", "sh"),
    ("languages", "sh"),
    ("network", "c"),
    ("platforms/windows/own", "c"),
    ("proof/exhaustion", "c"),
    ("properties", "rs"),
];
const HELPERS: [&str; 7] = [
    "install/packed.sh",
    "install/support.sh",
    "languages/swift_toolchain.sh",
    "languages/with_local_api.sh",
    "properties/c_api.rs",
    "properties/http_service.rs",
    "properties/main.rs",
];

/// The code block of the README that begins with ```` ```LANGUAGE ```` and holds `text`.
fn block(language: &str, text: &str) -> &'static str {
    let opening = format!("```{language}\n");
    README
        .split(opening.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .find(|block| block.contains(text))
        .unwrap_or_else(|| panic!("no {language} block with {text} in README.md"))
}

#[test]
fn the_key_stays_with_a_backend_and_a_device_gets_a_token() {
    let opening = README.split("\n## ").next().expect("a beginning");
    let opening = opening.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "The backend that has the key",
        "gets a token from that backend, and never the key",
        "It uploads with the token: `av_upload_file()`",
    ] {
        assert!(opening.contains(said), "README.md does not begin with: {said}");
    }
}

#[test]
fn what_a_static_program_needs_is_told_as_it_is_linked_in_the_tests() {
    let makefile = include_str!("../Makefile");
    let needed = makefile.lines().find_map(|line| line.strip_prefix("STATIC_LIBS := "));
    let told = format!("libapivideo.a {}", needed.expect("the Makefile tells what is needed"));
    assert!(README.contains(&told), "README.md does not say `{told}`");
}

#[test]
fn what_a_static_program_needs_on_windows_is_told_as_it_is_linked_in_the_tests() {
    let makefile = include_str!("../packaging/windows.mk");
    let needed = makefile.lines().find_map(|line| line.strip_prefix("WINDOWS_STATIC_LIBS := "));
    let needed = needed.expect("the Makefile tells what is needed");
    assert!(include_str!("../docs/PACKAGING.md").contains(&format!("`{needed}`")));
    assert!(include_str!("../examples/go/link_static.go").contains(&format!(" {needed}\n")));
}

#[test]
fn the_examples_in_other_languages_are_those_of_the_wrappers() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (directory, language) in [
        ("cpp", "cpp"),
        ("go", "go"),
        ("swift", "swift"),
        ("python", "python"),
        ("csharp", "csharp"),
        ("java", "java"),
        ("node", "js"),
    ] {
        let readme = examples.join(directory).join("README.md");
        let readme = std::fs::read_to_string(readme).expect("every wrapper has a README.md");
        let begin = readme.find(&format!("```{language}\n")).expect("an example");
        let example = &readme[begin..];
        let end = example.find("\n```\n").expect("its end") + "\n```\n".len();
        assert!(README.contains(&example[..end]), "README.md has another example for {directory}");
    }
}

/// Builds the program of the README that holds `text` by its command, in a directory of this name.
fn built_program(text: &str, name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made =
        Command::new("make").args(["--no-print-directory", "all"]).current_dir(root).status();
    assert!(made.expect("make runs").success());

    let directory = root.join("build/tests/readme").join(name);
    std::fs::create_dir_all(&directory).expect("a directory to build in");
    std::fs::write(directory.join("program.c"), block("c", text)).expect("program.c");
    // The README's command, run from the project's directory but for the program's own place.
    let command = block("sh", "cc program.c")
        .replace("cc program.c", "cc -Wall -Wextra -Wpedantic -Werror \"$OUT\"/program.c")
        .replace("-o program", "-o \"$OUT\"/program");
    let built = Command::new("sh")
        .args(["-euc", &command])
        .env("OUT", &directory)
        .current_dir(root)
        .status();
    assert!(built.expect("sh runs").success());
    directory.join("program")
}

/// What a program prints that is to succeed.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_program_of_a_device_is_the_example() {
    let (_, program) =
        include_str!("../examples/c/upload.c").split_once("*/\n").expect("a comment");
    assert_eq!(block("c", "av_upload_file").trim_end(), program.trim_end());
    assert!(program.lines().count() <= 30);
}

#[test]
fn the_programs_compile_as_they_stand_and_with_the_token_of_the_one_the_other_uploads() {
    let backend = built_program("av_tokens_create", "backend");
    let device = built_program("av_upload_file", "device");
    let service = LocalApi::start(&["--api-key", "demo"]);
    let said = printed(
        Command::new(backend)
            .env("APIVIDEO_API_KEY", "demo")
            .env("APIVIDEO_BASE_URL", &service.url),
    );
    let token = said.strip_suffix(" is valid for 3600 seconds\n").expect("what it prints");
    let said = printed(
        Command::new(device)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
            .env("APIVIDEO_UPLOAD_TOKEN", token)
            .env("APIVIDEO_BASE_URL", &service.url),
    );
    assert!(said.starts_with("0 of 1 parts\n"), "{said}");
    assert!(said.contains("\n1 of 1 parts\nvi"), "{said}");
    assert!(said.ends_with(" is whole\n"), "{said}");
}

/// The files in this folder of tests/, and in those below it, as seen from tests/.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries = std::fs::read_dir(tests.join(folder)).expect("a folder of the tests");
    entries
        .flat_map(|entry| {
            let entry = entry.expect("an entry of that folder");
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() { files_below(&path) } else { vec![path] }
        })
        .collect()
}

fn is_test(path: &Path) -> bool {
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (name, kind) = (text(path.file_name()), text(path.extension()));
    let folder = path.parent().unwrap_or(Path::new(""));
    let stands_among_tests = FOLDERS_OF_TESTS
        .iter()
        .any(|(of_tests, of_kind)| folder == Path::new(of_tests) && kind == *of_kind);
    (stands_among_tests && !HELPERS.iter().any(|helper| path == Path::new(helper)))
        || (name.starts_with("test_") && kind == "py")
        || name.ends_with(".test.mjs")
}

fn tests() -> Vec<PathBuf> {
    let found: Vec<_> = files_below(Path::new("")).into_iter().filter(|it| is_test(it)).collect();
    assert!(found.contains(&PathBuf::from("readme.rs")), "not even this one is found");
    found
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The second column of the tests' table: where a behaviour is tested.
fn places() -> impl Iterator<Item = &'static str> {
    let (_, table) = TESTS_README.split_once("\n## Behaviour by behaviour\n").expect("the table");
    let (table, _) = table.split_once("\n## ").expect("its end");
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").nth(1))
}

#[test]
fn what_the_readme_of_the_tests_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let find = |name: &str| {
        [root.join("tests").join(name), root.join(name)].into_iter().find(|it| it.exists())
    };
    for folder in quoted(TESTS_README).filter(|it| it.ends_with('/')) {
        assert!(find(folder).is_some_and(|it| it.is_dir()), "there is no folder {folder}");
    }
    for place in places() {
        let mut source = String::new();
        for name in quoted(place) {
            if name.contains(['/', '.']) {
                let path = find(name).unwrap_or_else(|| panic!("there is no {name}"));
                source = std::fs::read_to_string(path).unwrap_or_default();
            } else {
                let is_there = source
                    .split(|c: char| c != '_' && !c.is_alphanumeric())
                    .any(|word| word == name);
                assert!(is_there, "there is no {name} in what is named before it: {place}");
            }
        }
    }
}

#[test]
fn the_readme_of_the_tests_names_every_test() {
    let named: Vec<_> = places().flat_map(quoted).map(Path::new).collect();
    for test in tests() {
        assert!(
            named.contains(&test.as_path()),
            "tests/README.md has no row for {}",
            test.display()
        );
    }
}

#[test]
fn no_two_tests_have_the_same_name() {
    let mut known = HashMap::new();
    for test in tests() {
        let name = test.file_stem().expect("a test has a name").to_owned();
        if let Some(other) = known.insert(name, test.clone()) {
            panic!("{} is called as {} is", test.display(), other.display());
        }
    }
}
