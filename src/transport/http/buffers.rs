//! A connection's buffers, which ureq writes requests into and reads answers from.

use crate::block::Block;
use crate::limits::{BUFFER_SIZE, LARGEST_PIECE};
use crate::secret::wipe;
use std::io;
use ureq::unversioned::transport::Buffers;
use zeroize::Zeroizing;

/// A connection's buffers. What is sent holds the credential, and secrets go both ways: what has been sent or
/// consumed is wiped. What a source holds is no such secret, and too much to be wiped.
#[derive(Default)]
pub(super) struct ConnectionBuffers {
    pub output: Zeroizing<Vec<u8>>,
    /// What is sent of a source, while one is sent: larger, so as to take fewer system calls.
    piece: Option<Block>,
    /// Whether it is the piece that ureq has filled.
    has_filled_piece: bool,
    input: Zeroizing<Vec<u8>>,
    filled: usize,
    consumed: usize,
    progress: bool,
}

impl ConnectionBuffers {
    pub fn new() -> Self {
        ConnectionBuffers {
            output: Zeroizing::new(vec![0; BUFFER_SIZE]),
            piece: None,
            has_filled_piece: false,
            input: Zeroizing::new(vec![0; BUFFER_SIZE]),
            filled: 0,
            consumed: 0,
            progress: false,
        }
    }

    /// The first `amount` bytes of the output are sent, or never will be.
    pub fn sent(&mut self, amount: usize) {
        wipe(&mut self.output[..amount]);
    }

    /// A source of this length is about to be sent.
    pub fn make_piece(&mut self, length: u64) -> io::Result<()> {
        let size = usize::try_from(length).map_or(LARGEST_PIECE, |it| it.min(LARGEST_PIECE));
        self.piece = Some(Block::new(size)?);
        Ok(())
    }

    /// What ureq has filled of a source, to be put back once it is sent.
    pub fn take_piece(&mut self) -> Option<Block> {
        if self.has_filled_piece { self.piece.take() } else { None }
    }

    /// Puts that back.
    pub fn put_back(&mut self, piece: Block) {
        self.piece = Some(piece);
    }

    /// No source is sent any more: its memory is given back.
    pub fn drop_piece(&mut self) {
        self.piece = None;
        self.has_filled_piece = false;
    }

    /// ureq is to read what has come, before it waits for more.
    pub fn have_input_read(&mut self) {
        self.progress = true;
    }

    /// Puts `bytes` in the place of the first `length` bytes of the input.
    pub fn replace_input(&mut self, length: usize, bytes: &[u8]) {
        let rest = &self.input()[length..];
        let input = [bytes, rest].concat();
        (self.consumed, self.filled) = (0, input.len());
        self.input = Zeroizing::new(input);
    }

    /// Makes room behind the input: by moving it to the front, or else by growing. `await_input`
    /// bounds how far.
    fn make_room(&mut self) {
        if self.consumed == self.filled {
            (self.consumed, self.filled) = (0, 0);
        } else if self.filled == self.input.len() {
            if self.consumed > 0 {
                self.input.copy_within(self.consumed..self.filled, 0);
                let moved = self.filled - self.consumed;
                wipe(&mut self.input[moved..self.filled]);
                (self.consumed, self.filled) = (0, moved);
            } else {
                let size = self.input.len() * 2;
                self.input.resize(size, 0);
            }
        }
    }
}

impl Buffers for ConnectionBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.has_filled_piece = false;
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        let end = self.consumed + amount;
        wipe(&mut self.input[self.consumed..end]);
        self.consumed = end;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        self.has_filled_piece = self.piece.is_some();
        let output = match &mut self.piece {
            Some(piece) => piece.memory(),
            None => &mut *self.output,
        };
        (&mut self.input[self.filled..], output)
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_is_sent_in_is_no_larger_than_it_and_given_back_after_it() {
        for (length, size) in [(1, 1), (1 << 40, LARGEST_PIECE)] {
            let mut buffers = ConnectionBuffers::new();
            buffers.make_piece(length).expect("memory");
            assert_eq!(buffers.output().len(), BUFFER_SIZE);
            assert!(buffers.take_piece().is_none(), "the head was filled");
            assert_eq!(buffers.tmp_and_output().1.len(), size);
            let piece = buffers.take_piece().expect("a piece was filled");
            buffers.put_back(piece);
            buffers.drop_piece();
            assert!(buffers.piece.is_none());
            assert_eq!(buffers.tmp_and_output().1.len(), BUFFER_SIZE);
        }
    }
}
