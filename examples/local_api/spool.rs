//! Where parts wait for those before them: a temporary file without a name, which goes with the
//! process however that ends. It has slots, each for one part, and uses them again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const PIECE: usize = 64 * 1024;

pub struct Spool {
    file: File,
    slot_bytes: u64,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    free: Vec<u64>,
    count: u64,
}

impl Spool {
    pub fn new(slot_bytes: u64) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, slot_bytes, slots: Mutex::default() })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Free again when dropped.
pub struct Slot {
    spool: Arc<Spool>,
    number: u64,
}

impl Slot {
    pub fn of(spool: &Arc<Spool>) -> Self {
        let mut slots = spool.slots();
        let number = slots.free.pop().unwrap_or_else(|| {
            slots.count += 1;
            slots.count - 1
        });
        drop(slots);
        Self { spool: Arc::clone(spool), number }
    }

    /// No more than fits into a slot may be written.
    pub fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        assert!(at + bytes.len() as u64 <= self.spool.slot_bytes, "a part fits into its slot");
        self.spool.file.write_all_at(bytes, self.start() + at)
    }

    /// Its first `length` bytes, piece by piece.
    pub fn read(&self, length: u64, mut tell: impl FnMut(&[u8])) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        while at < length {
            let bytes = &mut piece[..PIECE.min((length - at) as usize)];
            self.spool.file.read_exact_at(bytes, self.start() + at)?;
            tell(bytes);
            at += bytes.len() as u64;
        }
        Ok(())
    }

    fn start(&self) -> u64 {
        self.number * self.spool.slot_bytes
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.spool.slots().free.push(self.number);
    }
}
