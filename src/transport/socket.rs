//! A TCP socket as the transport uses it: each call goes on until it has done its work or its wait ends.
//!
//! Sockets wait in poll(2) alone: a receive time-out would begin anew with each byte, which is not a
//! deadline.

use crate::limits::MOST_SENT_AHEAD;
use crate::os;
use crate::os::poll::Entry;
use crate::wait::deadline::Deadline;
use crate::wait::{Broken, Interruption, Wait};
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;

/// What came of handing bytes over without waiting.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    /// How many of the bytes were taken.
    pub taken: usize,
    /// How many bytes these make at most as they are sent.
    pub worth: usize,
    /// How many bytes of those went to the system, be they of now or taken before.
    pub sent: usize,
    /// Whether the system has no room for more.
    pub is_full: bool,
}

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

    /// Sends what there is room for, without waiting.
    pub fn send_ready(&self, bytes: &[u8]) -> io::Result<Step> {
        let sent = ready(self.0.send(bytes))?;
        Ok(Step { taken: sent, worth: sent, sent, is_full: sent < bytes.len() })
    }

    /// The same of what `pieces` hold one after the other.
    pub fn send_ready_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        ready(self.0.send_vectored(pieces))
    }

    /// Waits until there is room to send or something to receive, and tells whether it is the latter.
    pub fn wait_for_room_or_input(&self, wait: &Wait) -> Result<bool, Broken> {
        let mut entries = [Entry::readable_or_writable(&self.0), Entry::NONE];
        wait.until_one_is_ready(&mut entries)?;
        Ok(entries[0].is_readable())
    }

    /// Waits until `time`, or until there is something to receive, and tells whether it is the latter.
    pub fn wait_for_input_until(&self, time: Deadline, wait: &Wait) -> Result<bool, Broken> {
        match wait.or_earlier(time).until_ready(Entry::readable(&self.0)) {
            Err(Broken::Interrupted(Interruption::TimedOut)) if !wait.end().has_passed() => {
                Ok(false)
            }
            result => result.map(|()| true),
        }
    }

    /// From now on the system takes little that the peer has no room for yet.
    pub fn take_little_ahead(&self) {
        self.0.take_ahead(MOST_SENT_AHEAD);
    }

    /// How many of the bytes that were sent the peer's system has not acknowledged, if that is known.
    pub fn unacknowledged(&self) -> Option<u64> {
        self.0.unacknowledged()
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

/// How much was sent without waiting.
fn ready(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(0)
        }
        result => result,
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
