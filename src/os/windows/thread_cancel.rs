//! A thread that is cancelled from outside: nothing of the kind is here.

/// Runs `work`.
pub(crate) fn held_back<R: Copy>(work: impl FnOnce() -> R) -> R {
    run(work)
}

/// Runs `work`. A panic that gets past all that contains it ends the process, as at any border with C.
extern "C" fn run<R>(work: impl FnOnce() -> R) -> R {
    work()
}
