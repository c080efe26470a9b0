//! The library as the system has loaded it.

use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};

/// Sees to it that it stays. FreeLibrary would pull the code from under a name lookup that is still under
/// way, and leak a thread-local index each time until there are none left.
pub(crate) fn stay_loaded() {
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    let here = stay_loaded as fn() as *const u16;
    let mut module = std::ptr::null_mut();
    // SAFETY: `here` is an address in the library, which is what the first flag asks for, and `module` a
    // valid place. It fails for an address in no module alone.
    unsafe { GetModuleHandleExW(flags, here, &raw mut module) };
}
