//! A TCP socket that never waits: each call does what can be done now, or fails with `WouldBlock`.
//!
//! It is non-blocking, and every call says so once more by a flag of its own: if the host closes
//! descriptors that it does not know, as closefrom(3) does, ours may by now be a blocking socket of the
//! host's, and even then a call must end in time. (What no flag helps against: such a call may send to
//! that socket, and the end of a connection closes it.)

use socket2::{Domain, SockAddr, Type};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A socket, connected or on its way.
#[derive(Debug)]
pub(crate) struct Socket(socket2::Socket);

impl Socket {
    /// Sets a socket on its way to `address`. It is writable once it has come there, or failed.
    pub fn begin_connecting(address: SocketAddr) -> io::Result<Self> {
        let kind = Type::STREAM.nonblocking();
        let socket = socket2::Socket::new(Domain::for_address(address), kind, None)?;
        match socket.connect(&SockAddr::from(address)) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Ok(Socket(socket)),
        }
    }

    /// Tells, once it was waited for, whether it has come there.
    pub fn finish_connecting(&self) -> io::Result<()> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        // A request is one small write that must not wait for more to come.
        self.0.set_tcp_nodelay(true)
    }

    /// Sends some of `bytes`. A connection that is gone is an error, never SIGPIPE.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_with_flags(bytes, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    }

    /// Sends some of what `pieces` hold one after the other.
    pub fn send_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored_with_flags(pieces, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    }

    /// From now on no more than about so many bytes are taken that the peer has no room for yet. Where the
    /// system knows of no such limit, it takes as many as fit into its own buffer.
    pub fn take_ahead(&self, bytes: u32) {
        let _ = self.0.set_tcp_notsent_lowat(bytes);
    }

    /// How many of the bytes that were sent the peer's system has not acknowledged; `None` if the
    /// system cannot tell.
    pub fn unacknowledged(&self) -> Option<u64> {
        let mut bytes: libc::c_int = 0;
        let descriptor = self.0.as_fd().as_raw_fd();
        // SAFETY: this request (TIOCOUTQ is the same number as SIOCOUTQ) writes one int, which `bytes` is.
        // It fails for what is no socket, or a listening one.
        let result = unsafe { libc::ioctl(descriptor, libc::TIOCOUTQ, &raw mut bytes) };
        if result == 0 { u64::try_from(bytes).ok() } else { None }
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, 0)
    }

    /// The same, but what is received stays there to be received once more.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, libc::MSG_PEEK)
    }

    fn receive_with(&self, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
        let buffer: *mut [u8] = buffer;
        // SAFETY: the same bytes, which receiving never makes uninitialised.
        let buffer = unsafe { &mut *(buffer as *mut [MaybeUninit<u8>]) };
        self.0.recv_with_flags(buffer, libc::MSG_DONTWAIT | flags)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether an error says that this machine has no room for one socket more.
pub(crate) fn lacks_means(error: &io::Error) -> bool {
    let lacks = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|code| lacks.contains(&code))
}
