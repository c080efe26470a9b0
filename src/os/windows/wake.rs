//! A socket by which one thread wakes another that waits for sockets: select knows nothing else.

use super::poll::{AsPollable, Pollable};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// A UDP socket that is connected to itself, into which a byte is sent. It becomes readable when it is set
/// off, and stays so: nobody receives the byte. What others send to it is not taken.
#[derive(Debug)]
pub(crate) struct Wake(Socket);

impl Wake {
    /// One that has not been set off.
    pub fn new() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        socket.connect(&socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Wake(socket))
    }

    /// Makes it readable.
    pub fn set_off(&self) {
        // It fails if there is no room for another one, and then it is set off.
        let _ = self.0.send(b"x");
    }
}

impl AsPollable for Wake {
    fn as_pollable(&self) -> Pollable<'_> {
        self.0.as_pollable()
    }
}
