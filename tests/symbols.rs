//! What `make` builds: the names that it exports and needs, none of them FFmpeg's; how it is hardened;
//! and no crate in it that is here for the tests alone.

use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

type Names = BTreeSet<String>;

/// Names that begin as ours do and are FFmpeg's, with which our users link: a library that exports
/// one of them takes it over from libavutil, silently.
const FFMPEG: &str = include_str!("data/ffmpeg_identifiers.txt");

/// The families of our macros that begin with AV_.
const FAMILIES: &[&str] = &[
    "AV_STATUS_",
    "AV_OUTCOME_",
    "AV_TOKEN_",
    "AV_SORT_",
    "AV_TRACE_",
    "AV_CLIENT_",
    "AV_UPLOAD_",
];

/// Where `make` builds, once it has: `cargo test` leaves libraries of the same names elsewhere,
/// which are not what ships.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    run("make", &["--no-print-directory", "all"]);
    root().join("build")
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a program prints that must succeed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error} (tests/setup.sh installs it)"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The cargo that runs this test.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

// Names in the header

/// The header without its comments.
fn declarations() -> String {
    let header = std::fs::read_to_string(root().join("include/apivideo.h")).expect("the header");
    let mut code = String::new();
    for part in header.split("*/") {
        code += part.split("/*").next().unwrap_or_default();
    }
    code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn is_part_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// All identifiers that begin with "av", in any case.
fn names_like_ours(code: &str) -> Names {
    code.split(|character| !is_part_of_name(character))
        .filter(|name| name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("av")))
        .map(str::to_owned)
        .collect()
}

/// The functions: what stands before an opening parenthesis.
fn prototypes(code: &str) -> Names {
    let before_parentheses =
        code.split('(').map(|part| part.rsplit(|c| !is_part_of_name(c)).next());
    before_parentheses.flatten().filter(|name| name.starts_with("av_")).map(str::to_owned).collect()
}

/// The macros, the guard of the header included.
fn macros(code: &str) -> Vec<&str> {
    code.lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter_map(|definition| definition.split_whitespace().next())
        .collect()
}

/// Those of `names` that FFmpeg has too, in any case.
fn taken_by_ffmpeg(names: &Names) -> Vec<&String> {
    let taken: BTreeSet<String> = FFMPEG.lines().map(str::to_ascii_lowercase).collect();
    names.iter().filter(|name| taken.contains(&name.to_ascii_lowercase())).collect()
}

#[test]
fn no_name_in_the_header_is_ffmpegs() {
    let theirs = Names::from(["AV_VERSION", "Av_Free", "av_free"].map(str::to_owned));
    assert_eq!(taken_by_ffmpeg(&theirs).len(), theirs.len(), "the check does not check");

    let ours = names_like_ours(&declarations());
    for known in ["av_client_new", "av_error", "AV_STATUS_OK", "av_trace_fn"] {
        assert!(ours.contains(known), "{known} is not found in the header");
    }
    assert_eq!(taken_by_ffmpeg(&ours), Vec::<&String>::new());
}

#[test]
fn macros_are_constants_of_our_families() {
    let code = declarations();
    let macros = macros(&code);
    assert!(macros.contains(&"APIVIDEO_VERSION") && macros.contains(&"AV_STATUS_OK"), "{macros:?}");
    for name in macros {
        assert!(!name.contains('('), "{name} is a macro with parameters");
        let is_ours =
            name.starts_with("APIVIDEO_") || FAMILIES.iter().any(|family| name.starts_with(family));
        assert!(is_ours, "{name} is of no family of ours");
    }
}

// Names in the library

/// The values of one kind of entry in the dynamic section of the shared library, such as "NEEDED".
fn dynamic(kind: &str) -> Names {
    let kind = format!("({kind})");
    run("readelf", &["--dynamic", "--wide", text_of(&BUILT.join("lib/libapivideo.so"))])
        .lines()
        .filter_map(|line| line.split_once(&kind))
        .map(|(_, value)| match value.split_once('[') {
            Some((_, bracketed)) => bracketed.trim_end_matches(']').to_owned(),
            None => value.trim().to_owned(),
        })
        .collect()
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let library = BUILT.join("lib/libapivideo.so");
    let exported: Names = run("nm", &["--dynamic", "--defined-only", text_of(&library)])
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect();
    let declared = prototypes(&declarations());
    assert!(declared.contains("av_client_new") && !declared.contains("av_trace_fn"));
    assert_eq!(exported, declared);
}

