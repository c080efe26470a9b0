//! How fast bytes may go: so many a second and no more, over all that goes by the same pace. Who wants to
//! send asks when its turn comes, and waits for that itself.

use crate::limits::LARGEST_PIECE;
use crate::wait::deadline::Deadline;
use crate::wait::lock;
use std::num::NonZeroU64;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What is sent at once lasts about this long, so that it goes evenly.
const TURNS_PER_SECOND: u64 = 10;

/// So many bytes a second.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: NonZeroU64,
    /// When all those that have taken their turn will have sent.
    free_at: Mutex<Instant>,
}

impl Pace {
    /// A pace of so many bytes a second.
    pub fn new(bytes_per_second: NonZeroU64) -> Self {
        Pace { bytes_per_second, free_at: Mutex::new(Instant::now()) }
    }

    /// How many bytes to send at once at most; at least one.
    pub fn most_at_once(&self) -> usize {
        let most = (self.bytes_per_second.get() / TURNS_PER_SECOND).max(1);
        usize::try_from(most).map_or(LARGEST_PIECE, |most| most.min(LARGEST_PIECE))
    }

    /// Takes a turn to send so many bytes, which comes at the time that is returned. What was not sent in
    /// time past is not made up for.
    pub fn turn(&self, bytes: usize) -> Deadline {
        let nanoseconds = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        let lasts = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut free_at = lock(&self.free_at);
        let turn = (*free_at).max(Instant::now());
        *free_at = turn.checked_add(lasts).unwrap_or(turn);
        Deadline::at(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(bytes_per_second: u64) -> Pace {
        Pace::new(NonZeroU64::new(bytes_per_second).expect("a pace"))
    }

    #[test]
    fn each_turn_comes_when_those_before_have_sent() {
        let pace = pace(1000);
        let begin = Instant::now();
        assert!(pace.turn(500).has_passed());
        let second = pace.turn(250);
        let third = pace.turn(250);
        for (turn, milliseconds) in [(second, 500), (third, 750)] {
            let time = begin + Duration::from_millis(milliseconds);
            assert!(!turn.has_passed_at(time - Duration::from_millis(1)), "{turn:?}");
            assert!(turn.has_passed_at(Instant::now() + Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn time_in_which_nothing_was_sent_is_not_made_up_for() {
        let pace = pace(1_000_000_000);
        pace.turn(1);
        let later = Instant::now() + Duration::from_micros(10);
        while Instant::now() < later {}
        assert!(pace.turn(1_000_000).has_passed());
        assert!(!pace.turn(1).has_passed_at(later + Duration::from_micros(900)));
    }

    #[test]
    fn what_goes_at_once_is_a_tenth_of_a_second_s_worth_and_no_more_than_a_piece() {
        for (rate, most) in [(1, 1), (9, 1), (1000, 100), (u64::MAX, LARGEST_PIECE)] {
            assert_eq!(pace(rate).most_at_once(), most, "{rate}");
        }
    }
}
