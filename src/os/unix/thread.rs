//! Threads of the library's own.

use std::io;
use std::thread::{self, JoinHandle};

/// Starts a thread on which no signal of the host's is ever handled, with a stack of so many bytes, or of
/// what is usual.
pub(crate) fn spawn_without_signals(
    name: &str,
    stack: Option<usize>,
    work: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    // SAFETY: a signal set is plain data, for which all zeros is a value.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { std::mem::zeroed() };
    // SAFETY: both sets are valid for the length of the calls. A thread begins with its maker's
    // mask, which is put back below.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let builder = thread::Builder::new().name(name.into());
    let builder = match stack {
        Some(bytes) => builder.stack_size(bytes),
        None => builder,
    };
    let thread = builder.spawn(work);
    // SAFETY: as above; the set is the one that was in force.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
    thread
}
