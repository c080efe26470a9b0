//! What must not be shared with the parent process after a fork: its sockets, and its locks, which
//! a thread that does not exist here may hold for ever.

use once_cell::race::OnceBox;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// This process is a child of the one that it was a copy of. Only counts, as befits what runs
/// between fork and the child's first own step.
pub(crate) fn note_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Which process this is, among those that are copies of each other.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// A value that each process makes for itself. Reading it takes no lock, and the parent's value is
/// never touched again in a child, not even to drop it: it may be half-changed.
pub(crate) struct PerProcess<T> {
    generation: u32,
    value: Option<T>,
    next: OnceBox<PerProcess<T>>,
}

impl<T> PerProcess<T> {
    /// This process's value.
    pub fn new(value: T) -> Self {
        PerProcess { generation: generation(), value: Some(value), next: OnceBox::new() }
    }

    /// This process's value, made by `make` if it is still its parent's.
    pub fn get(&self, make: impl Fn() -> T) -> &T {
        let mut node = self;
        loop {
            match &node.value {
                Some(value) if node.generation == generation() => return value,
                _ => node = node.next.get_or_init(|| Box::new(PerProcess::new(make()))),
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.generation != generation() {
            std::mem::forget(self.value.take());
        }
    }
}
