//! Cancelling calls from another thread.

use super::boundary::{Caller, contain};
use crate::wait::cancel::Cancel;
use std::sync::Arc;

/// Cancels calls from another thread. It is passed to calls in av_request_options.cancel, and may
/// serve any number of them, one after the other or at once. It holds a file descriptor, if one is to
/// be had.
pub struct av_cancel {
    cancel: Arc<Cancel>,
}

impl av_cancel {
    /// The handle's inside, kept alive by the calls that use it.
    pub(super) fn share(&self) -> Arc<Cancel> {
        self.cancel.clone()
    }
}

/// Makes a cancel handle that is not triggered, to be freed with av_cancel_free(). Never NULL.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn av_cancel_new() -> *mut av_cancel {
    contain(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(av_cancel { cancel: Arc::new(Cancel::new()) }))
    })
}

/// Cancels every call that uses the handle, in whatever it is doing: it returns AV_STATUS_CANCELLED
/// within 20 ms, unless its answer has arrived already. The handle stays triggered: every later call
/// with it returns AV_STATUS_CANCELLED before anything is sent. NULL is a no-op.
///
/// It may be called at any time before av_cancel_free() begins, from any thread, any number of
/// times; it never blocks. A signal handler may call it, also one that interrupts a call with this very
/// handle: it takes no lock and no memory, but may change errno, as write() does. In a child process it
/// cancels the child's calls alone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_cancel_trigger(cancel: *mut av_cancel) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(cancel, (), |cancel| cancel.cancel.trigger())
}

/// Frees a cancel handle. NULL is a no-op. Calls that use it go on, and can no longer be cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_cancel_free(cancel: *mut av_cancel) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(cancel)
}