#[test]
fn the_library_is_named_by_its_abi_and_stays_loaded() {
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let name = match major {
        "0" => concat!("libapivideo.so.0.", env!("CARGO_PKG_VERSION_MINOR")).to_owned(),
        _ => format!("libapivideo.so.{major}"),
    };
    assert_eq!(dynamic("SONAME"), Names::from([name.clone()]));
    let link = std::fs::read_link(BUILT.join("lib/libapivideo.so")).expect("a link");
    assert_eq!(link, Path::new(&name));
    assert!(dynamic("FLAGS_1").iter().any(|flags| flags.contains("NODELETE")));
}

#[test]
fn the_library_needs_libc_and_the_compilers_library_alone() {
    for needed in dynamic("NEEDED") {
        let is_expected =
            ["libc.so.", "libgcc_s.so.", "ld-linux"].iter().any(|it| needed.starts_with(it));
        assert!(is_expected, "{needed}");
    }
    // Nor does anything look for libraries elsewhere.
    assert_eq!(dynamic("RPATH"), Names::new());
    assert_eq!(dynamic("RUNPATH"), Names::new());
}

// Hardening

/// The segments of one kind that the loader is told of, such as "LOAD", with their flags, such as
/// "R E".
fn segments() -> Vec<(String, String)> {
    run("readelf", &["--segments", "--wide", text_of(&BUILT.join("lib/libapivideo.so"))])
        .lines()
        .skip_while(|line| !line.starts_with("Program Headers:"))
        .skip(2)
        .take_while(|line| !line.trim().is_empty())
        // The type, five numbers, the flags in a column of three, and the alignment.
        .map(|line| {
            let kind = line.split_whitespace().next().expect("a type").to_owned();
            let flags = line.trim_end().rsplit_once(' ').expect("an alignment").0;
            (kind, flags[flags.len() - 3..].to_owned())
        })
        .collect()
}

/// The flags of the segments of one kind.
fn flags_of(kind: &str) -> Vec<String> {
    segments().into_iter().filter(|it| it.0 == kind).map(|it| it.1).collect()
}

#[test]
fn nothing_in_the_library_can_be_both_written_and_executed() {
    let loaded = flags_of("LOAD");
    assert!(loaded.iter().any(|flags| flags == "R E"), "the check sees no code: {loaded:?}");
    assert!(!loaded.iter().any(|flags| flags.contains('W') && flags.contains('E')), "{loaded:?}");
    assert_eq!(flags_of("GNU_STACK"), ["RW "]);
    // Code that is patched as it is loaded was writable.
    assert_eq!(dynamic("TEXTREL"), Names::new());
    assert!(!dynamic("FLAGS").iter().any(|flags| flags.contains("TEXTREL")));
}

#[test]
fn addresses_in_the_library_are_resolved_at_once_and_then_read_only() {
    assert!(dynamic("FLAGS").iter().any(|flags| flags.contains("BIND_NOW")));
    assert!(dynamic("FLAGS_1").iter().any(|flags| flags.split(' ').any(|flag| flag == "NOW")));
    assert_eq!(flags_of("GNU_RELRO").len(), 1);
}

#[test]
fn the_libraries_carry_nothing_for_debuggers_and_no_place_of_this_machine() {
    let home = std::env::var("HOME").expect("HOME") + "/";
    for library in ["lib/libapivideo.so", "lib/libapivideo.a"] {
        let library = BUILT.join(library);
        let bytes = std::fs::read(&library).expect("it can be read");
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has("/ureq-"), "the check does not see where a panic in {library:?} is from");
        let is_found = has(&home) || has(text_of(root()));
        assert!(!is_found, "a place of this machine is in {library:?} (RUSTFLAGS replaces ours)");
        let sections = run("readelf", &["--section-headers", "--wide", text_of(&library)]);
        assert!(sections.contains(".text"));
        for section in [".debug_", ".llvmbc"] {
            assert!(!sections.contains(section), "{section} in {library:?}");
        }
        // A shared library is linked by its dynamic symbols alone.
        let has_other_symbols = sections.contains(" .symtab ");
        assert_eq!(has_other_symbols, library.extension().is_some_and(|it| it == "a"));
    }
}

