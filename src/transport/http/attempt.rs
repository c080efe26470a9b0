//! One attempt of a call: what bounds it, and what the transport learns on the way. It is made
//! known to the thread for the length of the attempt, since a pooled connection has no other way
//! to learn which request is using it.

use super::connection::Connection;
use super::transfer::{Delivery, Sent, Transfer};
use crate::trace::Tracer;
use crate::wait::Wait;
use crate::wait::deadline::Deadline;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

scoped_tls::scoped_thread_local!(static CURRENT: Attempt);

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking up a host's name.
    Lookup,
    /// Opening the TCP connection.
    Connect,
    /// Asking a proxy for the way.
    Proxy,
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
            Phase::Proxy => "asking the proxy",
            Phase::Handshake => "setting up TLS",
            Phase::Send => "sending the request",
            Phase::Wait => "waiting for the answer",
            Phase::Read => "reading the answer",
        }
    }

    /// Whether there is no connection to send the request on yet.
    pub fn is_before_request(self) -> bool {
        matches!(self, Phase::Lookup | Phase::Connect | Phase::Proxy | Phase::Handshake)
    }
}

/// Which pooled connections an attempt may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Any that is open.
    Any,
    /// One that was used within this time: for a request that cannot be repeated if the other side
    /// has given the connection up unnoticed.
    UsedWithin(Duration),
    /// None.
    Never,
}

impl Reuse {
    /// Whether a connection that was last used at `last_used` may be used.
    pub fn allows(self, last_used: Instant) -> bool {
        match self {
            Reuse::Any => true,
            Reuse::UsedWithin(time) => last_used.elapsed() < time,
            Reuse::Never => false,
        }
    }
}

/// One attempt of a call.
#[derive(Debug)]
pub(crate) struct Attempt {
    wait: Wait,
    connect_timeout: Option<Duration>,
    reuse: Reuse,
    tracer: Tracer,
    transfer: Option<Rc<Transfer>>,
    begun: Instant,
    phase: Cell<Phase>,
    has_connected: Cell<bool>,
    request_begun: Cell<bool>,
    answer_begun: Cell<bool>,
    unread: RefCell<Option<Box<Connection>>>,
}

impl Attempt {
    /// An attempt that waits no longer than `wait`, and must be connected within `connect_timeout`.
    pub fn new(
        begun: Instant,
        wait: Wait,
        connect_timeout: Option<Duration>,
        reuse: Reuse,
        tracer: Tracer,
    ) -> Self {
        Attempt {
            wait,
            connect_timeout,
            reuse,
            tracer,
            transfer: None,
            begun,
            phase: Cell::new(Phase::Send),
            has_connected: Cell::new(false),
            request_begun: Cell::new(false),
            answer_begun: Cell::new(false),
            unread: RefCell::new(None),
        }
    }

    /// The same attempt, which sends a source of this length, and waits only as long as that gets on.
    pub fn sending(self, length: u64, delivery: Delivery) -> Self {
        let transfer = Rc::new(Transfer::new(length, delivery));
        let wait = self.wait.watched_by(transfer.clone());
        Attempt { wait, transfer: Some(transfer), ..self }
    }

