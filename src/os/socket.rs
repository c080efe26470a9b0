//! A TCP socket that never waits: each call does what can be done now, or fails with `WouldBlock`.
//!
//! It is non-blocking, and every call says so once more by a flag of its own: if the host closes
//! descriptors that it does not know, as closefrom(3) does, ours may by now be a blocking socket of the
//! host's, and even then a call must end in time. (What no flag helps against: such a call may send to
//! that socket, and the end of a connection closes it.)

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};

/// A socket, connected or on its way.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Sets a socket on its way to `address`. It is writable once it has come there, or failed. (std can
    /// connect with a time-out only socket by socket and blocking.)
    pub fn begin_connecting(address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => libc::AF_INET,
            SocketAddr::V6(_) => libc::AF_INET6,
        };
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: socket(2) takes no pointers.
        let descriptor = unsafe { libc::socket(family, kind, 0) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was opened just above, and nobody else owns it.
        let socket = Socket(unsafe { TcpStream::from_raw_fd(descriptor) });

        let result = match address {
            SocketAddr::V4(address) => socket.connect_to(&libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => socket.connect_to(&libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            }),
        };
        match result {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Ok(socket),
        }
    }

    /// connect(2) to a `sockaddr_in` or `sockaddr_in6`.
    fn connect_to<Name>(&self, name: &Name) -> io::Result<()> {
        // SAFETY: `name` is a whole socket address of the size that is told, and outlives the call.
        let result = unsafe {
            libc::connect(
                self.0.as_raw_fd(),
                std::ptr::from_ref(name).cast(),
                size_of::<Name>() as libc::socklen_t,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Tells, once it was waited for, whether it has come there.
    pub fn finish_connecting(&self) -> io::Result<()> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        // A request is one small write that must not wait for more to come.
        self.0.set_nodelay(true)
    }

    /// Sends some of `bytes`. A connection that is gone is an error, never SIGPIPE.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: `bytes` is valid for the length that is told, for the length of the call.
        let count = unsafe {
            libc::send(
                self.0.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
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
        // SAFETY: `buffer` is valid for writes of the length that is told, for the length of the
        // call.
        let count = unsafe {
            libc::recv(
                self.0.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_DONTWAIT | flags,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
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
