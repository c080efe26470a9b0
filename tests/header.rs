//! The public header: what cbindgen makes of src/ffi is what is committed.

use std::path::Path;

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
fn the_committed_header_is_what_cbindgen_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/apivideo.h");
    let generated = generated();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("include/apivideo.h can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("include/apivideo.h");
    assert!(committed == generated, "include/apivideo.h is out of date: run `make header`");
}
