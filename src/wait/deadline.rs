//! A deadline: one point in time, set when a call begins and handed down to everything that may
//! wait, so that no step computes a time-out of its own.

use std::time::{Duration, Instant};

/// A point in time after which waiting must end, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub(crate) const NEVER: Self = Deadline(None);

    /// The deadline that lies `timeout` ahead; `None`, or more than the clock can tell, is never.
    pub fn after(timeout: Option<Duration>) -> Self {
        Deadline::after_time(Instant::now(), timeout)
    }

    /// The deadline that lies `timeout` after `time`.
    pub fn after_time(time: Instant, timeout: Option<Duration>) -> Self {
        Deadline(timeout.and_then(|timeout| time.checked_add(timeout)))
    }

    /// The deadline at a point in time.
    pub fn at(time: Instant) -> Self {
        Deadline(Some(time))
    }

    /// The nearer of two deadlines.
    pub fn or_earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }

    /// The time that is left: `None` without a deadline, zero once it has passed.
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether the deadline has passed.
    pub fn has_passed(self) -> bool {
        self.has_passed_at(Instant::now())
    }

    /// Whether the deadline has passed by `time`.
    pub fn has_passed_at(self, time: Instant) -> bool {
        self.0.is_some_and(|at| at <= time)
    }

    /// An earlier deadline that leaves an equal share of the time to each of `shares` steps.
    pub fn share(self, shares: u32) -> Self {
        match self.remaining() {
            Some(left) if shares > 1 => Deadline::after(Some(left / shares)),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_deadlines_wins() {
        let near = Deadline::after(Some(Duration::from_secs(1)));
        let far = Deadline::after(Some(Duration::from_secs(60)));
        let never = Deadline::after(None);
        assert_eq!(near.or_earlier(far), near);
        assert_eq!(far.or_earlier(near), near);
        assert_eq!(near.or_earlier(never), near);
        assert_eq!(never.or_earlier(near), near);
        assert_eq!(never.or_earlier(never), never);
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_never() {
        assert_eq!(Deadline::after(Some(Duration::MAX)).remaining(), None);
    }

    #[test]
    fn no_time_left_has_passed() {
        assert!(Deadline::after(Some(Duration::ZERO)).has_passed());
        assert!(!Deadline::after(None).has_passed());
    }

    #[test]
    fn a_share_ends_before_the_whole() {
        let whole = Deadline::after(Some(Duration::from_secs(60)));
        assert!(whole.share(4).remaining() < Some(Duration::from_secs(16)));
        assert_eq!(whole.share(1), whole);
    }
}
