//! The library itself, and the strings it hands out.

use super::boundary::Caller;
use super::owned;
use std::ffi::{CStr, c_char};

/// The version of the library that runs, such as "0.1.0"; `APIVIDEO_VERSION` is that of the header
/// a program was compiled with. A static string, never NULL.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn av_library_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => panic!("a version holds no NUL"),
        };
    VERSION.as_ptr()
}

/// Frees a string that a function of this library handed out as `char **out`, whatever has been
/// written into it since. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_string_free(string: *mut c_char) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    owned::free(&caller, string)
}
