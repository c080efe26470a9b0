//! The library as the system has loaded it.

/// Sees to it that it stays: here the linker was told so already (`build.rs`).
pub(crate) fn stay_loaded() {}
