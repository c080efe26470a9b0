//! Whether this process has rights that whoever started it has not, so that what it was started with,
//! its environment above all, may be an attacker's word.

/// Never: who is elevated gets an environment from the system, and not from whoever asked for it.
pub(crate) fn are_raised() -> bool {
    false
}
