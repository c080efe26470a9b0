//! An open connection, as ureq uses and pools it.

use super::attempt::{Attempt, Phase};
use super::buffers::ConnectionBuffers;
use super::early::{self, Early};
use super::head::{self, Mended};
use super::transfer::Transfer;
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
    /// Whether the peer has answered before it had the whole request: what is left of that is not sent.
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

    /// A head, or the line before a chunk, that does not end: ureq limits the first alone.
    fn must_have_room_for_input(&self) -> Result<(), Fault> {
        if self.buffers.input().len() > LARGEST_HEAD {
            let what = format!("not an HTTP answer: {LARGEST_HEAD} bytes that mean nothing yet");
            return Err(Fault::Unreadable(what));
        }
        Ok(())
    }

    /// Receives some of what the peer sends; false once it has closed.
    fn receive_some(&mut self) -> Result<bool, Fault> {
        self.must_have_room_for_input()?;
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

    /// Sends what a request begins with, or all of one that carries no source.
    fn send_output(&mut self, amount: usize, attempt: &Attempt) -> Result<(), Fault> {
        let output = &self.buffers.output[..amount];
        attempt.enter(Phase::Send);
        let wait = attempt.wait();
        wait.take_progress();
        let result = match &mut self.tls {
            // What can be read may be a mere ticket: the write's error stands.
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
        self.buffers.sent(amount);
        if wait.take_progress() {
            attempt.begin_request();
        }
        result?;
        // All that was asked for is sent: what is left is to wait.
        attempt.enter(Phase::Wait);
        if let Some(transfer) = attempt.transfer() {
            self.socket.take_little_ahead();
            self.buffers.make_piece(transfer.length()).map_err(no_memory)?;
            transfer.begin(&self.socket);
            if self.is_answered_early {
                transfer.give_up();
            }
        }
        Ok(())
    }

    /// Sends a piece of a source, unless an answer comes first.
    fn send_piece(&mut self, piece: &[u8], attempt: &Attempt) -> Result<(), Fault> {
        let Some(transfer) = attempt.transfer() else { return Ok(()) };
        if self.is_answered_early {
            return Ok(());
        }
        attempt.enter(Phase::Send);
        self.is_answered_early = self.is_answered_before(piece, attempt, transfer)?;
        if self.is_answered_early {
            transfer.give_up();
            self.buffers.have_input_read();
        }
        if self.is_answered_early || transfer.is_whole() {
            attempt.enter(Phase::Wait);
        }
        Ok(())
    }

    /// Sends `piece`, and tells whether an answer came before all of it was handed over.
    fn is_answered_before(
        &mut self,
        piece: &[u8],
        attempt: &Attempt,
        transfer: &Transfer,
    ) -> Result<bool, Fault> {
        let wait = attempt.wait();
        if let Some(turn) = transfer.turn(piece.len()) {
            while self.socket.wait_for_input_until(turn, wait)? {
                if self.has_answer(attempt)? {
                    return Ok(true);
                }
            }
        }
        let is_last = transfer.ends_with(piece.len());
        let mut rest = piece;
        loop {
            wait.check()?;
            let may_be_answered = if transfer.is_full() {
                self.socket.wait_for_room_or_input(wait)?
            } else {
                transfer.is_time_for_answer()
            };
            if may_be_answered && self.has_answer(attempt)? {
                return Ok(true);
            }
            let step = match &mut self.tls {
                Some(tls) => tls.send_ready(&self.socket, rest),
                None => self.socket.send_ready(rest).map_err(Fault::Broken),
            };
            let step = match step {
                Ok(step) => step,
                // The service refuses before it has read all, and says why.
                Err(fault) => {
                    return match self.has_answer(attempt) {
                        Ok(true) => Ok(true),
                        Err(refused @ Fault::TlsRefused(_)) => Err(refused),
                        _ => Err(fault),
                    };
                }
            };
            if step.sent > 0 {
                attempt.begin_request();
            }
            transfer.hand_over(&step);
            rest = &rest[step.taken..];
            // What is encrypted ahead goes with the next piece, if there is one.
            let is_unsent = is_last && self.tls.as_ref().is_some_and(TlsSession::has_unsent);
            if rest.is_empty() && !is_unsent {
                break;
            }
        }
        if is_last {
            transfer.finish();
        }
        Ok(false)
    }

    /// Takes in what the peer has sent, without waiting, and tells whether an answer has begun.
    fn has_answer(&mut self, attempt: &Attempt) -> Result<bool, Fault> {
        self.must_have_room_for_input()?;
        let input = self.buffers.input_append_buf();
        let received = match &mut self.tls {
            Some(tls) => tls.receive_ready(&self.socket, input)?,
            None => self.socket.receive_ready(input).map_err(Fault::Broken)?,
        };
        match received {
            None => return Ok(false),
            // Who sends no more cannot answer.
            Some(0) => return Err(Fault::Broken(ErrorKind::UnexpectedEof.into())),
            Some(count) => self.buffers.input_appended(count),
        }
        attempt.received();
        loop {
            match early::judge(self.buffers.input()) {
                Early::Undecided => return Ok(false),
                Early::Answer => return Ok(true),
                Early::Interim(length) => self.buffers.input_consume(length),
            }
        }
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
        Attempt::with_current_if_any(|attempt| {
            // While the socket is there to be asked.
            attempt.sent();
        });
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

fn no_memory(error: std::io::Error) -> Fault {
    Fault::Failed(format!("there is no memory for what is sent: {error}"))
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
        self.used = true;
        Attempt::with_current(|attempt| match self.buffers.take_piece() {
            Some(mut piece) => {
                let result = self.send_piece(&piece.memory()[..amount], attempt);
                self.buffers.put_back(piece);
                result
            }
            None => self.send_output(amount, attempt),
        })?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.buffers.drop_piece();
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
