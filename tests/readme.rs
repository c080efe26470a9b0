//! The README's program: it is extracted, built with the README's own command against what `make`
//! has built, and run against the stand-in service.

#[path = "support/local_api.rs"]
mod local_api;

use local_api::LocalApi;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

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
    let opening = README.split("\n## ").next().expect("a beginning").replace('\n', " ");
    for said in
        ["the backend that has the key", "gets a token from that backend, and never the key"]
    {
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

#[test]
fn the_program_compiles_as_it_stands_and_creates_a_token() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made =
        Command::new("make").args(["--no-print-directory", "all"]).current_dir(root).status();
    assert!(made.expect("make runs").success());

    let directory = root.join("build/tests/readme");
    std::fs::create_dir_all(&directory).expect("a directory to build in");
    std::fs::write(directory.join("program.c"), block("c", "int main")).expect("program.c");
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

    let service = LocalApi::start(&["--api-key", "demo"]);
    let output = Command::new(directory.join("program"))
        .env("APIVIDEO_API_KEY", "demo")
        .env("APIVIDEO_BASE_URL", &service.url)
        .output()
        .expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.ends_with(" is valid for 3600 seconds\n"), "{said}");
    assert!(output.status.success());
}
