//! What has come of the attempts at one part: how far they got, how many were in vain, and whether one of them
//! may have brought it there.

use super::ending::Ending;
use super::repeat::Next;
use crate::call::verdict::Verdict;
use crate::error::Failure;

/// What has come of the attempts at a part so far.
#[derive(Default)]
pub(crate) struct Attempts {
    /// How many bytes of the part got through in the best of them.
    furthest: u64,
    /// How many in a row failed without having got further than one before.
    pub in_vain: u32,
    /// How many in a row came to nothing that says nothing of the part: the rate limit, or no network.
    waited_out: u32,
    /// Whether one of them may have brought the part there, or one of before what is gone on with.
    pub was_in_doubt: bool,
    /// Whether the last part was sent once more already, to learn whether the video is whole.
    pub was_asked: bool,
    /// The verdict on the last one.
    pub last: Option<Verdict>,
}

impl Attempts {
    /// None yet; whether the part may be there all the same.
    pub fn new(was_in_doubt: bool) -> Self {
        Attempts { was_in_doubt, ..Attempts::default() }
    }

    /// One more has failed that counts, after so many bytes.
    pub fn count(&mut self, sent: u64) {
        if sent > self.furthest {
            self.furthest = sent;
            self.in_vain = 0;
        }
        self.in_vain += 1;
        self.waited_out = 0;
    }

    /// One more has failed that does not count.
    pub fn count_wait(&mut self) {
        self.waited_out += 1;
    }

    /// How many have failed in a row, by which the next waits.
    pub fn failures(&self) -> u32 {
        self.in_vain.max(self.waited_out).max(1)
    }

    /// Another follows for this reason, after one that ended so.
    pub fn follow(&mut self, next: Next, ending: Ending) {
        self.was_asked |= next == Next::Ask;
        // Of another video nothing was sent yet.
        self.was_in_doubt = next != Next::NewVideo && (self.was_in_doubt || ending.is_in_doubt());
    }

    /// What ends the upload since no other attempt could be begun: what the last one ended by, if there was
    /// one.
    pub fn verdict_of_the_last(&mut self, verdict: Verdict) -> Verdict {
        match (self.last.take(), verdict.failure) {
            (None, _) => verdict,
            (Some(last), Failure::Cancelled) => last.cancelled_waiting(),
            (Some(last), _) => {
                Verdict { retry_after: last.retry_after.max(verdict.retry_after), ..last }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_gets_further_each_time_may_go_on() {
        let mut attempts = Attempts::default();
        for sent in [0, 5, 7, 100, 101] {
            attempts.count(sent);
            assert_eq!(attempts.in_vain, 1, "{sent}");
        }
        for in_vain in [2, 3, 4] {
            attempts.count(101);
            assert_eq!(attempts.in_vain, in_vain);
        }
        attempts.count(102);
        assert_eq!(attempts.in_vain, 1);
    }

    #[test]
    fn a_rate_limit_that_tells_no_time_is_waited_for_longer_each_time() {
        let mut attempts = Attempts::default();
        for failures in [1, 2, 3, 4] {
            attempts.count_wait();
            assert_eq!((attempts.failures(), attempts.in_vain), (failures, 0));
        }
        attempts.count(0);
        assert_eq!((attempts.failures(), attempts.in_vain), (1, 1));
    }

    #[test]
    fn what_ended_the_last_attempt_is_told_if_no_other_may_begin() {
        let of = |failure, seconds| {
            Verdict::before_attempt(failure, "what", Some(Duration::from_secs(seconds)))
        };
        for (asked, at_gate, expected) in [(7, 30, 30), (30, 7, 30)] {
            let last = Some(of(Failure::Http(503), asked));
            let mut attempts = Attempts { last, ..Attempts::default() };
            let told = attempts.verdict_of_the_last(of(Failure::RateLimited, at_gate));
            assert_eq!(told.failure, Failure::Http(503));
            assert_eq!(told.retry_after, Some(Duration::from_secs(expected)));
        }
        let told = Attempts::default().verdict_of_the_last(of(Failure::RateLimited, 1));
        assert_eq!(told.failure, Failure::RateLimited);
    }
}
