//! Waiting: until when, what ends it from outside, and who looks after something meanwhile. All that
//! waits, sockets, names, proxies, TLS and gates, is handed one [`Wait`].

pub(crate) mod cancel;
pub(crate) mod deadline;
pub(crate) mod waiter;

use crate::os::poll::{Entry, poll};
use cancel::{Cancel, SLICE};
use deadline::Deadline;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What ends a wait before what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The deadline passed.
    TimedOut,
    /// Nothing has moved for too long.
    Stalled,
    /// The call was cancelled.
    Cancelled,
}

/// What breaks off something that waits.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The wait was ended.
    Interrupted(Interruption),
    /// The operating system's answer.
    Io(io::Error),
}

impl From<Interruption> for Broken {
    fn from(interruption: Interruption) -> Self {
        Broken::Interrupted(interruption)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Broken::Io(error)
    }
}

/// What looks after something for the length of a wait: that it moves on, and who is told of it.
pub(crate) trait Watch: fmt::Debug {
    /// Looks, if it is time to, and tells when to look again; fails if there is nothing left to wait for.
    fn look(&self) -> Result<Deadline, Interruption>;
}

/// How long a call, or a part of one, may wait.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    deadline: Deadline,
    cancel: Option<Arc<Cancel>>,
    watch: Option<Rc<dyn Watch>>,
    has_progressed: Cell<bool>,
}

impl Wait {
    /// A wait that ends at `deadline`, or when `cancel` is triggered.
    pub fn new(deadline: Deadline, cancel: Option<Arc<Cancel>>) -> Self {
        Wait { deadline, cancel, watch: None, has_progressed: Cell::new(false) }
    }

    /// The same wait, during which `watch` looks whenever it wants to, and which it may end.
    pub fn watched_by(self, watch: Rc<dyn Watch>) -> Self {
        Wait { watch: Some(watch), ..self }
    }

    /// A part of the wait, with an earlier end if `deadline` is one.
    pub fn or_earlier(&self, deadline: Deadline) -> Self {
        Wait { deadline: self.deadline.or_earlier(deadline), ..self.clone() }
    }

    /// When it ends by itself.
    pub fn end(&self) -> Deadline {
        self.deadline
    }

    /// Whether the wait has ended by itself by `time`.
    pub fn has_ended_at(&self, time: std::time::Instant) -> bool {
        self.end().has_passed_at(time)
    }

    /// What ends it from outside.
    pub fn cancel(&self) -> Option<&Cancel> {
        self.cancel.as_deref()
    }

    /// Fails once it was cancelled.
    pub fn check_cancel(&self) -> Result<(), Interruption> {
        self.cancel().map_or(Ok(()), Cancel::check)
    }

    /// Fails once it is over, for whatever reason.
    pub fn check(&self) -> Result<(), Interruption> {
        self.check_cancel()?;
        if self.end().has_passed() {
            return Err(Interruption::TimedOut);
        }
        self.look().map(|_| ())
    }

    /// Has who watches look, and tells when that is due again.
    fn look(&self) -> Result<Deadline, Interruption> {
        self.watch.as_ref().map_or(Ok(Deadline::NEVER), |watch| watch.look())
    }

    /// Something that was waited for has moved.
    pub fn note_progress(&self) {
        self.has_progressed.set(true);
    }

    /// Whether anything has moved since this was asked last.
    pub fn take_progress(&self) -> bool {
        self.has_progressed.take()
    }

    /// Waits until `time`, unless it is cancelled first.
    pub fn pause(&self, time: Deadline) -> Result<(), Interruption> {
        let pause = Wait::new(time, self.cancel.clone());
        match pause.until_one_is_ready(&mut [Entry::NONE]) {
            Err(Broken::Interrupted(Interruption::Cancelled)) => Err(Interruption::Cancelled),
            // That poll(2) fails without a descriptor to look at takes a lack of memory.
            _ => Ok(()),
        }
    }

