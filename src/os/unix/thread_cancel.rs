//! pthread_cancel(3): a thread that is cancelled unwinds from where it waits, which no frame of Rust
//! survives. So a call is not cancelled; its thread is, once the call has returned.

/// Runs `work` with the cancellation of this thread disabled. It takes no system call.
#[cfg(not(target_os = "android"))]
pub(crate) fn held_back<R: Copy>(work: impl FnOnce() -> R) -> R {
    use std::ffi::c_int;

    /// As pthread.h has it.
    const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

    // Where a cancellation of the asynchronous kind is pending, it is acted upon as soon as it is
    // enabled again, and unwinds from there: hence "C-unwind", here and for all that the header
    // declares.
    unsafe extern "C-unwind" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }

    let mut before = PTHREAD_CANCEL_DISABLE;
    // SAFETY: `before` is a valid place. Nothing unwinds from here: to disable acts upon nothing.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
    let result = run(work);
    // SAFETY: the state is the one that was in force. If this unwinds, this frame and those above it, up
    // to the one that the header declares, have nothing left to drop: `R` is Copy.
    unsafe { pthread_setcancelstate(before, std::ptr::null_mut()) };
    result
}

/// Runs `work`: there is no pthread_cancel(3) here.
#[cfg(target_os = "android")]
pub(crate) fn held_back<R: Copy>(work: impl FnOnce() -> R) -> R {
    run(work)
}

/// Runs `work`. A panic that gets past all that contains it ends the process, as at any border with C.
extern "C" fn run<R>(work: impl FnOnce() -> R) -> R {
    work()
}
