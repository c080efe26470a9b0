//! What a variable of the environment is told by.

/// Whether names that differ in case alone are those of two variables.
pub(crate) const NAMES_HAVE_CASE: bool = false;