    /// Waits until `entry` is ready or has failed.
    pub fn until_ready<'fd>(&'fd self, entry: Entry<'fd>) -> Result<(), Broken> {
        self.until_one_is_ready(&mut [entry, Entry::NONE])
    }

    /// Waits until one of `entries` is ready or has failed. The last of them is to be
    /// [`Entry::NONE`]: its place is needed for what wakes a cancelled wait.
    pub fn until_one_is_ready<'fd>(&'fd self, entries: &mut [Entry<'fd>]) -> Result<(), Broken> {
        let Some((last, _)) = entries.split_last_mut() else { return Ok(()) };
        let mut wake = self.cancel().and_then(Cancel::wake);
        *last = wake.map_or(Entry::NONE, Entry::readable);
        loop {
            let next_look = self.look()?;
            self.check_cancel()?;
            let left = self.end().remaining();
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Interruption::TimedOut.into());
            }
            let slice = (self.cancel.is_some() && wake.is_none()).then_some(SLICE);
            let timeout = [left, next_look.remaining(), slice].into_iter().flatten().min();
            poll(entries, timeout)?;
            let Some((last, rest)) = entries.split_last_mut() else { return Ok(()) };
            if rest.iter().any(Entry::is_ready) {
                // What is ready and cancelled at once is cancelled.
                return Ok(self.check_cancel()?);
            }
            if last.is_ready() && self.check_cancel().is_ok() {
                // Set off, but not for this process's handle, or it is another descriptor by now: then
                // it is of no use here.
                (*last, wake) = (Entry::NONE, None);
            }
        }
    }
}

/// Locks a mutex whose contents a panic cannot leave half-written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const SOON: Option<Duration> = Some(Duration::from_millis(20));

    #[test]
    fn a_pause_that_nobody_cancels_lasts_until_its_time() {
        let begin = Instant::now();
        assert!(Wait::new(Deadline::NEVER, None).pause(Deadline::after(SOON)).is_ok());
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_wait_for_nothing_ends_at_its_deadline() {
        let wait = Wait::new(Deadline::after(SOON), None);
        let result = wait.until_ready(Entry::NONE);
        assert!(matches!(result, Err(Broken::Interrupted(Interruption::TimedOut))), "{result:?}");
    }

    /// Looks this often, every millisecond, and then has enough.
    #[derive(Debug)]
    struct Patience(Cell<u32>);

    impl Watch for Patience {
        fn look(&self) -> Result<Deadline, Interruption> {
            let left = self.0.get().checked_sub(1).ok_or(Interruption::Stalled)?;
            self.0.set(left);
            Ok(Deadline::after(Some(Duration::from_millis(1))))
        }
    }

    #[test]
    fn who_watches_a_wait_looks_when_it_wants_to_and_may_end_it_though_its_deadline_is_far() {
        let begin = Instant::now();
        let far = Deadline::after(Some(Duration::from_secs(600)));
        let wait = Wait::new(far, None).watched_by(Rc::new(Patience(Cell::new(20))));
        let result = wait.until_ready(Entry::NONE);
        assert!(matches!(result, Err(Broken::Interrupted(Interruption::Stalled))), "{result:?}");
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert_eq!(wait.check(), Err(Interruption::Stalled));
    }

    #[test]
    fn a_watched_wait_ends_at_its_deadline_all_the_same() {
        let watch = Rc::new(Patience(Cell::new(u32::MAX)));
        let wait = Wait::new(Deadline::after(SOON), None).watched_by(watch);
        let result = wait.until_ready(Entry::NONE);
        assert!(matches!(result, Err(Broken::Interrupted(Interruption::TimedOut))), "{result:?}");
    }

    #[test]
    fn progress_is_told_once() {
        let wait = Wait::new(Deadline::NEVER, None);
        assert!(!wait.take_progress());
        wait.note_progress();
        assert!(wait.take_progress());
        assert!(!wait.take_progress());
    }
}
