//! Linux, Android, macOS, iOS and the BSDs: poll(2), descriptors, signals. Where Linux has something of its
//! own that is better, the others have a file beside.

pub(crate) mod authorities;
pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod library;
pub(crate) mod poll;
pub(crate) mod privileges;
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "futex.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "slices.rs")]
pub(crate) mod sleep;
pub(super) mod stream;
pub(crate) mod thread;
pub(crate) mod thread_cancel;
#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "timer.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "pair.rs")]
pub(crate) mod wake;
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "no_wiped_page.rs")]
pub(crate) mod wiped_page;

// What the others have in the place of Linux's own is tried on Linux, too.
#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[path = "."]
mod others {
    mod pair;
    mod slices;
}
