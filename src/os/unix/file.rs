//! Files: how they are named, opened, and read by position, and what the system tells of them.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The path that these bytes are, whatever they are; the error is what is wrong with them.
pub(crate) fn path(bytes: &[u8]) -> Result<&Path, &'static str> {
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

/// Opens a file to be read, without waiting: a FIFO would be opened once somebody writes to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// What the system tells of it; nothing, if it tells nothing of its kind.
pub(crate) fn metadata(file: &File) -> io::Result<Option<Metadata>> {
    file.metadata().map(Some)
}

/// Reads some of what stands at `at`; 0 at its end.
pub(crate) fn read_at(file: &File, room: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(room, at)
}

/// When it was last written to: Unix seconds, and nanoseconds.
pub(crate) fn modified(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}
