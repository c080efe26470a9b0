//! A connection's buffers, which ureq writes requests into and reads answers from.

use crate::limits::BUFFER_SIZE;
use crate::secret::wipe;
use ureq::unversioned::transport::Buffers;
use zeroize::Zeroizing;

/// A connection's buffers. What is sent holds the credential, and secrets go both ways: what has been sent or
/// consumed is wiped.
#[derive(Default)]
pub(super) struct ConnectionBuffers {
    pub output: Zeroizing<Vec<u8>>,
    input: Zeroizing<Vec<u8>>,
    filled: usize,
    consumed: usize,
    progress: bool,
}

impl ConnectionBuffers {
    pub fn new() -> Self {
        ConnectionBuffers {
            output: Zeroizing::new(vec![0; BUFFER_SIZE]),
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
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.progress
    }
}