// What cargo-c is told

#[test]
fn cargo_c_takes_the_committed_headers() {
    let metadata = run(&cargo(), &["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let package = &metadata["packages"][0];
    assert_eq!(package["features"]["capi"], Value::Array(Vec::new()));
    let capi = &package["metadata"]["capi"];
    assert_eq!(capi["header"]["generation"], false);
    assert_eq!(capi["header"]["subdirectory"], false);
    assert_eq!(capi["install"]["include"]["asset"][0]["from"], "include/*");
    // Everything there is for programs to include.
    for file in std::fs::read_dir(root().join("include")).expect("a directory") {
        let file = file.expect("it can be read").path();
        let is_header = file.extension().is_some_and(|it| it == "h" || it == "hpp");
        assert!(is_header, "{file:?} would be installed");
    }
}

// Crates in the library

/// The crates that the library and its tests are made of, by the names that rustc gives them.
struct Crates {
    /// What the library is made of, and what that is made of, and so on.
    shipped: Names,
    /// What only the tests name.
    direct_dev_only: Names,
    /// The same, and all that it needs.
    dev_only: Names,
}

impl Crates {
    fn read() -> Self {
        // For this machine's processor: cargo has not fetched what only others need.
        let version = run("rustc", &["-vV"]);
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
        let arguments = ["metadata", "--locked", "--offline", "--format-version=1"];
        let metadata = run(&cargo(), &[&arguments[..], &["--filter-platform", host]].concat());
        let metadata: Value = serde_json::from_str(&metadata).expect("JSON");

        let nodes: HashMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| (text(&node["id"]), node))
            .collect();
        let root = text(&metadata["resolve"]["root"]);
        let shipped = closure(&nodes, dependencies(nodes[root], |kind| kind != "dev"));
        let direct = dependencies(nodes[root], |kind| kind == "dev");
        let direct_dev_only: BTreeSet<&str> = direct.difference(&shipped).copied().collect();
        let dev_only = closure(&nodes, direct.clone()).difference(&shipped).copied().collect();

        let names = |ids: &BTreeSet<&str>| -> Names {
            let packages = list(&metadata["packages"]).iter();
            packages.filter(|package| ids.contains(text(&package["id"]))).map(crate_name).collect()
        };
        let shipped = names(&shipped);
        // Two versions of one crate may be on both sides.
        let without_shipped = |ids| names(ids).difference(&shipped).cloned().collect();
        Crates {
            direct_dev_only: without_shipped(&direct_dev_only),
            dev_only: without_shipped(&dev_only),
            shipped,
        }
    }
}

/// The dependencies of a package that are of a kind: "normal", "build" or "dev".
fn dependencies(node: &Value, wanted: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let is_wanted = |dependency: &&Value| {
        list(&dependency["dep_kinds"])
            .iter()
            .any(|it| wanted(it["kind"].as_str().unwrap_or("normal")))
    };
    list(&node["deps"])
        .iter()
        .filter(is_wanted)
        .map(|dependency| text(&dependency["pkg"]))
        .collect()
}

/// `packages`, and all that they need.
fn closure<'m>(
    nodes: &HashMap<&'m str, &'m Value>,
    packages: BTreeSet<&'m str>,
) -> BTreeSet<&'m str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = packages.into_iter().collect();
    while let Some(package) = waiting.pop() {
        if reached.insert(package) {
            waiting.extend(dependencies(nodes[package], |kind| kind != "dev"));
        }
    }
    reached
}

