//! What a Unix has of TCP sockets beyond what socket2 knows.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

/// With every call it is said once more that it must not wait: see `os/socket.rs`. Apple's systems have no
/// flag against SIGPIPE; socket2 sets an option of the socket instead.
pub(in crate::os) const SENDING: libc::c_int = libc::MSG_DONTWAIT | NO_SIGNAL;
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: libc::c_int = 0;

pub(in crate::os) const RECEIVING: libc::c_int = libc::MSG_DONTWAIT;
pub(in crate::os) const PEEKING: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_PEEK;

/// Errors that say that this machine has no room for one socket more.
pub(in crate::os) const LACKS: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];

/// A non-blocking socket for a connection to `address`.
pub(in crate::os) fn open(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    #[cfg(not(target_vendor = "apple"))]
    return Socket::new(domain, Type::STREAM.nonblocking(), None);
    #[cfg(target_vendor = "apple")]
    {
        let socket = Socket::new(domain, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// Whether connect(2) has only begun.
pub(in crate::os) fn is_on_its_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::os) fn take_ahead(socket: &Socket, bytes: u32) {
    let _ = socket.set_tcp_notsent_lowat(bytes);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(in crate::os) fn take_ahead(_: &Socket, _: u32) {}

/// How many bytes the peer's system has not acknowledged.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::os) fn unacknowledged(socket: &Socket) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: this request (TIOCOUTQ is the same number as SIOCOUTQ) writes one int, which `bytes` is.
    // It fails for what is no socket, or a listening one.
    let result = unsafe { libc::ioctl(descriptor, libc::TIOCOUTQ, &raw mut bytes) };
    if result == 0 { u64::try_from(bytes).ok() } else { None }
}

/// The same: what of the socket's buffer is not free yet.
#[cfg(target_vendor = "apple")]
pub(in crate::os) fn unacknowledged(socket: &Socket) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    let mut size = size_of_val(&bytes) as libc::socklen_t;
    let descriptor = socket.as_fd().as_raw_fd();
    let place = (&raw mut bytes).cast();
    // SAFETY: the option is one int, which `bytes` is, and `size` says so.
    let result = unsafe {
        libc::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_NWRITE, place, &raw mut size)
    };
    if result == 0 { u64::try_from(bytes).ok() } else { None }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(in crate::os) fn unacknowledged(_: &Socket) -> Option<u64> {
    None
}
