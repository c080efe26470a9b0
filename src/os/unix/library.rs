//! The library as the system has loaded it.

/// Sees to it that it stays: here the linker was told so already (`build.rs`).
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn stay_loaded() {}

/// Sees to it that it stays: its linker cannot be told.
#[cfg(target_vendor = "apple")]
pub(crate) fn stay_loaded() {
    let here: fn() = stay_loaded;
    // SAFETY: it is pointers, for which all zeros is a value.
    let mut image: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `here` is an address in the library, and `image` a valid place.
    if unsafe { libc::dladdr(here as *const libc::c_void, &raw mut image) } == 0 {
        return;
    }
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: what dladdr(3) has told is a path, and loaded already: nothing of it is run. What is handed
    // out is never given back, which is as good.
    unsafe { libc::dlopen(image.dli_fname, flags) };
}
