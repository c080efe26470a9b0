//! The bytes of a part: those of a file, read by position, or those that a caller has handed over, in memory.

use super::file::SourceFile;
use crate::block::Block;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Where the bytes of a part are; there is one at least.
#[derive(Clone)]
pub(crate) enum Content {
    File {
        file: Arc<SourceFile>,
        /// Where they lie in the file.
        range: Range<u64>,
    },
    /// A part's worth; nothing if nothing has come of it.
    Memory(Option<Arc<Block>>),
}

impl Content {
    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        match self {
            Content::File { range, .. } => range.end - range.start,
            Content::Memory(block) => bytes_of(block).len() as u64,
        }
    }

    /// Reads some of those from the `at`th on, which are no more than there is room for.
    pub fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        let left = self.length().saturating_sub(at);
        let most = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
        let room = &mut room[..most];
        match self {
            Content::File { file, range } => {
                let at = range.start + at;
                let count = file.read_at(room, at)?;
                if count == 0 && most > 0 {
                    file.must_be_unchanged()?;
                    return Err(io::Error::other(format!("the file ends at byte {at}")));
                }
                Ok(count)
            }
            Content::Memory(block) => {
                let bytes = bytes_of(block);
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                room.copy_from_slice(&bytes[from..from + most]);
                Ok(most)
            }
        }
    }

    /// Fails if they are no longer those that they were.
    pub fn must_be_unchanged(&self) -> io::Result<()> {
        match self {
            Content::File { file, .. } => file.must_be_unchanged(),
            Content::Memory(_) => Ok(()),
        }
    }
}

fn bytes_of(block: &Option<Arc<Block>>) -> &[u8] {
    block.as_ref().map_or(&[], |block| block.bytes())
}