    /// Runs `work` with this attempt as the one that the thread's connections serve.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        CURRENT.set(self, work)
    }

    /// The attempt that the calling thread is in.
    pub fn with_current<R>(work: impl FnOnce(&Attempt) -> R) -> R {
        CURRENT.with(work)
    }

    /// The same, if the thread is in one.
    pub fn with_current_if_any(work: impl FnOnce(&Attempt)) {
        if CURRENT.is_set() {
            CURRENT.with(work);
        }
    }

    /// How long it may wait.
    pub fn wait(&self) -> &Wait {
        &self.wait
    }

    /// How long a connection that is begun now may wait until it stands.
    pub fn connect_wait(&self) -> Wait {
        let until = Deadline::after(self.connect_timeout);
        let patience = self.transfer().map_or(Deadline::NEVER, Transfer::must_arrive_by);
        self.wait.or_earlier(until.or_earlier(patience))
    }

    /// Which pooled connections it may use.
    pub fn reuse(&self) -> Reuse {
        self.reuse
    }

    /// How long it has lasted.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How far the attempt has come.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// The attempt goes on to `phase`.
    pub fn enter(&self, phase: Phase) {
        self.has_connected.set(self.has_connected.get() || phase.is_before_request());
        self.phase.set(phase);
    }

    /// Notes that bytes of the request left this machine.
    pub fn begin_request(&self) {
        self.request_begun.set(true);
    }

    /// Notes that bytes of the answer arrived.
    pub fn received(&self) {
        self.answer_begun.set(true);
    }

    /// Whether any byte of the request may have reached the service.
    pub fn request_begun(&self) -> bool {
        self.request_begun.get()
    }

    /// Whether the service may have done what was asked. What it has only a part of, though it was told the
    /// whole length, it cannot have.
    pub fn may_be_applied(&self) -> bool {
        self.request_begun() && self.transfer().is_none_or(Transfer::is_whole)
    }

    /// Whether it was given a connection from the pool.
    pub fn is_on_pooled_connection(&self) -> bool {
        !self.has_connected.get()
    }

    /// Whether any byte of an answer has arrived.
    pub fn answer_begun(&self) -> bool {
        self.answer_begun.get()
    }

    /// The source that it sends, if any.
    pub fn transfer(&self) -> Option<&Transfer> {
        self.transfer.as_deref()
    }

    /// How far it has come with that.
    pub fn sent(&self) -> Sent {
        self.transfer().map(Transfer::sent).unwrap_or_default()
    }

    /// Leaves a connection whose answer could not be read to whoever began the attempt.
    pub fn leave_unread(&self, connection: Connection) {
        self.unread.replace(Some(Box::new(connection)));
    }

    /// What was left so.
    pub fn take_unread(&self) -> Option<Box<Connection>> {
        self.unread.take()
    }

    /// Where its steps are told.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(connect_timeout: Option<Duration>) -> Attempt {
        let minute = Deadline::after(Some(Duration::from_secs(60)));
        let wait = Wait::new(minute, None);
        Attempt::new(Instant::now(), wait, connect_timeout, Reuse::Any, Tracer::off())
    }

    #[test]
    fn an_attempt_that_never_connects_is_on_a_pooled_connection() {
        let attempt = attempt(None);
        assert_eq!(attempt.phase(), Phase::Send);
        attempt.enter(Phase::Wait);
        attempt.enter(Phase::Read);
        assert!(attempt.is_on_pooled_connection());
    }

    #[test]
    fn one_that_has_connected_is_on_a_new_connection_to_its_end() {
        for phase in [Phase::Lookup, Phase::Connect, Phase::Proxy, Phase::Handshake] {
            let attempt = attempt(None);
            attempt.enter(phase);
            assert!(attempt.phase().is_before_request());
            attempt.enter(Phase::Send);
            assert!(!attempt.phase().is_before_request());
            assert!(!attempt.is_on_pooled_connection(), "{phase:?}");
        }
    }

    #[test]
    fn connecting_may_take_no_longer_than_its_own_limit_nor_than_the_attempt() {
        let second = Duration::from_secs(1);
        let in_two = Instant::now() + 2 * second;
        assert!(attempt(Some(second)).connect_wait().has_ended_at(in_two));
        assert!(!attempt(Some(second)).wait().has_ended_at(in_two));
        let in_two_minutes = Instant::now() + 120 * second;
        for limit in [None, Some(600 * second)] {
            let wait = attempt(limit).connect_wait();
            assert!(!wait.has_ended_at(in_two) && wait.has_ended_at(in_two_minutes), "{limit:?}");
        }
    }

    #[test]
    fn a_pooled_connection_may_be_used_if_it_was_used_a_short_while_ago() {
        let ago = |time| Instant::now().checked_sub(time).expect("a clock that has run so long");
        let (second, millisecond) = (Duration::from_secs(1), Duration::from_millis(1));
        assert!(Reuse::Any.allows(ago(second)));
        assert!(Reuse::UsedWithin(600 * second).allows(ago(second)));
        assert!(!Reuse::UsedWithin(millisecond).allows(ago(second)));
        assert!(!Reuse::Never.allows(Instant::now()));
    }

    #[test]
    fn the_current_attempt_is_known_while_it_runs_and_no_longer() {
        let attempt = attempt(None);
        attempt.run(|| Attempt::with_current(Attempt::begin_request));
        assert!(attempt.request_begun());
        Attempt::with_current_if_any(|_| panic!("there is none"));
    }
}
