//! What is handed out as plain C data: each result is one allocation that knows its own size, so
//! that freeing it trusts nothing that the caller can see.

use super::boundary::Caller;
use super::tokens::{av_token, av_token_page};
use crate::answer::page::{Pagination, Sink, most_items};
use crate::secret::wipe;
use crate::tokens::Token;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;

/// What stands before the first value of an allocation.
#[repr(C, align(16))]
struct Header {
    size: usize,
    texts: Range<usize>,
}

/// One allocation, filled from front to back. Dropping it frees it, and wipes its texts before: they are
/// tokens.
pub(super) struct Block {
    base: NonNull<u8>,
    size: usize,
    used: usize,
    /// Where texts begin, and how far they reached when they were begun anew; at first there are none.
    texts: Range<usize>,
}

impl Block {
    /// A block with room for `room` bytes. Without memory the process ends, as with any of Rust's
    /// allocations.
    pub fn with_room_for(room: usize) -> Self {
        let size = size_of::<Header>() + room;
        let layout = layout(size);
        // SAFETY: the layout's size is not 0, since it holds the header.
        let base = unsafe { alloc(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        let used = size_of::<Header>();
        Block { base, size, used, texts: size..size }
    }

    /// Sets aside `count` values of `T`, not initialised yet.
    fn reserve<T>(&mut self, count: usize) -> NonNull<T> {
        let start = self.used.next_multiple_of(align_of::<T>());
        let end = start + count * size_of::<T>();
        assert!(end <= self.size, "a result outgrew its allocation");
        self.used = end;
        // SAFETY: `start` lies within the allocation or at its end, as has just been asserted.
        unsafe { self.base.add(start) }.cast()
    }

    /// What follows are texts, from which only [`Block::forget_texts`] goes back.
    fn begin_texts(&mut self) {
        self.texts = self.used..self.used;
    }

    /// Begins with the texts anew.
    fn forget_texts(&mut self) {
        self.texts.end = self.texts.end.max(self.used);
        self.used = self.texts.start;
    }

    /// Copies a text, NUL-terminated.
    fn text(&mut self, text: &[u8]) -> *const c_char {
        let target = self.reserve::<u8>(text.len() + 1);
        // SAFETY: the target was set aside for just as many bytes, and overlaps with nothing.
        unsafe {
            target.copy_from_nonoverlapping(NonNull::from(text).cast(), text.len());
            target.add(text.len()).write(0);
        }
        target.as_ptr().cast()
    }

    /// Gives the block away by the address of its first value.
    fn into_first<T>(self) -> *mut T {
        let texts = self.texts.start..self.texts.end.max(self.used);
        let header = Header { size: self.size, texts };
        // SAFETY: every block has room for its header, for which it is aligned.
        unsafe { self.base.cast::<Header>().write(header) };
        // SAFETY: as above.
        let first = unsafe { self.base.add(size_of::<Header>()) };
        std::mem::forget(self);
        first.as_ptr().cast()
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `first` must come from [`Block::into_first`] and not have been taken back since.
    pub unsafe fn from_first<T>(first: NonNull<T>) -> Self {
        // SAFETY: by the promise above, the header stands right before the first value.
        let base = unsafe { first.cast::<u8>().sub(size_of::<Header>()) };
        // SAFETY: as above.
        let Header { size, texts } = unsafe { base.cast::<Header>().as_ref() };
        Block { base, size: *size, used: texts.end, texts: texts.clone() }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let base = self.base.as_ptr();
        let bytes = base.cast::<MaybeUninit<u8>>();
        // SAFETY: the block is `size` bytes long and nobody else's; they need not be initialised.
        let bytes = unsafe { std::slice::from_raw_parts_mut(bytes, self.size) };
        // There may be none yet.
        wipe(bytes.get_mut(self.texts.start..self.texts.end.max(self.used)).unwrap_or_default());
        // SAFETY: allocated by `with_room_for` with this very layout.
        unsafe { dealloc(base, layout(self.size)) }
    }
}

fn layout(size: usize) -> Layout {
    match Layout::from_size_align(size, align_of::<Header>()) {
        Ok(layout) => layout,
        // Only for sizes beyond half of the address space.
        Err(_) => panic!("a result is too large"),
    }
}

/// A string of its own, for the caller to free with `av_string_free`.
pub(super) fn string(text: &[u8]) -> *mut c_char {
    let mut block = Block::with_room_for(text.len() + 1);
    block.begin_texts();
    block.text(text);
    block.into_first()
}

/// A token of its own, for the caller to free with `av_token_free`.
pub(super) fn token(token: &Token<'_>) -> *mut av_token {
    let mut block = Block::with_room_for(size_of::<av_token>() + token.token.len() + 1);
    let target = block.reserve::<av_token>(1);
    block.begin_texts();
    let value = av_token::new(token, block.text(token.token.as_bytes()));
    // SAFETY: set aside above for one token.
    unsafe { target.write(value) };
    block.into_first()
}

/// A copy of a token, with all that it tells, for the caller to free with `av_token_free`.
pub(super) fn copy(caller: Caller, original: &av_token) -> *mut av_token {
    let text = caller.bytes(original.token);
    let mut block = Block::with_room_for(size_of::<av_token>() + text.len() + 1);
    let target = block.reserve::<av_token>(1);
    block.begin_texts();
    let value = av_token { token: block.text(text), ..*original };
    // SAFETY: set aside above for one token.
    unsafe { target.write(value) };
    block.into_first()
}

/// A page under construction: the page, room for its items and the pointers to them, then their
/// texts, all in one allocation whose size the answer's text bounds.
pub(super) struct PageBuilder {
    block: Block,
    page: NonNull<av_token_page>,
    items: NonNull<av_token>,
    pointers: NonNull<*const av_token>,
    room: usize,
    count: usize,
}

impl PageBuilder {
    /// Room for all that `text`, a page as JSON, can hold.
    pub fn for_text(text: &str) -> Self {
        let room = most_items(text);
        let item = size_of::<av_token>() + size_of::<*const av_token>();
        // A text in JSON has two quotes that its NUL takes the place of.
        let mut block = Block::with_room_for(size_of::<av_token_page>() + room * item + text.len());
        let page = block.reserve(1);
        let items = block.reserve(room);
        let pointers = block.reserve(room);
        block.begin_texts();
        PageBuilder { block, page, items, pointers, room, count: 0 }
    }

    /// The finished page, to be freed with `av_token_page_free`.
    pub fn finish(self, pagination: &Pagination) -> *mut av_token_page {
        let page = av_token_page::new(pagination, self.pointers.as_ptr(), self.count);
        // SAFETY: set aside by `for_text` for one page.
        unsafe { self.page.write(page) };
        self.block.into_first()
    }
}

impl Sink<Token<'_>> for PageBuilder {
    fn clear(&mut self) {
        self.count = 0;
        self.block.forget_texts();
    }

    fn push(&mut self, token: Token<'_>) {
        assert!(self.count < self.room, "a page outgrew its allocation");
        let value = av_token::new(&token, self.block.text(token.token.as_bytes()));
        // SAFETY: `for_text` set aside `room` items and as many pointers.
        unsafe {
            let item = self.items.add(self.count);
            item.write(value);
            self.pointers.add(self.count).write(item.as_ptr());
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "a result is too large")]
    fn a_result_beyond_half_of_the_address_space_is_refused() {
        super::layout(usize::MAX);
    }
}
