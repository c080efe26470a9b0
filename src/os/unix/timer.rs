//! A descriptor by which one thread wakes another that waits in poll(2).

use super::poll::{AsPollable, Pollable};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// A descriptor that becomes readable when it is set off, and stays so.
///
/// It is a timer, and to set it off is to set its time: that can neither block nor write anything,
/// whatever the host may have opened under its number after it has closed it. (A write to an eventfd
/// would go into the host's file or pipe then.)
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Wake {
    /// One that has not been set off.
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: timerfd_create(2) takes no pointers.
        let descriptor = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was opened just above, and nobody else owns it.
        Ok(Wake(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Makes it readable. A signal handler may do so.
    pub fn set_off(&self) {
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 1 };
        let time = libc::itimerspec { it_interval: never, it_value: at_once };
        // SAFETY: `time` is valid for the length of the call, and the time before is not asked for.
        // It fails only for what is no timer.
        unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &time, std::ptr::null_mut()) };
    }
}

impl AsPollable for Wake {
    fn as_pollable(&self) -> Pollable<'_> {
        self.0.as_fd()
    }
}
