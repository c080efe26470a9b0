//! A TCP socket as the transport uses it: each call goes on until it has done its work or its wait ends.
//!
//! Sockets wait in poll(2) alone: a receive time-out would begin anew with each byte, which is not a
//! deadline.

use crate::os;
use crate::os::poll::Entry;
use crate::wait::{Broken, Wait};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket(os::socket::Socket);

impl Socket {
    /// Sends some of `bytes`, at least one, and returns how many.
    pub fn send(&self, bytes: &[u8], wait: &Wait) -> Result<usize, Broken> {
        loop {
            match self.0.send(bytes) {
                Ok(0) if !bytes.is_empty() => return Err(Broken::Io(ErrorKind::WriteZero.into())),
                Ok(count) => {
                    wait.note_progress();
                    return Ok(count);
                }
                Err(error) => wait_after(error, Entry::writable(&self.0), wait)?,
            }
        }
    }

    /// Sends all of `bytes`.
    pub fn send_all(&self, bytes: &[u8], wait: &Wait) -> Result<(), Broken> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = self.send(rest, wait)?;
            rest = &rest[sent..];
        }
        Ok(())
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(&self, buffer: &mut [u8], wait: &Wait) -> Result<usize, Broken> {
        // Asking first whether there is something costs less than a read in vain: right after a
        // request there practically never is.
        wait.until_ready(Entry::readable(&self.0))?;
        loop {
            match self.0.receive(buffer) {
                Ok(count) => {
                    wait.note_progress();
                    return Ok(count);
                }
                Err(error) => wait_after(error, Entry::readable(&self.0), wait)?,
            }
        }
    }

    /// Receives what is there without waiting; `None` if nothing is.
    pub fn receive_ready(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.0.receive(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the peer has neither closed nor sent anything that nobody asked for.
    pub fn is_quiet(&self) -> bool {
        matches!(self.0.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether the peer has sent something that is still to be received.
    pub fn has_input(&self) -> bool {
        self.0.peek(&mut [0]).is_ok_and(|count| count > 0)
    }
}

/// Waits after an error that only says "not yet", and returns any other.
fn wait_after(error: io::Error, ready: Entry<'_>, wait: &Wait) -> Result<(), Broken> {
    match error.kind() {
        ErrorKind::WouldBlock => wait.until_ready(ready),
        ErrorKind::Interrupted => Ok(()),
        _ => Err(Broken::Io(error)),
    }
}

/// A socket on its way to an address.
#[derive(Debug)]
pub(super) struct Connecting(os::socket::Socket);

impl Connecting {
    /// Sets a socket on its way to `address`.
    pub fn begin(address: SocketAddr) -> io::Result<Self> {
        os::socket::Socket::begin_connecting(address).map(Connecting)
    }

    /// Waits until one of `all` is connected or has failed, and tells which: the first, if there are
    /// more. `finish` tells how it went.
    pub fn wait_for_one<'a>(
        all: impl Iterator<Item = &'a Connecting>,
        wait: &Wait,
    ) -> Result<usize, Broken> {
        let mut entries: Vec<_> =
            all.map(|it| Entry::writable(&it.0)).chain([Entry::NONE]).collect();
        wait.until_one_is_ready(&mut entries)?;
        // The last entry is not one of them.
        Ok(entries.iter().position(Entry::is_ready).unwrap_or(0))
    }

    /// The socket, now that it was waited for.
    pub fn finish(self) -> io::Result<Socket> {
        self.0.finish_connecting()?;
        Ok(Socket(self.0))
    }
}
