//! One attempt of a call: its deadline, and what the transport learns on the way. It is made
//! known to the thread for the length of the attempt, since a pooled connection has no other way
//! to learn which request is using it.

use crate::deadline::Deadline;
use std::cell::Cell;
use std::time::Duration;

scoped_tls::scoped_thread_local!(static CURRENT: Attempt);

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking up the host's name.
    Lookup,
    /// Opening the TCP connection.
    Connect,
    /// Agreeing on TLS.
    Handshake,
    /// Sending the request.
    Send,
    /// Waiting for the answer's head.
    Wait,
    /// Reading the answer's body.
    Read,
}

impl Phase {
    /// What was being done, to follow "while".
    pub fn describe(self) -> &'static str {
        match self {
            Phase::Lookup => "looking up the host's name",
            Phase::Connect => "connecting",
            Phase::Handshake => "setting up TLS",
            Phase::Send => "sending the request",
            Phase::Wait => "waiting for the answer",
            Phase::Read => "reading the answer",
        }
    }
}

/// One attempt of a call.
#[derive(Debug)]
pub(crate) struct Attempt {
    deadline: Deadline,
    connect_timeout: Option<Duration>,
    phase: Cell<Phase>,
    request_begun: Cell<bool>,
}

impl Attempt {
    /// An attempt that must end at `deadline` and be connected within `connect_timeout`.
    pub fn new(deadline: Deadline, connect_timeout: Option<Duration>) -> Self {
        Attempt {
            deadline,
            connect_timeout,
            phase: Cell::new(Phase::Send),
            request_begun: Cell::new(false),
        }
    }

    /// Runs `work` with this attempt as the one that the thread's connections serve.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        CURRENT.set(self, work)
    }

    /// The attempt that the calling thread is in.
    pub fn with_current<R>(work: impl FnOnce(&Attempt) -> R) -> R {
        CURRENT.with(work)
    }

    /// When the attempt must end.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// When a connection that is begun now must stand.
    pub fn connect_deadline(&self) -> Deadline {
        self.deadline.or_earlier(Deadline::after(self.connect_timeout))
    }

    /// How far the attempt has come.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// The attempt goes on to `phase`.
    pub fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// Notes that bytes left this machine. What was written to set up a connection is none of the
    /// request's.
    pub fn wrote(&self) {
        if self.phase.get() == Phase::Send {
            self.request_begun.set(true);
        }
    }

    /// Whether any byte of the request may have reached the service.
    pub fn request_begun(&self) -> bool {
        self.request_begun.get()
    }
}
