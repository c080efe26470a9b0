//! Names the shared library and keeps it loaded: what a Rust cdylib does not do by itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // Before 1.0 every minor version may break the ABI, after it none does (docs/ABI.md). cargo-c
    // gives the same name.
    let major = variable("CARGO_PKG_VERSION_MAJOR");
    let abi = match major.as_str() {
        "0" => format!("0.{}", variable("CARGO_PKG_VERSION_MINOR")),
        _ => major,
    };
    let arguments: &[&str] = match variable("CARGO_CFG_TARGET_OS").as_str() {
        // Unloading would pull the code from under a name lookup that is still under way, and leak a
        // thread-local key each time until the process is aborted. (Windows and Apple's systems are asked for
        // it at run time: `library.rs` in `src/os`.)
        "linux" | "android" | "freebsd" => {
            &[&format!("-Wl,-soname,libapivideo.so.{abi}"), "-Wl,-z,nodelete"]
        }
        "macos" | "ios" => &[&format!("-Wl,-install_name,@rpath/libapivideo.{abi}.dylib")],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
