//! poll(2): waiting until one of several descriptors is ready.

use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// What can be waited for.
pub(in crate::os) type Pollable<'fd> = BorrowedFd<'fd>;

/// What has such a thing.
pub(crate) trait AsPollable {
    fn as_pollable(&self) -> Pollable<'_>;
}

impl AsPollable for socket2::Socket {
    fn as_pollable(&self) -> Pollable<'_> {
        self.as_fd()
    }
}

/// A descriptor, what it is waited for, and once that is over, whether it is ready.
#[repr(transparent)]
pub(crate) struct Entry<'fd>(libc::pollfd, PhantomData<BorrowedFd<'fd>>);

impl<'fd> Entry<'fd> {
    /// No descriptor: it is never ready.
    pub(crate) const NONE: Self = Entry::new(-1, 0);

    const fn new(fd: libc::c_int, events: libc::c_short) -> Self {
        Entry(libc::pollfd { fd, events, revents: 0 }, PhantomData)
    }

    /// Waits for something to receive, or for the end.
    pub fn readable(descriptor: &'fd impl AsPollable) -> Self {
        Entry::new(descriptor.as_pollable().as_raw_fd(), libc::POLLIN)
    }

    /// Waits for room to send, or for a connection.
    pub fn writable(descriptor: &'fd impl AsPollable) -> Self {
        Entry::new(descriptor.as_pollable().as_raw_fd(), libc::POLLOUT)
    }

    /// Waits for either.
    pub fn readable_or_writable(descriptor: &'fd impl AsPollable) -> Self {
        Entry::new(descriptor.as_pollable().as_raw_fd(), libc::POLLIN | libc::POLLOUT)
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
    // What is passed over counts against the limit of descriptors too, which a host may set to none.
    let count = entries.iter().rposition(|entry| entry.0.fd >= 0).map_or(0, |last| last + 1);
    let (first, count) = (entries.as_mut_ptr().cast(), count as libc::nfds_t);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_descriptor_does_not_count_against_the_limit_of_descriptors() {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is a valid place.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
        // Where the limit is beyond all memory there is nothing to count against.
        let count = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX).min(1 << 22) + 1;
        let mut entries: Vec<_> = (0..count).map(|_| Entry::NONE).collect();
        assert!(poll(&mut entries, Some(Duration::ZERO)).is_ok());
        assert!(!entries.iter().any(Entry::is_ready));
    }
}
