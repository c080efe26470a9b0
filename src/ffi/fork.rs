//! Noticing that the host has forked.

use crate::error::Error;
use crate::process;
use once_cell::race::OnceBool;

/// Has every child process of this one counted. Asking for the process's id instead would cost each
/// call a system call.
pub(super) fn watch() -> Result<(), Error> {
    extern "C" fn in_child() {
        process::note_fork();
    }

    static WATCHING: OnceBool = OnceBool::new();
    WATCHING
        .get_or_try_init(|| {
            // SAFETY: the handler is a function that stays loaded (`-z nodelete`), and does nothing
            // but count, which is allowed between fork and exec.
            match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
                0 => Ok(true),
                error => Err(Error::internal(format_args!("pthread_atfork failed: {error}"))),
            }
        })
        .map(drop)
}
