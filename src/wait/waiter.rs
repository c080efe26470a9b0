//! Waiting for what another thread does, and for a cancel handle at the same time: without a descriptor
//! for each that waits, without looking now and then, and with none woken but whom it concerns.

use super::cancel::Cancel;
use super::{Interruption, Wait, lock};
use crate::os::sleep;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Where threads wait: each cancel handle has such a place for the calls that use it.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom {
    /// Changes whenever somebody is woken.
    calls: AtomicU32,
    /// How many have waited here.
    visitors: AtomicU32,
}

impl WaitingRoom {
    /// Wakes all who wait here. A signal handler may do so: it is an atomic operation and a system call.
    pub fn wake_all(&self) {
        self.wake(u32::MAX);
    }

    fn wake(&self, badges: u32) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        sleep::wake(&self.calls, badges);
    }
}

/// A thread that waits for something of its own.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    room: Arc<WaitingRoom>,
    number: u32,
}

impl Waiter {
    /// A waiter that whatever cancels `wait` wakes as well.
    pub fn new(wait: &Wait) -> Self {
        let room = wait.cancel().map_or_else(Arc::default, Cancel::waiting_room);
        let number = room.visitors.fetch_add(1, Ordering::Relaxed);
        Waiter { room, number }
    }

    /// How often somebody was woken so far: to be asked before looking at what is waited for.
    pub fn calls(&self) -> u32 {
        self.room.calls.load(Ordering::SeqCst)
    }

    /// Waits to be woken, unless that has happened since there were `calls`; no longer than `wait`, which
    /// is the one that it was made for. It may return before either: look again.
    pub fn wait(&self, calls: u32, wait: &Wait) -> Result<(), Interruption> {
        wait.check_cancel()?;
        let left = wait.end().remaining();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Interruption::TimedOut);
        }
        sleep::wait(&self.room.calls, calls, self.badge(), left);
        Ok(())
    }

    /// Wakes it, and of those who use the same cancel handle as few as the system can tell apart.
    pub fn wake(&self) {
        self.room.wake(self.badge());
    }

    fn badge(&self) -> u32 {
        1 << (self.number % u32::BITS)
    }

    fn is(&self, other: &Waiter) -> bool {
        Arc::ptr_eq(&self.room, &other.room) && self.number == other.number
    }
}

/// A condition variable, the wait for which a cancel handle ends as well.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    waiting: Mutex<Vec<Waiter>>,
}

impl Condition {
    /// Gives back `guard`, which is one of `mutex`, until the condition is told, no longer than `wait`.
    /// It may return before either: look again.
    pub fn wait<'m, T>(
        &self,
        mutex: &'m Mutex<T>,
        guard: MutexGuard<'m, T>,
        wait: &Wait,
    ) -> Result<MutexGuard<'m, T>, Interruption> {
        let waiter = Waiter::new(wait);
        let calls = waiter.calls();
        lock(&self.waiting).push(waiter.clone());
        drop(guard);
        let result = waiter.wait(calls, wait);
        lock(&self.waiting).retain(|other| !other.is(&waiter));
        result.map(|()| lock(mutex))
    }

    /// Tells all who wait.
    pub fn notify_all(&self) {
        for waiter in lock(&self.waiting).iter() {
            waiter.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::deadline::Deadline;
    use std::time::{Duration, Instant};

    /// A wait for ever, unless `cancel` ends it.
    fn endless(cancel: Option<&Arc<Cancel>>) -> Wait {
        Wait::new(Deadline::NEVER, cancel.cloned())
    }

    #[test]
    fn who_was_woken_before_it_waits_does_not_wait() {
        for cancel in [None, Some(Arc::new(Cancel::new()))] {
            let wait = endless(cancel.as_ref());
            let waiter = Waiter::new(&wait);
            let calls = waiter.calls();
            waiter.wake();
            assert_eq!(waiter.wait(calls, &wait), Ok(()));
        }
    }

    #[test]
    fn a_wait_ends_at_its_deadline() {
        let begin = Instant::now();
        let wait = Wait::new(Deadline::after(Some(Duration::from_millis(20))), None);
        let waiter = Waiter::new(&wait);
        while waiter.wait(waiter.calls(), &wait).is_ok() {}
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn of_many_with_one_handle_only_some_are_woken_for_one() {
        let wait = endless(Some(&Arc::new(Cancel::new())));
        let waiters: Vec<_> = (0..64).map(|_| Waiter::new(&wait)).collect();
        let alike = waiters.iter().filter(|it| it.badge() == waiters[3].badge()).count();
        assert_eq!(alike, 2);
    }

    #[test]
    fn a_condition_is_waited_for_by_many_until_it_holds() {
        let (condition, holds) = (Condition::default(), Mutex::new(false));
        let cancel = Arc::new(Cancel::new());
        std::thread::scope(|scope| {
            for number in 0..40 {
                let (condition, holds, cancel) = (&condition, &holds, &cancel);
                scope.spawn(move || {
                    let wait = endless((number % 2 == 0).then_some(cancel));
                    let mut guard = lock(holds);
                    while !*guard {
                        let waited = condition.wait(holds, guard, &wait);
                        guard = waited.expect("neither late nor cancelled");
                    }
                });
            }
            *lock(&holds) = true;
            condition.notify_all();
        });
        assert!(lock(&condition.waiting).is_empty());
    }

    #[test]
    fn the_trigger_of_a_handle_ends_all_waits_with_it() {
        let (condition, never) = (Condition::default(), Mutex::new(()));
        let cancel = Arc::new(Cancel::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let wait = endless(Some(&cancel));
                    let mut result = Ok(lock(&never));
                    while let Ok(guard) = result {
                        result = condition.wait(&never, guard, &wait);
                    }
                    assert!(matches!(result, Err(Interruption::Cancelled)));
                });
            }
            while lock(&condition.waiting).len() < 4 {
                std::thread::yield_now();
            }
            cancel.trigger();
        });
    }
}
