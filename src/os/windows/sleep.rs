//! To sleep until a word of memory changes, and to wake who does: WaitOnAddress, of Windows 8 and later.

use std::sync::atomic::AtomicU32;
use std::time::Duration;
use windows_sys::Win32::System::Threading::{INFINITE, WaitOnAddress, WakeByAddressAll};

/// Sleeps while `word` is `value`, until [`wake`] is called or `timeout` has passed.
pub(crate) fn wait(word: &AtomicU32, value: u32, _: u32, timeout: Option<Duration>) {
    let milliseconds = timeout.map_or(INFINITE, milliseconds);
    // SAFETY: both are words of the size that is told, and outlive the call, which only reads them.
    unsafe {
        WaitOnAddress(
            word.as_ptr().cast(),
            (&raw const value).cast(),
            size_of::<u32>(),
            milliseconds,
        );
    }
}

/// Wakes all who sleep on `word`: whom of them is not to be told here.
pub(crate) fn wake(word: &AtomicU32, _: u32) {
    // SAFETY: the system takes the address, and does not touch what is there.
    unsafe { WakeByAddressAll(word.as_ptr().cast()) };
}

/// Rounded up, so as not to spin through the last millisecond, and never for ever.
pub(super) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(INFINITE).min(INFINITE - 1)
}
