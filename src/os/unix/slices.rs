//! To sleep until a word of memory changes, where the system has nothing for it that a signal handler may
//! use: who sleeps looks again, often.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const SLICE: Duration = Duration::from_millis(5);

/// Sleeps while `word` is `value`, until `timeout` has passed, but no longer than a slice.
pub(crate) fn wait(word: &AtomicU32, value: u32, _: u32, timeout: Option<Duration>) {
    if word.load(Ordering::SeqCst) == value {
        thread::sleep(timeout.map_or(SLICE, |timeout| timeout.min(SLICE)));
    }
}

/// Wakes nobody: who sleeps looks by itself.
pub(crate) fn wake(_: &AtomicU32, _: u32) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn who_sleeps_looks_again_soon() {
        let word = AtomicU32::new(0);
        let begin = Instant::now();
        wait(&word, 0, 1, None);
        assert!(begin.elapsed() >= SLICE);
        wake(&word, 1);
    }

    #[test]
    fn nobody_sleeps_beyond_its_time_or_once_the_word_has_changed() {
        let word = AtomicU32::new(1);
        // So often that a slice each would take a minute.
        let begin = Instant::now();
        for _ in 0..12_000 {
            wait(&word, 0, 1, None);
            wait(&word, 1, 1, Some(Duration::ZERO));
        }
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
}
