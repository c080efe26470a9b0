//! An open connection, as ureq uses and pools it.

use super::attempt::{Attempt, Phase};
use super::buffers::ConnectionBuffers;
use super::head::{self, Mended};
use crate::limits::LARGEST_HEAD;
use crate::transport::Fault;
use crate::transport::socket::Socket;
use crate::transport::tls::TlsSession;
use crate::wait::Broken;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// An open connection, in use or in ureq's pool.
pub(crate) struct Connection {
    /// Shared with nobody but, for a moment, with what takes its place to be read once more.
    socket: Arc<Socket>,
    tls: Option<TlsSession>,
    buffers: ConnectionBuffers,
    last_used: Instant,
    /// Whether it was used since it was last looked at. ureq looks when it takes a connection back
    /// and when it gives it out; the second look, right before use, is the one that tells.
    used: bool,
    /// Whether the peer stopped taking the request and has answered: what is left of it is not sent.
    /// (Over TLS what can be read may be a mere ticket, so there the write's error stands.)
    is_answered_early: bool,
    heads: Heads,
}

/// What becomes of the head of a connection's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    /// ureq reads it as it comes.
    AsTheyCome,
    /// It was refused, and is to be mended before ureq sees it again.
    ToBeMended,
    /// That was done.
    Mended,
}

impl Connection {
    /// A connection that has just been made.
    pub(super) fn new(socket: Socket, tls: Option<TlsSession>) -> Self {
        Connection {
            socket: Arc::new(socket),
            tls,
            buffers: ConnectionBuffers::new(),
            last_used: Instant::now(),
            used: true,
            is_answered_early: false,
            heads: Heads::AsTheyCome,
        }
    }

    /// Whether the request that ureq sends was sent before: ureq does so for the second time.
    fn is_sent(&self) -> bool {
        self.heads != Heads::AsTheyCome
    }

    /// Receives some of what the peer sends; false once it has closed.
    fn receive_some(&mut self) -> Result<bool, Fault> {
        // A head, or the line before a chunk, that does not end: ureq limits the first alone.
        if self.buffers.input().len() > LARGEST_HEAD {
            let what = format!("not an HTTP answer: {LARGEST_HEAD} bytes that mean nothing yet");
            return Err(Fault::Unreadable(what));
        }
        let input = self.buffers.input_append_buf();
        let received = Attempt::with_current(|attempt| {
            let received = match &mut self.tls {
                Some(tls) => tls.receive(&self.socket, input, attempt.wait())?,
                None => self.socket.receive(input, attempt.wait())?,
            };
            if received > 0 {
                attempt.received();
            }
            Ok::<usize, Fault>(received)
        })?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    /// Receives a whole head and mends it.
    fn receive_mended_head(&mut self) -> Result<(), Fault> {
        self.heads = Heads::Mended;
        loop {
            match head::mend(self.buffers.input()) {
                Mended::Incomplete if self.receive_some()? => {}
                Mended::Incomplete => return Err(Fault::Broken(ErrorKind::UnexpectedEof.into())),
                // ureq says once more why.
                Mended::Hopeless => return Ok(()),
                Mended::Whole { length, head } => {
                    self.buffers.replace_input(length, &head);
                    return Ok(());
                }
            }
        }
    }

    /// Whether the peer has kept the connection open and sent nothing more.
    fn can_be_used(&mut self) -> bool {
        #[cfg(test)]
        tests::panic_if_planted();
        if self.is_answered_early {
            return false;
        }
        if std::mem::take(&mut self.used) {
            self.last_used = Instant::now();
            return true;
        }
        if !Attempt::with_current(|attempt| attempt.reuse().allows(self.last_used)) {
            return false;
        }
        match &mut self.tls {
            Some(tls) => tls.is_quiet(&self.socket),
            None => self.socket.is_quiet(),
        }
    }
}

/// ureq drops a connection whose answer it cannot read: it is left to the attempt, for the agent to
/// read it once more.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_sent() || self.buffers.input().is_empty() {
            return;
        }
        Attempt::with_current_if_any(|attempt| {
            if attempt.phase() == Phase::Wait {
                attempt.leave_unread(Connection {
                    socket: self.socket.clone(),
                    tls: self.tls.take(),
                    buffers: std::mem::take(&mut self.buffers),
                    last_used: self.last_used,
                    used: true,
                    is_answered_early: self.is_answered_early,
                    heads: Heads::ToBeMended,
                });
            }
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        if self.is_sent() {
            return Ok(());
        }
        let output = &self.buffers.output[..amount];
        self.used = true;
        let result = Attempt::with_current(|attempt| {
            attempt.enter(Phase::Send);
            let wait = attempt.wait();
            wait.take_progress();
            let result = match &mut self.tls {
                Some(tls) => tls.send(&self.socket, output, wait),
                None if self.is_answered_early => Ok(()),
                None => match self.socket.send_all(output, wait) {
                    // The service refuses before it has read all, and says why.
                    Err(Broken::Io(_)) if self.socket.has_input() => {
                        self.is_answered_early = true;
                        Ok(())
                    }
                    result => result.map_err(Fault::from),
                },
            };
            if wait.take_progress() {
                attempt.begin_request();
            }
            result?;
            // All that was asked for is sent: what is left is to wait.
            attempt.enter(Phase::Wait);
            Ok(())
        });
        self.buffers.sent(amount);
        result
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        if self.heads == Heads::ToBeMended {
            self.receive_mended_head()?;
            return Ok(true);
        }
        Ok(self.receive_some()?)
    }

    fn is_open(&mut self) -> bool {
        // ureq holds the lock of its pool, which a panic would leave poisoned: no call of the client
        // would ever get a connection again.
        catch_unwind(AssertUnwindSafe(|| self.can_be_used())).unwrap_or(false)
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// Whether this thread's next look at a connection panics.
        pub static IS_PANIC_PLANTED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn panic_if_planted() {
        assert!(!IS_PANIC_PLANTED.take(), "planted");
    }
}
