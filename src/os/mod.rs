//! What is the platform's own, and all there is of it: descriptors, threads and processes as the
//! system has them, knowing nothing of calls, deadlines or addresses to prefer. Unsafe code below the C
//! boundary is in this folder alone; these are the files to look at for another platform.
#![allow(unsafe_code)]

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("this platform has not been tried: see README.md, Platforms");

pub(crate) mod futex;
pub(crate) mod poll;
pub(crate) mod privileges;
pub(crate) mod socket;
pub(crate) mod thread;
pub(crate) mod wake;
pub(crate) mod wiped_page;
