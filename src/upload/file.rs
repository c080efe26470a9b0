//! The file that is uploaded: opened once, read by position, and looked at again and again, so that what has
//! changed meanwhile is not taken for what it was. It is never mapped: of a file that shrinks, reading memory
//! would end the process.

use crate::error::Error;
use crate::os;
use crate::transport::Fault;
use ring::digest;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

/// How much of its beginning and of its end a file is known by.
const LOOKED_AT: u64 = 64 * 1024;

/// An open file.
pub(crate) struct SourceFile {
    file: File,
    seen: Seen,
    digest: [u8; 32],
}

/// What the system tells of a file, as far as it changes with the file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// In bytes.
    pub size: u64,
    /// When it was last written to: Unix seconds, and nanoseconds.
    pub modified: (i64, i64),
}

/// What a file is known by in another process, after another start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub seen: Seen,
    /// SHA-256 of its first 64 KiB, and of its last 64 KiB behind them.
    pub digest: [u8; 32],
}

impl SourceFile {
    /// Opens the file at `path`, which must be a regular one that is not empty.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let cannot = |be: &str, error: &dyn fmt::Display| {
            Error::source(format_args!("the file {path:?} cannot be {be}: {error}"))
        };
        let file = os::file::open(path).map_err(|error| cannot("opened", &error))?;
        let found = os::file::metadata(&file).map_err(|error| cannot("looked at", &error))?;
        let metadata = match found {
            Some(metadata) if metadata.is_file() => metadata,
            other => {
                let is_directory = other.is_some_and(|metadata| metadata.is_dir());
                let what = if is_directory { "a directory" } else { "no regular file" };
                return Err(Error::invalid_argument(format_args!("path {path:?} is {what}")));
            }
        };
        if metadata.len() == 0 {
            return Err(Error::invalid_argument(format_args!("path {path:?} is an empty file")));
        }
        let mut opened = SourceFile { file, seen: Seen::of(&metadata), digest: [0; 32] };
        opened.digest = opened.read_digest().map_err(|error| cannot("read", &error))?;
        Ok(opened)
    }

    /// What it is known by.
    pub fn identity(&self) -> Identity {
        Identity { seen: self.seen, digest: self.digest }
    }

    /// How many bytes it had when it was opened.
    pub fn size(&self) -> u64 {
        self.seen.size
    }

    /// Reads some of what stands at `at`; 0 at its end.
    pub fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        os::file::read_at(&self.file, room, at)
    }

    /// Fails if it is no longer as it was when it was opened.
    pub fn must_be_unchanged(&self) -> io::Result<()> {
        let now = Seen::of(&self.file.metadata()?);
        if now == self.seen {
            return Ok(());
        }
        let (before, now) = (self.seen.size, now.size);
        Err(io::Error::other(Fault::Source(match now == before {
            true => "the file was written to after the upload had begun".into(),
            false => format!(
                "the file has changed: it had {before} bytes when the upload began, and has {now}"
            ),
        })))
    }

    fn read_exact_at(&self, mut room: &mut [u8], mut at: u64) -> io::Result<()> {
        while !room.is_empty() {
            match self.read_at(room, at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    room = &mut room[count..];
                    at += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_digest(&self) -> io::Result<[u8; 32]> {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut room = vec![0; usize::try_from(LOOKED_AT.min(self.size())).unwrap_or(0)];
        for at in [0, self.size() - room.len() as u64] {
            self.read_exact_at(&mut room, at)?;
            context.update(&room);
        }
        Ok(sha256(context.finish()))
    }
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        Seen { size: metadata.len(), modified: os::file::modified(metadata) }
    }
}

/// The bytes of a SHA-256.
pub(crate) fn sha256(digest: digest::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::Failure;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::{Duration, SystemTime};
    use tempfile::TempDir;

    /// A directory with a file of these bytes.
    pub(crate) fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("film.mp4");
        fs::write(&path, bytes).expect("a file");
        (directory, path)
    }

    /// Bytes of which no two pieces are the same.
    pub(crate) fn bytes(length: usize) -> Vec<u8> {
        (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    }

    fn refusal(path: &Path) -> (Failure, String) {
        let error = SourceFile::open(path).map(drop).expect_err("it is none");
        (error.failure(), error.to_string())
    }

    #[test]
    fn a_file_is_read_by_position() {
        let (_directory, path) = file_of(b"0123456789");
        let file = SourceFile::open(&path).expect("a file");
        let mut room = [0; 4];
        assert_eq!(
            (file.size(), file.read_at(&mut room, 3).expect("bytes"), &room),
            (10, 4, b"3456")
        );
        assert_eq!(file.read_at(&mut room, 8).expect("bytes"), 2);
        assert_eq!(file.read_at(&mut room, 10).expect("the end"), 0);
        file.read_exact_at(&mut room, 6).expect("its last bytes");
        let beyond = file.read_exact_at(&mut room, 7).map_err(|error| error.kind());
        assert_eq!((&room[..3], beyond), (b"789".as_slice(), Err(ErrorKind::UnexpectedEof)));
        file.must_be_unchanged().expect("nobody has touched it");
    }

    #[test]
    fn what_is_no_file_to_upload_is_refused_plainly() {
        let (directory, path) = file_of(b"");
        let is_argument = |path: &Path, words: &str| {
            let (failure, said) = refusal(path);
            assert_eq!(failure, Failure::InvalidArgument, "{said}");
            assert!(said.contains(words), "{said}");
        };
        is_argument(&path, "is an empty file");
        is_argument(directory.path(), "is a directory");
        is_argument(Path::new("/dev/null"), "is no regular file");
        let fifo = directory.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        is_argument(&fifo, "is no regular file");
    }

    #[test]
    fn a_file_that_is_not_there_is_a_source_that_cannot_be_opened() {
        let (directory, _) = file_of(b"x");
        let (failure, said) = refusal(&directory.path().join("other.mp4"));
        assert_eq!(failure, Failure::Source);
        assert!(said.contains("other.mp4\" cannot be opened: No such file"), "{said}");
        assert!(said.ends_with("nothing was sent"), "{said}");
    }

    #[test]
    fn a_file_that_grows_shrinks_or_is_written_to_has_changed() {
        let changed = |change: &dyn Fn(&Path)| {
            let (_directory, path) = file_of(b"0123456789");
            let file = SourceFile::open(&path).expect("a file");
            change(&path);
            file.must_be_unchanged().expect_err("it has changed").to_string()
        };
        let append = |path: &Path| {
            let file = OpenOptions::new().append(true).open(path);
            file.and_then(|mut file| file.write_all(b"x")).expect("it grows");
        };
        assert!(changed(&append).contains("it had 10 bytes when the upload began, and has 11"));
        let cut = |path: &Path| {
            let file = OpenOptions::new().write(true).open(path);
            file.and_then(|file| file.set_len(3)).expect("it shrinks");
        };
        assert!(changed(&cut).contains("and has 3"));
        let touch = |path: &Path| {
            let later = SystemTime::now() + Duration::from_secs(7);
            let file = OpenOptions::new().write(true).open(path);
            file.and_then(|file| file.set_modified(later)).expect("it is touched");
        };
        assert!(changed(&touch).contains("was written to"));
    }

    #[test]
    fn one_that_is_replaced_goes_on_as_it_was_opened() {
        let (directory, path) = file_of(b"0123456789");
        let file = SourceFile::open(&path).expect("a file");
        let other = directory.path().join("other");
        fs::write(&other, b"something else").expect("a file");
        fs::rename(&other, &path).expect("it takes the other's place");
        file.must_be_unchanged().expect("the one that was opened is the same");
        let mut room = [0; 10];
        assert_eq!((file.read_at(&mut room, 0).expect("bytes"), &room), (10, b"0123456789"));
    }

    #[test]
    fn a_file_is_known_by_its_size_its_time_its_beginning_and_its_end() {
        let same_time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let identity = |bytes: &[u8]| {
            let (_directory, path) = file_of(bytes);
            let file = OpenOptions::new().write(true).open(&path).expect("a file");
            file.set_modified(same_time).expect("a time");
            SourceFile::open(&path).expect("a file").identity()
        };
        let long = bytes(200_000);
        let known = identity(&long);
        assert_eq!(known.seen, Seen { size: 200_000, modified: (1_700_000_000, 0) });
        assert_eq!(identity(&long), known);
        for (at, is_seen) in [(0, true), (65_535, true), (65_536, false), (134_464, true)] {
            let mut other = long.clone();
            other[at] ^= 1;
            assert_eq!(identity(&other) != known, is_seen, "{at}");
        }
        let expected = digest::digest(&digest::SHA256, b"0101");
        assert_eq!(identity(b"01").digest, sha256(expected));
    }
}
