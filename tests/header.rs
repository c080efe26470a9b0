//! The public header: what cbindgen makes of src/ffi is what is committed, and every compiler takes
//! it as it is.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The header as cbindgen makes it now.
fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let bindings = cbindgen::generate_with_config(root, config).expect("the sources parse");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).expect("UTF-8")
}

#[test]
fn every_type_of_the_header_is_called_after_the_library() {
    let header = include_str!("../include/apivideo.h");
    let types = header.lines().filter(|line| line.starts_with("typedef struct "));
    let foreign: Vec<_> = types.filter(|line| !line.starts_with("typedef struct av_")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn the_committed_header_is_what_cbindgen_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/apivideo.h");
    let generated = generated();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("include/apivideo.h can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("include/apivideo.h");
    assert!(committed == generated, "include/apivideo.h is out of date: run `make header`");
}

/// What a program that includes it is compiled with.
const COMPILERS: &[(&str, &str, &[&str])] = &[
    ("gcc", "c", &["c99", "c11", "c2x"]),
    ("clang", "c", &["c99", "c11", "c2x"]),
    ("g++", "c++", &["c++11", "c++20"]),
    ("clang++", "c++", &["c++11", "c++20"]),
];

/// Processors of 64 and 32 bits. The last two differ in how they align 64-bit integers.
const TARGETS: &[&str] =
    &["x86_64-unknown-linux-gnu", "aarch64-none-elf", "i386-unknown-linux-gnu", "armv7a-none-eabi"];

/// The header as it is committed.
fn header() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/apivideo.h");
    std::fs::read_to_string(path).expect("include/apivideo.h")
}

/// Compiles `source` with every warning an error; what the compiler complains about if it does.
fn compile(compiler: &str, arguments: &[&str], source: &str) -> Result<(), String> {
    let include = format!("-I{}/include", env!("CARGO_MANIFEST_DIR"));
    let mut process = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", &include, "-c", "-o", "/dev/null"])
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{compiler}: {error} (tests/setup.sh installs it)"));
    let mut stdin = process.stdin.take().expect("it is piped");
    stdin.write_all(source.as_bytes()).expect("the compiler reads");
    drop(stdin);
    let output = process.wait_with_output().expect("the compiler ends");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(complaint) }
}

/// Compiles `source` for one of [`TARGETS`], where no library of C is needed.
fn compile_for(target: &str, source: &str) -> Result<(), String> {
    let target = format!("--target={target}");
    compile("clang", &[&target, "-x", "c", "-std=c11", "-ffreestanding", "-Wpadded"], source)
}

#[test]
fn it_compiles_alone_and_twice_in_every_dialect_without_a_warning() {
    for (compiler, language, standards) in COMPILERS {
        for standard in *standards {
            for source in
                ["#include <apivideo.h>\n", "#include <apivideo.h>\n#include <apivideo.h>\n"]
            {
                let standard = format!("-std={standard}");
                let result = compile(compiler, &["-x", language, &standard], source);
                assert_eq!(result, Ok(()), "{compiler} {standard}");
            }
        }
    }
}

#[test]
fn its_example_is_a_program() {
    let header = header();
    let example = header.split("@code").nth(1).and_then(|rest| rest.split("@endcode").next());
    let lines: Vec<&str> =
        example.expect("an example").lines().map(|line| line.trim_start_matches(" *")).collect();
    let source = format!(
        "#include <apivideo.h>\n#include <stdio.h>\n#include <stdlib.h>\nint main(void) {{\n{}\nreturn 0;\n}}\n",
        lines.join("\n")
    );
    for compiler in ["gcc", "clang"] {
        assert_eq!(compile(compiler, &["-x", "c", "-std=c11"], &source), Ok(()), "{compiler}");
    }
}

#[test]
fn no_struct_has_padding_whatever_the_processor() {
    let padded = "struct padded { char one; int other; };\nstruct padded it;\n";
    for target in TARGETS {
        assert!(compile_for(target, padded).is_err_and(|why| why.contains("padding")), "{target}");
        assert_eq!(compile_for(target, "#include <apivideo.h>\n"), Ok(()), "{target}");
    }
}

#[test]
fn members_before_the_first_pointer_lie_alike_on_all_processors() {
    let offsets = [
        ("av_client_config", "struct_size", 0),
        ("av_request_options", "struct_size", 0),
        ("av_tokens_list_params", "struct_size", 0),
        ("av_token", "created_at", 0),
        ("av_token", "expires_at", 8),
        ("av_token", "reserved", 16),
        ("av_token", "token", 48),
        ("av_token_page", "items_total", 0),
        ("av_token_page", "reserved", 8),
        ("av_token_page", "items", 40),
        ("av_upload_progress", "bytes_confirmed", 0),
        ("av_upload_progress", "reserved", 32),
        ("av_upload_progress", "parts_confirmed", 64),
        ("av_upload_params", "struct_size", 0),
        ("av_uploaded_video", "created_at", 0),
        ("av_uploaded_video", "reserved", 24),
        ("av_uploaded_video", "video_id", 56),
    ];
    let mut source = String::from("#include <apivideo.h>\n");
    for (name, member, offset) in offsets {
        source += &format!(
            "_Static_assert(offsetof({name}, {member}) == {offset}, \"{name}.{member}\");\n"
        );
    }
    for target in TARGETS {
        assert_eq!(compile_for(target, &source), Ok(()), "{target}");
    }
}

#[test]
fn its_version_is_the_crates() {
    let header = header();
    for (name, value) in [
        ("APIVIDEO_VERSION", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")),
        ("APIVIDEO_VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("APIVIDEO_VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("APIVIDEO_VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        let define = format!("#define {name} {value}");
        assert!(header.lines().any(|line| line == define), "{define}");
    }
}

/// What cbindgen copies from Rust's documentation as it is, and C's readers cannot use.
#[test]
fn its_comments_are_for_readers_of_c() {
    let header = header();
    let mut rest = header.as_str();
    while let Some((_, after)) = rest.split_once("/*") {
        let (comment, behind) = after.split_once("*/").expect("a comment ends");
        for foreign in ["# Safety", "# Panics", "# Errors", "```", "[`", "/*", "crate::", "::"] {
            assert!(!comment.contains(foreign), "{foreign} in {comment}");
        }
        rest = behind;
    }
    assert!(!rest.contains("*/"), "a comment has ended early: {rest}");
}

/// cbindgen takes public constants from everywhere, and the types that they are of.
#[test]
fn all_that_it_declares_is_of_this_library() {
    let header = header();
    let mut names = 0;
    for line in header.lines() {
        let name = match line.split_once(' ') {
            Some(("typedef" | "struct", rest)) => rest.trim_start_matches("struct "),
            Some(("#define", name)) => name,
            _ => continue,
        };
        let is_ours = ["av_", "AV_", "APIVIDEO_", "apivideo_"].iter().any(|it| name.contains(it));
        assert!(is_ours, "{line}");
        names += 1;
    }
    assert!(names > 40, "{names}");
}
