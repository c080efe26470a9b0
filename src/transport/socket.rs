//! A non-blocking TCP socket that waits no longer than its attempt may: the one file below the C
//! boundary with unsafe code, and the one to look at for another platform.
//!
//! Sockets stay non-blocking for life and wait in poll(2): a receive time-out would begin anew
//! with each byte, which is not a deadline.
#![allow(unsafe_code)]

use super::SocketError;
use crate::attempt::Attempt;
use crate::deadline::Deadline;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

/// A connected, non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Connects to `address`.
    pub fn connect(address: SocketAddr, deadline: Deadline) -> Result<Self, SocketError> {
        let stream = begin_connecting(address).map_err(SocketError::Io)?;
        wait(&stream, libc::POLLOUT, deadline)?;
        if let Some(error) = stream.take_error().map_err(SocketError::Io)? {
            return Err(SocketError::Io(error));
        }
        // A request is one small write that must not wait for more to come.
        stream.set_nodelay(true).map_err(SocketError::Io)?;
        Ok(Socket(stream))
    }

    /// Sends some of `bytes`, at least one, and returns how many.
    pub fn send(
        &self,
        bytes: &[u8],
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<usize, SocketError> {
        loop {
            // std sends with MSG_NOSIGNAL: a connection that is gone is an error, never SIGPIPE.
            match (&self.0).write(bytes) {
                Ok(0) if !bytes.is_empty() => {
                    return Err(SocketError::Io(ErrorKind::WriteZero.into()));
                }
                Ok(count) => {
                    attempt.wrote();
                    return Ok(count);
                }
                Err(error) => retry_when_ready(error, &self.0, libc::POLLOUT, deadline)?,
            }
        }
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(&self, buffer: &mut [u8], deadline: Deadline) -> Result<usize, SocketError> {
        // Asking first whether there is something costs less than a read in vain: right after a
        // request there practically never is.
        wait(&self.0, libc::POLLIN, deadline)?;
        loop {
            match (&self.0).read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) => retry_when_ready(error, &self.0, libc::POLLIN, deadline)?,
            }
        }
    }

    /// Receives what is there without waiting; `None` if nothing is.
    pub fn receive_ready(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.0).read(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the peer has neither closed nor sent anything that nobody asked for.
    pub fn is_quiet(&self) -> bool {
        matches!(self.0.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

/// Waits after an error that only says "not yet", and returns any other.
fn retry_when_ready(
    error: io::Error,
    stream: &TcpStream,
    events: libc::c_short,
    deadline: Deadline,
) -> Result<(), SocketError> {
    match error.kind() {
        ErrorKind::WouldBlock => wait(stream, events, deadline),
        ErrorKind::Interrupted => Ok(()),
        _ => Err(SocketError::Io(error)),
    }
}

/// Waits until one of `events` is ready on `stream`, or it has failed.
fn wait(stream: &TcpStream, events: libc::c_short, deadline: Deadline) -> Result<(), SocketError> {
    loop {
        let timeout = match deadline.remaining() {
            None => -1,
            Some(left) if left.is_zero() => return Err(SocketError::TimedOut),
            // Rounded up, so as not to spin through the last millisecond.
            Some(left) => i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
        };
        let mut ready = libc::pollfd { fd: stream.as_raw_fd(), events, revents: 0 };
        // SAFETY: `ready` is one valid pollfd for the length of the call, and its descriptor is
        // kept open by the borrow of `stream`.
        match unsafe { libc::poll(&mut ready, 1, timeout) } {
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != ErrorKind::Interrupted {
                    return Err(SocketError::Io(error));
                }
            }
            0 => {}
            _ => return Ok(()),
        }
    }
}

/// A non-blocking socket on its way to `address`. (std can connect with a time-out only socket by
/// socket and blocking, out of reach of a cancel.)
fn begin_connecting(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    compile_error!("this platform has not been tried: see README.md, Platforms");

    // SAFETY: socket(2) takes no pointers.
    let descriptor = unsafe { libc::socket(family, kind, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened just above, and nobody else owns it.
    let stream = unsafe { TcpStream::from_raw_fd(descriptor) };

    let result = match address {
        SocketAddr::V4(address) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            };
            connect_to(&stream, &name)
        }
        SocketAddr::V6(address) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            };
            connect_to(&stream, &name)
        }
    };
    match result {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(stream),
    }
}

/// connect(2) to a `sockaddr_in` or `sockaddr_in6`.
fn connect_to<Name>(stream: &TcpStream, name: &Name) -> io::Result<()> {
    // SAFETY: `name` is a whole socket address of the size that is told, and outlives the call.
    let result = unsafe {
        libc::connect(
            stream.as_raw_fd(),
            std::ptr::from_ref(name).cast(),
            size_of::<Name>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
