//! Memory for what is sent, taken from the system and given back to it at once. malloc would keep what is so
//! large, and from then on all of the host's that is as large, too.

use memmap2::MmapMut;
use std::io;

/// Memory of a fixed size, which is filled from its beginning.
pub(crate) struct Block {
    memory: MmapMut,
    length: usize,
}

impl Block {
    /// An empty one for so many bytes, 1 at least. It takes memory as it is filled.
    pub fn new(size: usize) -> io::Result<Self> {
        Ok(Block { memory: MmapMut::map_anon(size)?, length: 0 })
    }

    /// What it is filled with.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    /// All of its memory, filled or not.
    pub fn memory(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// Adds as many of `bytes` as there is room for, and returns how many those are.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let room = &mut self.memory[self.length..];
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.length += count;
        count
    }

    /// Makes it empty.
    pub fn clear(&mut self) {
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_filled_up_to_its_size_and_again() {
        let mut block = Block::new(5).expect("memory");
        assert_eq!(block.bytes(), b"");
        assert_eq!((block.append(b"abc"), block.append(b"defg"), block.append(b"h")), (3, 2, 0));
        assert_eq!(block.bytes(), b"abcde");
        block.clear();
        assert_eq!((block.append(b"xy"), block.bytes()), (2, &b"xy"[..]));
        assert_eq!(block.memory(), b"xycde");
    }
}
