//! A TCP socket that never waits: each call does what can be done now, or fails with `WouldBlock`.
//!
//! It is non-blocking, and every call says so once more by a flag of its own: if the host closes
//! descriptors that it does not know, as closefrom(3) does, ours may by now be a blocking socket of the
//! host's, and even then a call must end in time. (What no flag helps against: such a call may send to
//! that socket, and the end of a connection closes it.)

use super::platform::poll::{AsPollable, Pollable};
use super::platform::stream;
use socket2::SockAddr;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;

/// A socket, connected or on its way.
#[derive(Debug)]
pub(crate) struct Socket(socket2::Socket);

impl Socket {
    /// Sets a socket on its way to `address`. It is writable once it has come there, or failed.
    pub fn begin_connecting(address: SocketAddr) -> io::Result<Self> {
        let socket = stream::open(address)?;
        match socket.connect(&SockAddr::from(address)) {
            Err(error) if !stream::is_on_its_way(&error) => Err(error),
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
        self.0.send_with_flags(bytes, stream::SENDING)
    }

    /// Sends some of what `pieces` hold one after the other.
    pub fn send_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored_with_flags(pieces, stream::SENDING)
    }

    /// From now on no more than about so many bytes are taken that the peer has no room for yet. Where the
    /// system knows of no such limit, it takes as many as fit into its own buffer.
    pub fn take_ahead(&self, bytes: u32) {
        stream::take_ahead(&self.0, bytes);
    }

    /// How many of the bytes that were sent the peer's system has not acknowledged; `None` if the
    /// system cannot tell.
    pub fn unacknowledged(&self) -> Option<u64> {
        stream::unacknowledged(&self.0)
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, stream::RECEIVING)
    }

    /// The same, but what is received stays there to be received once more.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive_with(buffer, stream::PEEKING)
    }

    fn receive_with(&self, buffer: &mut [u8], flags: i32) -> io::Result<usize> {
        let buffer: *mut [u8] = buffer;
        // SAFETY: the same bytes, which receiving never makes uninitialised.
        let buffer = unsafe { &mut *(buffer as *mut [MaybeUninit<u8>]) };
        self.0.recv_with_flags(buffer, flags)
    }
}

impl AsPollable for Socket {
    fn as_pollable(&self) -> Pollable<'_> {
        self.0.as_pollable()
    }
}

/// Whether an error says that this machine has no room for one socket more.
pub(crate) fn lacks_means(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| stream::LACKS.contains(&code))
}
