//! What must not be shared with the parent process after a fork: its sockets, and its locks, which
//! a thread that does not exist here may hold for ever. A client's connections are a [`PerProcess`] value.

use crate::os::wiped_page;
use once_cell::race::OnceBox;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Which process this is, among those that are copies of each other, whatever made them: none has the
/// number of one of its ancestors.
pub(crate) fn generation() -> u32 {
    match wiped_page::word() {
        Some(word) => match word.load(Ordering::Acquire) {
            0 => begin(word),
            generation => generation,
        },
        None => by_process_id(),
    }
}

/// How many generations there have been in this process and its ancestors: a child goes on counting.
static GENERATIONS: AtomicU32 = AtomicU32::new(0);

/// A number for this process, which is a new one.
#[cold]
fn begin(word: &AtomicU32) -> u32 {
    let generation = GENERATIONS.fetch_add(1, Ordering::AcqRel) + 1;
    // Where two threads come first at once, one of their numbers is left out.
    match word.compare_exchange(0, generation, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => generation,
        Err(known) => known,
    }
}

/// The same for a system that has no such word: by the process's id, which takes a system call, and
/// misses a child that has been given the id of the last ancestor that asked.
#[cold]
fn by_process_id() -> u32 {
    /// An id, and below it the generation of who has it.
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    let mut known = KNOWN.load(Ordering::Acquire);
    loop {
        let generation = known as u32;
        if known >> 32 == u64::from(process) {
            return generation;
        }
        let next = u64::from(process) << 32 | u64::from(generation + 1);
        match KNOWN.compare_exchange(known, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return generation + 1,
            Err(other) => known = other,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_keeps_its_number_and_a_wiped_word_is_a_new_process() {
        let word = AtomicU32::new(0);
        let first = begin(&word);
        assert_eq!((begin(&word), word.load(Ordering::Relaxed)), (first, first));
        word.store(0, Ordering::Relaxed);
        assert!(begin(&word) > first);
        assert_eq!(generation(), generation());
    }

    #[test]
    fn without_such_a_word_the_process_id_tells() {
        let first = by_process_id();
        assert_eq!(by_process_id(), first);
    }
}
