//! What Windows has of TCP sockets beyond what socket2 knows.

use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use windows_sys::Win32::Networking::WinSock::{MSG_PEEK, WSAEMFILE, WSAENOBUFS};

/// Nothing more is to be said with a call: what is non-blocking stays so, and there are no signals.
pub(in crate::os) const SENDING: i32 = 0;
pub(in crate::os) const RECEIVING: i32 = 0;
pub(in crate::os) const PEEKING: i32 = MSG_PEEK;

/// Errors that say that this machine has no room for one socket more.
pub(in crate::os) const LACKS: [i32; 2] = [WSAEMFILE, WSAENOBUFS];

/// A non-blocking socket for a connection to `address`.
pub(in crate::os) fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // select() tells of urgent data where it tells that connecting has failed (see poll.rs), for as long as it is not
    // read: in line with the rest, it is.
    socket.set_out_of_band_inline(true)?;
    Ok(socket)
}

/// Whether connecting has only begun.
pub(in crate::os) fn is_on_its_way(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// There is no such limit.
pub(in crate::os) fn take_ahead(_: &Socket, _: u32) {}

/// The system does not tell. (Windows 10 does by SIO_TCP_INFO, as counts of what it has sent and sent again: it is not
/// told whether the one holds the other, and nothing that these tests run in has it to be tried.)
pub(in crate::os) fn unacknowledged(_: &Socket) -> Option<u64> {
    None
}
