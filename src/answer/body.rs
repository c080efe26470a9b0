//! The body of an answer, in memory that the thread keeps for the next one: fresh memory would have
//! to be zeroed for each answer before it is read into. It is wiped after each, for answers hold secrets.

use crate::limits::{MOST_BELIEVED, MOST_KEPT_BY_THREAD};
use crate::secret::wipe;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use zeroize::Zeroizing;

thread_local!(static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) });

/// A body, read as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Body {
    memory: Vec<u8>,
    filled: usize,
}

impl Body {
    /// Reads up to `limit` bytes; `told` is how many the answer's head announces. After an error the
    /// body holds what had come before it.
    pub fn read(mut reader: impl Read, limit: usize, told: u64) -> (Self, io::Result<()>) {
        // A thread that is ending has nothing kept any more.
        let mut body = Body { memory: KEPT.try_with(Cell::take).unwrap_or_default(), filled: 0 };
        // One byte more than told, so that the end is found without growing.
        let expected = usize::try_from(told).unwrap_or(usize::MAX).min(MOST_BELIEVED) + 1;
        let room = expected.max(body.memory.len());
        body.memory.resize(room, 0);
        loop {
            if body.filled == body.memory.len() {
                body.grow(limit);
            }
            let end = body.memory.len().min(limit);
            if body.filled >= end {
                return (body, Ok(()));
            }
            match reader.read(&mut body.memory[body.filled..end]) {
                Ok(0) => return (body, Ok(())),
                Ok(count) => body.filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (body, Err(error)),
            }
        }
    }

    /// Doubles the memory, up to `limit` bytes, and leaves nothing in the old one.
    fn grow(&mut self, limit: usize) {
        let mut larger = vec![0; (self.filled * 2).min(limit.max(self.filled + 1))];
        larger[..self.filled].copy_from_slice(self);
        wipe(&mut std::mem::replace(&mut self.memory, larger));
    }

    /// The first `most` bytes, in memory of their own that is wiped.
    pub fn beginning(&self, most: usize) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self[..self.len().min(most)].to_vec())
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        wipe(&mut self.memory[..self.filled]);
        if (1..=MOST_KEPT_BY_THREAD).contains(&self.memory.len()) {
            let _ = KEPT.try_with(|kept| kept.set(std::mem::take(&mut self.memory)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `text` as a body that announces `told` bytes, and returns what was read.
    fn read(text: &[u8], limit: usize, told: u64) -> Vec<u8> {
        let (body, result) = Body::read(text, limit, told);
        assert!(result.is_ok());
        body.to_vec()
    }

    #[test]
    fn a_body_is_read_whole_whatever_was_announced() {
        let text = b"0123456789".repeat(20_000);
        for told in [0, 5, text.len() as u64, u64::MAX] {
            assert_eq!(read(&text, usize::MAX, told), text, "{told}");
        }
    }

    #[test]
    fn nothing_of_the_body_before_is_left_in_a_shorter_one() {
        assert_eq!(read(b"a long body", 100, 11), b"a long body");
        assert_eq!(read(b"short", 100, 5), b"short");
        assert_eq!(read(b"", 100, 0), b"");
    }

    #[test]
    fn nothing_of_a_body_is_left_in_the_memory_that_is_kept() {
        drop(read(b"a secret", 100, 8));
        let kept = KEPT.take();
        assert!(!kept.is_empty() && kept.iter().all(|&byte| byte == 0), "{kept:?}");
    }

    #[test]
    fn reading_ends_at_the_limit() {
        assert_eq!(read(b"0123456789", 4, 10), b"0123");
        assert_eq!(read(b"0123456789", 0, 10), b"");
    }

    #[test]
    fn two_bodies_of_a_thread_at_once_are_apart() {
        let (first, _) = Body::read(&b"first"[..], 100, 5);
        let (second, _) = Body::read(&b"second"[..], 100, 6);
        assert_eq!((&*first, &*second), (&b"first"[..], &b"second"[..]));
    }

    #[test]
    fn an_error_leaves_what_had_come() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let (body, result) = Body::read((&b"half"[..]).chain(Breaks), 100, 8);
        assert_eq!(&*body, b"half");
        assert!(result.is_err());
    }

    #[test]
    fn a_body_is_read_even_while_the_thread_ends() {
        struct AtTheEnd(std::sync::mpsc::Sender<Vec<u8>>);
        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                // After what is kept, since it was begun before.
                let _ = self.0.send(read(b"late", 100, 4));
            }
        }
        thread_local!(static LATE: Cell<Option<AtTheEnd>> = const { Cell::new(None) });
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            LATE.set(Some(AtTheEnd(sender)));
            drop(read(b"early", 100, 5));
        });
        assert_eq!(receiver.recv().ok().as_deref(), Some(&b"late"[..]));
        assert!(thread.join().is_ok());
    }

    #[test]
    fn large_memory_is_not_kept() {
        drop(read(&[b'x'; 100_000], usize::MAX, 0));
        assert!(KEPT.take().len() <= MOST_KEPT_BY_THREAD);
    }
}
