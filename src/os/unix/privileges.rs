//! Whether this process has rights that whoever started it has not, so that what it was started with,
//! its environment above all, may be an attacker's word.

/// Whether the system says so: of setuid and setgid programs, those with capabilities of their own, and
/// whatever else its security modules count among them. (Comparing user ids would miss the latter.)
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn are_raised() -> bool {
    // SAFETY: it takes and returns integers, and reads what the kernel left for the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether the system says so.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn are_raised() -> bool {
    // SAFETY: it takes nothing and returns an integer.
    unsafe { libc::issetugid() != 0 }
}
