//! A pipe by which one thread wakes another that waits in poll(2).

use super::poll::{AsPollable, Pollable};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Something that becomes readable when it is set off, and stays so.
#[derive(Debug)]
pub(crate) struct Wake {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Wake {
    /// One that has not been set off.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let wake = Wake { reader: reader.into(), writer: writer.into() };
        let descriptor = wake.writer.as_raw_fd();
        // SAFETY: this command takes an int.
        match unsafe { libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK) } {
            0 => Ok(wake),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes it readable. A signal handler may do so.
    pub fn set_off(&self) {
        // SAFETY: there is one byte to be read. It fails if the pipe is full, which is as good.
        unsafe { libc::write(self.writer.as_raw_fd(), c"x".as_ptr().cast(), 1) };
    }
}

impl AsPollable for Wake {
    fn as_pollable(&self) -> Pollable<'_> {
        self.reader.as_fd()
    }
}
