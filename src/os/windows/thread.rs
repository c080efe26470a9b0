//! Threads of the library's own.

use std::io;
use std::thread::{self, JoinHandle};

/// Starts a thread with a stack of so many bytes, or of what is usual. There are no signals to be kept from
/// it.
pub(crate) fn spawn_without_signals(
    name: &str,
    stack: Option<usize>,
    work: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.into());
    let builder = match stack {
        Some(bytes) => builder.stack_size(bytes),
        None => builder,
    };
    builder.spawn(work)
}
