//! Cancelling: a flag that any thread may raise, and that wakes whoever waits.

use crate::process;
use crate::transport::{Bell, Interruption};
use crate::wait::waiter::WaitingRoom;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a wait on a socket that nothing can wake goes on before it looks at the flag again.
pub(crate) const SLICE: Duration = Duration::from_millis(10);

/// A cancel handle. It stays triggered, and may serve any number of calls.
#[derive(Debug)]
pub(crate) struct Cancel {
    triggered: AtomicBool,
    /// Wakes waits on sockets at once. Without one, for want of a descriptor, they look in slices.
    bell: Option<Bell>,
    /// Where waits are that are not on sockets.
    room: Arc<WaitingRoom>,
    generation: u32,
}

impl Cancel {
    /// A handle that is not triggered.
    pub fn new() -> Self {
        Cancel::with_bell(Bell::new().ok())
    }

    /// A handle that nothing rings for: those who wait on sockets look at it in slices.
    #[cfg(test)]
    pub fn without_bell() -> Self {
        Cancel::with_bell(None)
    }

    fn with_bell(bell: Option<Bell>) -> Self {
        Cancel {
            triggered: AtomicBool::new(false),
            bell,
            room: Arc::default(),
            generation: process::generation(),
        }
    }

    /// Cancels all calls that use the handle, now and later. A signal handler may do so: it takes no
    /// lock and no memory.
    pub fn trigger(&self) {
        self.triggered.store(true, Ordering::Release);
        self.room.wake_all();
        if let Some(bell) = self.own_bell() {
            bell.ring();
        }
    }

    /// Fails once the handle is triggered.
    pub fn check(&self) -> Result<(), Interruption> {
        if self.triggered.load(Ordering::Acquire) { Err(Interruption::Cancelled) } else { Ok(()) }
    }

    /// What becomes readable when the handle is triggered.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.own_bell().map(Bell::descriptor)
    }

    /// Where to wait for the trigger and something else that is no socket.
    pub fn waiting_room(&self) -> Arc<WaitingRoom> {
        self.room.clone()
    }

    /// The bell, unless it is one that a parent process rings too.
    fn own_bell(&self) -> Option<&Bell> {
        self.bell.as_ref().filter(|_| self.generation == process::generation())
    }
}

/// Locks a mutex whose contents a panic cannot leave half-written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::pause;
    use crate::wait::deadline::Deadline;
    use std::time::Instant;

    /// How long a pause of a minute lasts that `cancel` ends after 30 ms.
    fn cancelled_pause(cancel: &Cancel) -> Duration {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                cancel.trigger();
            });
            let result = pause(Deadline::after(Some(Duration::from_secs(60))), Some(cancel));
            assert!(matches!(result, Err(Interruption::Cancelled)));
        });
        begin.elapsed()
    }

    #[test]
    fn a_pause_ends_when_cancelled_with_a_bell_and_without_one() {
        for cancel in [Cancel::new(), Cancel::without_bell()] {
            // Far below the minute, far above what a busy machine adds.
            assert!(cancelled_pause(&cancel) < Duration::from_secs(5), "{cancel:?}");
        }
    }

    #[test]
    fn a_triggered_handle_stays_so() {
        let cancel = Cancel::new();
        assert!(cancel.check().is_ok());
        cancel.trigger();
        cancel.trigger();
        assert!(cancel.check().is_err());
        assert!(pause(Deadline::after(None), Some(&cancel)).is_err());
    }

    #[test]
    fn a_pause_without_a_cancel_lasts_until_its_time() {
        let begin = Instant::now();
        assert!(pause(Deadline::after(Some(Duration::from_millis(20))), None).is_ok());
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_bell_that_rings_for_another_process_cancels_nothing() {
        let cancel = Cancel::new();
        // As a parent's would that shares it.
        cancel.own_bell().expect("a descriptor").ring();
        let begin = Instant::now();
        assert!(pause(Deadline::after(Some(Duration::from_millis(20))), Some(&cancel)).is_ok());
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert!(cancelled_pause(&cancel) < Duration::from_secs(5));
    }
}
