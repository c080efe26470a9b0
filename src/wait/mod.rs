//! Waiting: until when, what ends it from outside, and for how long nothing may move. All that waits,
//! sockets, names, proxies, TLS and gates, is handed one [`Wait`].

pub(crate) mod cancel;
pub(crate) mod deadline;
pub(crate) mod waiter;

use crate::os::poll::{Entry, poll};
use cancel::{Cancel, SLICE};
use deadline::Deadline;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What ends a wait before what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The deadline passed, or nothing moved for too long.
    TimedOut,
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

/// How long a call, or a part of one, may wait.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    deadline: Deadline,
    cancel: Option<Arc<Cancel>>,
    /// Shared with its parts: what moves in one of them moves the whole.
    stillness: Option<Rc<Stillness>>,
    has_progressed: Cell<bool>,
}

#[derive(Debug)]
struct Stillness {
    /// For how long nothing may move.
    limit: Duration,
    /// When that is reached, unless something moves before.
    until: Cell<Deadline>,
}

impl Wait {
    /// A wait that ends at `deadline`, or when `cancel` is triggered.
    pub fn new(deadline: Deadline, cancel: Option<Arc<Cancel>>) -> Self {
        Wait { deadline, cancel, stillness: None, has_progressed: Cell::new(false) }
    }

    /// The same wait, which ends as well once nothing has moved for `limit`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what is sent today is too short to stand still")
    )]
    pub fn unless_still_for(mut self, limit: Duration) -> Self {
        let until = Cell::new(Deadline::after(Some(limit)));
        self.stillness = Some(Rc::new(Stillness { limit, until }));
        self
    }

    /// A part of the wait, with an earlier end if `deadline` is one.
    pub fn or_earlier(&self, deadline: Deadline) -> Self {
        Wait { deadline: self.deadline.or_earlier(deadline), ..self.clone() }
    }

    /// When it ends by itself, as far as is known now.
    pub fn end(&self) -> Deadline {
        let still_until = self.stillness.as_ref().map_or(Deadline::NEVER, |it| it.until.get());
        self.deadline.or_earlier(still_until)
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
        if self.end().has_passed() { Err(Interruption::TimedOut) } else { Ok(()) }
    }

    /// Something that was waited for has moved.
    pub fn note_progress(&self) {
        self.has_progressed.set(true);
        if let Some(stillness) = &self.stillness {
            stillness.until.set(Deadline::after(Some(stillness.limit)));
        }
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
            self.check_cancel()?;
            let timeout = match self.end().remaining() {
                Some(left) if left.is_zero() => return Err(Interruption::TimedOut.into()),
                left if self.cancel.is_some() && wake.is_none() => {
                    Some(left.map_or(SLICE, |left| left.min(SLICE)))
                }
                left => left,
            };
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
    use std::time::Instant;

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

    #[test]
    fn a_wait_ends_once_nothing_has_moved_for_long_enough_and_progress_arms_it_anew() {
        let second = Duration::from_secs(1);
        let wait = Wait::new(Deadline::NEVER, None).unless_still_for(second);
        let now = Instant::now();
        assert!(wait.has_ended_at(now + second) && !wait.has_ended_at(now));
        // By the time of the next progress the limit lies a second further on.
        while now.elapsed().is_zero() {}
        wait.note_progress();
        assert!(!wait.has_ended_at(now + second));
        assert!(wait.has_ended_at(Instant::now() + second));
    }

    #[test]
    fn stillness_ends_a_wait_even_if_its_deadline_is_far() {
        let far = Deadline::after(Some(Duration::from_secs(600)));
        let wait = Wait::new(far, None).unless_still_for(Duration::from_millis(20));
        let result = wait.until_ready(Entry::NONE);
        assert!(matches!(result, Err(Broken::Interrupted(Interruption::TimedOut))), "{result:?}");
    }

    #[test]
    fn progress_in_a_part_of_a_wait_arms_the_whole_anew() {
        let second = Duration::from_secs(1);
        let whole = Wait::new(Deadline::NEVER, None).unless_still_for(second);
        let part = whole.or_earlier(Deadline::after(Some(Duration::from_secs(600))));
        let now = Instant::now();
        while now.elapsed().is_zero() {}
        part.note_progress();
        assert!(!whole.has_ended_at(now + second));
        assert!(!whole.or_earlier(Deadline::NEVER).has_ended_at(now + second));
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
