//! Files: how they are named, opened, and read by position, and what the system tells of them.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_TYPE_DISK, GetFileType, SECURITY_IDENTIFICATION,
};

/// From 1601, when the system's time begins, to 1970, in its units of 100 nanoseconds.
const UNIX_EPOCH: i64 = 116_444_736_000_000_000;
const UNITS_PER_SECOND: i64 = 10_000_000;

/// The path that these bytes are, in UTF-8; the error is what is wrong with them.
pub(crate) fn path(bytes: &[u8]) -> Result<&Path, &'static str> {
    std::str::from_utf8(bytes).map(Path::new).map_err(|_| "is not UTF-8")
}

/// Opens a file to be read; a directory as well, so that it can be told that it is one. If it is a pipe, then
/// who is at its other end learns who opens it, and may not act in that one's name.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(path)
}

/// What the system tells of it; nothing of a device or a pipe.
pub(crate) fn metadata(file: &File) -> io::Result<Option<Metadata>> {
    // SAFETY: the handle is open.
    match unsafe { GetFileType(file.as_raw_handle()) } {
        FILE_TYPE_DISK => file.metadata().map(Some),
        _ => Ok(None),
    }
}

/// Reads some of what stands at `at`; 0 at its end.
pub(crate) fn read_at(file: &File, room: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(room, at)
}

/// When it was last written to: Unix seconds, and nanoseconds. The system may tell it no sooner than
/// whoever writes has closed the file.
pub(crate) fn modified(metadata: &Metadata) -> (i64, i64) {
    let since_epoch = (metadata.last_write_time() as i64).saturating_sub(UNIX_EPOCH);
    let (seconds, units) =
        (since_epoch.div_euclid(UNITS_PER_SECOND), since_epoch.rem_euclid(UNITS_PER_SECOND));
    (seconds, units * 100)
}
