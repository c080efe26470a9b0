//! futex(2): to sleep until a word of memory changes, and to wake who does. What std makes of it can
//! neither be told whom to wake nor be used in a signal handler.

use std::ffi::c_long;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// The kernel's timespec for this system call, on 32 bits as well.
#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

/// Sleeps while `word` is `value`, until [`wake`] is called with one of the bits of `badge`, a signal
/// comes or `timeout` has passed.
pub(crate) fn wait(word: &AtomicU32, value: u32, badge: u32, timeout: Option<Duration>) {
    let until = timeout.and_then(after);
    // SAFETY: `word` and `until` outlive the call; the kernel only reads them.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            value,
            until.as_ref().map_or(ptr::null(), ptr::from_ref),
            ptr::null::<u32>(),
            badge,
        );
    }
}

/// Wakes all who sleep on `word` with one of the bits of `badges`.
pub(crate) fn wake(word: &AtomicU32, badges: u32) {
    // SAFETY: the kernel takes the address of `word`, and does not touch what is there.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
            ptr::null::<Timespec>(),
            ptr::null::<u32>(),
            badges,
        );
    }
}

/// The time that lies `timeout` ahead, by the clock that futex(2) goes by; `None` is never.
fn after(timeout: Duration) -> Option<Timespec> {
    // SAFETY: a timespec is plain data, for which all zeros is a value.
    let mut now: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: `now` is a valid place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
    let until = now.checked_add(timeout)?;
    Some(Timespec {
        seconds: until.as_secs().try_into().ok()?,
        nanoseconds: until.subsec_nanos() as c_long,
    })
}
