//! poll(2): waiting until one of several descriptors is ready.

use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// A descriptor, what it is waited for, and once that is over, whether it is ready.
#[repr(transparent)]
pub(crate) struct Entry<'fd>(libc::pollfd, PhantomData<BorrowedFd<'fd>>);

impl<'fd> Entry<'fd> {
    /// No descriptor: it is never ready.
    pub const NONE: Self = Entry::new(-1, 0);

    const fn new(fd: libc::c_int, events: libc::c_short) -> Self {
        Entry(libc::pollfd { fd, events, revents: 0 }, PhantomData)
    }

    /// Waits for something to receive, or for the end.
    pub fn readable(descriptor: &'fd impl AsFd) -> Self {
        Entry::new(descriptor.as_fd().as_raw_fd(), libc::POLLIN)
    }

    /// Waits for room to send, or for a connection.
    pub fn writable(descriptor: &'fd impl AsFd) -> Self {
        Entry::new(descriptor.as_fd().as_raw_fd(), libc::POLLOUT)
    }

    /// Waits for either.
    pub fn readable_or_writable(descriptor: &'fd impl AsFd) -> Self {
        Entry::new(descriptor.as_fd().as_raw_fd(), libc::POLLIN | libc::POLLOUT)
    }

    /// Whether there is something to receive, the end, or a failure.
    pub fn is_readable(&self) -> bool {
        self.0.revents & !libc::POLLOUT != 0
    }

    /// Whether it is ready, or has failed.
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until one of `entries` is ready or has failed, or `timeout` has passed; `None` is for ever. It
/// returns early, with none that is ready, if a signal comes.
pub(crate) fn poll(entries: &mut [Entry<'_>], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up, so as not to spin through the last millisecond.
    let milliseconds = timeout
        .map_or(-1, |time| i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let (first, count) = (entries.as_mut_ptr().cast(), entries.len() as libc::nfds_t);
    // SAFETY: an entry is a pollfd, and `entries` holds as many as is told for the length of the call.
    // Which descriptors they name is of no matter to memory.
    if unsafe { libc::poll(first, count, milliseconds) } >= 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.kind() == ErrorKind::Interrupted => Ok(()),
        error => Err(error),
    }
}
