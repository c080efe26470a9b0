//! What is the platform's own, and all there is of it: descriptors, threads and processes as the
//! system has them, knowing nothing of calls, deadlines or addresses to prefer. Unsafe code below the C
//! boundary is in this folder alone. `unix` and `windows` hold the same few items; a third platform is a
//! third folder.
#![allow(unsafe_code)]

#[cfg(not(any(unix, windows)))]
compile_error!("this platform is neither a Unix nor Windows: see README.md, Platforms");

#[cfg_attr(windows, path = "windows/mod.rs")]
#[cfg_attr(not(windows), path = "unix/mod.rs")]
mod platform;
pub(crate) mod socket;

pub(crate) use platform::{
    authorities, environment, file, library, poll, privileges, sleep, thread, thread_cancel, wake,
    wiped_page,
};
