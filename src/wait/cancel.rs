//! Cancelling: a flag that any thread may raise, and that wakes whoever waits.

use super::Interruption;
use super::waiter::WaitingRoom;
use crate::os::wake::Wake;
use crate::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a wait on a socket that nothing can wake goes on before it looks at the flag again.
pub(crate) const SLICE: Duration = Duration::from_millis(10);

/// A cancel handle. It stays triggered, and may serve any number of calls.
#[derive(Debug)]
pub(crate) struct Cancel {
    triggered: AtomicBool,
    /// Wakes waits on sockets at once. Without one, for want of a descriptor, they look in slices.
    wake: Option<Wake>,
    /// Where waits are that are not on sockets.
    room: Arc<WaitingRoom>,
    generation: u32,
}

impl Cancel {
    /// A handle that is not triggered.
    pub fn new() -> Self {
        Cancel::waking_by(Wake::new().ok())
    }

    /// A handle that cannot wake those who wait on sockets: they look at it in slices.
    #[cfg(test)]
    pub fn without_wake() -> Self {
        Cancel::waking_by(None)
    }

    fn waking_by(wake: Option<Wake>) -> Self {
        Cancel {
            triggered: AtomicBool::new(false),
            wake,
            room: Arc::default(),
            generation: process::generation(),
        }
    }

    /// Cancels all calls that use the handle, now and later. A signal handler may do so: it takes no
    /// lock and no memory.
    pub fn trigger(&self) {
        self.triggered.store(true, Ordering::Release);
        self.room.wake_all();
        if let Some(wake) = self.wake() {
            wake.set_off();
        }
    }

    /// Fails once the handle is triggered.
    pub fn check(&self) -> Result<(), Interruption> {
        if self.triggered.load(Ordering::Acquire) { Err(Interruption::Cancelled) } else { Ok(()) }
    }

    /// Where to wait for the trigger and something else that is no socket.
    pub fn waiting_room(&self) -> Arc<WaitingRoom> {
        self.room.clone()
    }

    /// What becomes readable when the handle is triggered, unless a parent process sets it off too.
    pub fn wake(&self) -> Option<&Wake> {
        self.wake.as_ref().filter(|_| self.generation == process::generation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::Wait;
    use crate::wait::deadline::Deadline;
    use std::time::Instant;

    fn pause(time: Option<Duration>, cancel: &Arc<Cancel>) -> Result<(), Interruption> {
        Wait::new(Deadline::NEVER, Some(cancel.clone())).pause(Deadline::after(time))
    }

    /// How long a pause of a minute lasts that `cancel` ends after 30 ms.
    fn cancelled_pause(cancel: &Arc<Cancel>) -> Duration {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                cancel.trigger();
            });
            let result = pause(Some(Duration::from_secs(60)), cancel);
            assert!(matches!(result, Err(Interruption::Cancelled)));
        });
        begin.elapsed()
    }

    #[test]
    fn a_pause_ends_when_cancelled_with_a_wake_and_without_one() {
        for cancel in [Cancel::new(), Cancel::without_wake()].map(Arc::new) {
            // Far below the minute, far above what a busy machine adds.
            assert!(cancelled_pause(&cancel) < Duration::from_secs(5), "{cancel:?}");
        }
    }

    #[test]
    fn a_triggered_handle_stays_so() {
        let cancel = Arc::new(Cancel::new());
        assert!(cancel.check().is_ok());
        cancel.trigger();
        cancel.trigger();
        assert!(cancel.check().is_err());
        assert!(pause(None, &cancel).is_err());
    }

    #[test]
    fn a_wake_that_is_set_off_for_another_process_cancels_nothing() {
        let cancel = Arc::new(Cancel::new());
        // As a parent's would be that shares it.
        cancel.wake().expect("a descriptor").set_off();
        let begin = Instant::now();
        assert!(pause(Some(Duration::from_millis(20)), &cancel).is_ok());
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert!(cancelled_pause(&cancel) < Duration::from_secs(5));
    }
}
