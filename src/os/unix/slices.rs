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