/// The name of a package's library as rustc knows it.
fn crate_name(package: &Value) -> String {
    let is_library = |target: &&Value| {
        let kinds = list(&target["kind"]).iter();
        kinds.map(text).any(|kind| kind.ends_with("lib") || kind == "proc-macro")
    };
    let library = list(&package["targets"]).iter().find(is_library);
    text(&library.unwrap_or(package)["name"]).replace('-', "_")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// The crates that rustc was given to build a profile's library from, macros and build scripts'
/// needs included: `lib<crate>-<hash>.rlib` and `.so`.
fn linked_crates(profile: &str) -> Names {
    let folder = BUILT.join("cargo").join(profile).join("deps");
    let files = std::fs::read_dir(&folder).expect("cargo has built there");
    files
        .map(|file| file.expect("it can be read").file_name().into_string().expect("UTF-8"))
        .filter(|file| file.ends_with(".rlib") || file.ends_with(".so"))
        .filter_map(|file| Some(file.strip_prefix("lib")?.rsplit_once('-')?.0.to_owned()))
        .collect()
}

/// The crates that the static library has members of: `<crate>-<hash>.<…>.o`.
fn archived_crates() -> Names {
    run("ar", &["t", text_of(&BUILT.join("lib/libapivideo.a"))])
        .lines()
        .filter_map(|member| Some(member.split('.').next()?.rsplit_once('-')?.0.to_owned()))
        .collect()
}

/// What a profile's libraries are made of: LLVM's intermediate code, which is compiled when all of it
/// is linked, or machine code.
fn first_bytes_of_objects(profile: &str) -> Vec<[u8; 4]> {
    let folder = BUILT.join("cargo").join(profile).join("deps");
    let files = std::fs::read_dir(&folder).expect("cargo has built there");
    let rlibs = files
        .map(|file| file.expect("it can be read").path())
        .filter(|file| file.extension().is_some_and(|it| it == "rlib"));
    rlibs
        .filter(|file| file.to_str().is_some_and(|it| it.contains("libureq-")))
        .flat_map(|file| {
            let archive = std::fs::read(file).expect("it can be read");
            // A member's header of 60 bytes ends with these two.
            let ends = archive.windows(2).enumerate().filter(|(_, bytes)| bytes == b"`\n");
            ends.filter_map(|(at, _)| archive.get(at + 2..at + 6)?.try_into().ok())
                .collect::<Vec<[u8; 4]>>()
        })
        .collect()
}

#[test]
fn the_shared_library_is_optimised_as_a_whole_and_the_static_one_is_not() {
    const INTERMEDIATE: [u8; 4] = *b"BC\xC0\xDE";
    const MACHINE: [u8; 4] = *b"\x7FELF";
    let (shared, archive) = (first_bytes_of_objects("release"), first_bytes_of_objects("static"));
    assert!(shared.contains(&INTERMEDIATE), "the shared library was built without LTO");
    assert!(archive.contains(&MACHINE) && !archive.contains(&INTERMEDIATE), "the archive has LTO");
}

#[test]
fn no_development_dependency_is_in_what_ships() {
    let crates = Crates::read();
    for known in
        ["cbindgen", "clap", "fastrand", "http_body_util", "hyper", "hyper_util", "rcgen", "tokio"]
    {
        assert!(crates.direct_dev_only.contains(known), "{known} ships: {:?}", crates.shipped);
    }
    assert!(
        crates.shipped.contains("ureq") && crates.dev_only.is_superset(&crates.direct_dev_only)
    );

    for profile in ["release", "static"] {
        let linked = linked_crates(profile);
        assert!(linked.contains("ureq"), "the check does not see what {profile} is made of");
        let foreign: Vec<_> = linked.intersection(&crates.dev_only).collect();
        assert!(foreign.is_empty(), "{profile}: {foreign:?} (left from before? `make clean`)");
    }

    // Of the crates that Rust's standard library is made of some may serve the tests too.
    let archived = archived_crates();
    assert!(archived.contains("ureq"), "the check does not see what the archive is made of");
    let foreign: Vec<_> = archived.intersection(&crates.direct_dev_only).collect();
    assert!(foreign.is_empty(), "libapivideo.a: {foreign:?}");
}
