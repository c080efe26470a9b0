//! A result and what it owns, as plain C data: memory that knows its own size, so that freeing trusts
//! nothing that the caller can see. All of it is wiped before it is freed, for it may hold secrets.

use super::boundary::{Caller, contain};
use crate::secret::wipe;
use std::ffi::c_char;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;

/// How large a block is, unless one item with its text needs more.
pub(super) const BLOCK: usize = 32 * 1024;

/// What a block is made of, for the alignment of all that it holds.
type Word = MaybeUninit<u64>;

/// A result of type `T`, with its texts and its items of type `I`, all of which stay where they are. It
/// is ours until it is handed out, and then the caller's, by the address of the `T`.
pub(super) struct Owned<T, I = ()> {
    /// It begins with what is hidden, and the `T`.
    first: Block,
    more: Vec<Block>,
    holds: PhantomData<(T, I)>,
}

/// What stands before a result that was handed out.
struct Hidden {
    /// The size of its first block, in words.
    words: usize,
    /// Its further blocks.
    more: Vec<Block>,
}

impl<T, I> Owned<T, I> {
    /// Where in the first block its items begin.
    const ITEMS: usize = {
        let alignment = align_of::<Word>();
        assert!(align_of::<Hidden>() <= alignment && align_of::<T>() <= alignment);
        assert!(align_of::<I>() <= alignment && align_of::<*const I>() <= alignment);
        assert!(size_of::<Hidden>().is_multiple_of(align_of::<T>()));
        assert!(!std::mem::needs_drop::<T>() && !std::mem::needs_drop::<I>());
        (size_of::<Hidden>() + size_of::<T>()).next_multiple_of(align_of::<I>())
    };

    /// A result whose first block has room for `room` bytes of items and texts.
    pub fn with_room_for(room: usize) -> Self {
        let first = Block::new(Self::ITEMS, room);
        Owned { first, more: Vec::new(), holds: PhantomData }
    }

    /// Copies a text, NUL-terminated.
    pub fn text(&mut self, text: &[u8]) -> *const c_char {
        self.block_with_room_for(text.len() + 1).text(text)
    }

    /// Adds the item that `make` makes of a copy of `text`, NUL-terminated.
    pub fn push(&mut self, text: &[u8], make: impl FnOnce(*const c_char) -> I) {
        let block = self.block_with_room_for(size_of::<I>() + text.len() + 1);
        let text = block.text(text);
        block.push(make(text));
    }

    /// Forgets all items, and their texts.
    pub fn clear(&mut self) {
        self.more.clear();
        self.first.clear(Self::ITEMS);
    }

    /// The items, block by block.
    pub fn items(&self) -> impl Iterator<Item = &[I]> {
        // SAFETY: only `push` adds to the items of a block.
        std::iter::once(&self.first).chain(&self.more).map(|block| unsafe { block.items() })
    }

    /// Pointers to all items, which are owned as well, and their number.
    pub fn pointers(&mut self) -> (*const *const I, usize) {
        let count = self.items().map(<[I]>::len).sum();
        let room = (count + 1) * size_of::<*const I>();
        let pointers = self.block_with_room_for(room).at_back(count);
        for (index, item) in self.items().flatten().enumerate() {
            // SAFETY: set aside above for as many, and aligned for them.
            unsafe { pointers.add(index).write(std::ptr::from_ref(item)) };
        }
        (pointers.as_ptr(), count)
    }

    /// Hands out the result, to be freed with [`free`].
    pub fn hand_out(self, value: T) -> *mut T {
        let target = self.value();
        // SAFETY: the first block has room for it.
        unsafe { target.write(value) };
        self.hand_out_written()
    }

    /// Where the `T` goes.
    fn value(&self) -> NonNull<T> {
        self.first.address(size_of::<Hidden>()).cast()
    }

    /// Hands out the result, whose `T` has been written.
    fn hand_out_written(self) -> *mut T {
        let result = self.value();
        let hidden = Hidden { words: self.first.memory.len(), more: self.more };
        // SAFETY: the first block has room for it, and is aligned for it.
        unsafe { self.first.memory.cast().write(hidden) };
        std::mem::forget(self.first);
        result.as_ptr()
    }

    /// The last block if it has room for `size` bytes, otherwise another one.
    fn block_with_room_for(&mut self, size: usize) -> &mut Block {
        if self.more.last().unwrap_or(&self.first).room() < size {
            self.more.push(Block::new(0, size.max(BLOCK)));
        }
        self.more.last_mut().unwrap_or(&mut self.first)
    }
}

/// Frees a result that was handed out; NULL is none.
pub(super) fn free<T>(_: &Caller, result: *mut T) {
    contain((), || {
        let Some(result) = NonNull::new(result) else { return };
        // SAFETY: not NULL, hence handed out and not freed since, by the caller's word: what is hidden
        // stands before it.
        let base = unsafe { result.cast::<Hidden>().sub(1) };
        // SAFETY: as above; nobody reads it again.
        let Hidden { words, more } = unsafe { base.read() };
        let memory = NonNull::slice_from_raw_parts(base.cast(), words);
        drop(Block { memory, items: 0..0, texts: 0 });
        drop(more);
    });
}

/// A string of its own.
pub(super) fn string(text: &[u8]) -> *mut c_char {
    let owned = Owned::<c_char>::with_room_for(text.len());
    // SAFETY: the first block has room for a character, and for as many more as the text has.
    unsafe { write_text(owned.value().cast(), text) };
    owned.hand_out_written()
}

/// One allocation: items are placed from its front, texts from its back, until they meet.
struct Block {
    /// A box of its own, seen as a pointer because others point into it.
    memory: NonNull<[Word]>,
    /// Where its items are, in bytes.
    items: Range<usize>,
    /// Where its texts begin.
    texts: usize,
}

impl Block {
    /// A block whose items begin at `start`, with `room` bytes from there on.
    fn new(start: usize, room: usize) -> Self {
        let words = (start + room).div_ceil(size_of::<Word>());
        let memory = NonNull::from(Box::leak(Box::new_uninit_slice(words)));
        let mut block = Block { memory, items: 0..0, texts: 0 };
        block.clear(start);
        block
    }

    /// Forgets items and texts.
    fn clear(&mut self, start: usize) {
        self.items = start..start;
        self.texts = self.size();
    }

    fn size(&self) -> usize {
        self.memory.len() * size_of::<Word>()
    }

    /// What is left between items and texts.
    fn room(&self) -> usize {
        self.texts - self.items.end
    }

    /// Where the byte `at` is.
    fn address(&self, at: usize) -> NonNull<u8> {
        assert!(at <= self.size());
        // SAFETY: it lies within the block or at its end, as has just been asserted.
        unsafe { self.memory.cast::<u8>().add(at) }
    }

    /// Sets aside `count` values of `V` at the back.
    fn at_back<V>(&mut self, count: usize) -> NonNull<V> {
        let size = count * size_of::<V>();
        assert!(size + align_of::<V>() - 1 <= self.room(), "a block has no room");
        self.texts = (self.texts - size) / align_of::<V>() * align_of::<V>();
        self.address(self.texts).cast()
    }

    fn text(&mut self, text: &[u8]) -> *const c_char {
        let target = self.at_back::<u8>(text.len() + 1);
        // SAFETY: set aside for just as much.
        unsafe { write_text(target, text) };
        target.as_ptr().cast()
    }

    fn push<I>(&mut self, item: I) {
        assert!(size_of::<I>() <= self.room(), "a block has no room");
        // SAFETY: there is room for it, as has just been asserted, and it follows others of its type.
        unsafe { self.address(self.items.end).cast().write(item) };
        self.items.end += size_of::<I>();
    }

    /// Its items.
    ///
    /// # Safety
    /// They must be of type `I`, and begin where one may.
    unsafe fn items<I>(&self) -> &[I] {
        let count = self.items.len().checked_div(size_of::<I>()).unwrap_or(0);
        let items = self.address(self.items.start).cast();
        // SAFETY: by the promise above; `push` has written as many.
        unsafe { NonNull::slice_from_raw_parts(items, count).as_ref() }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut bytes: NonNull<[MaybeUninit<u8>]> =
            NonNull::slice_from_raw_parts(self.memory.cast(), self.size());
        // SAFETY: made by `new` as a box, and nobody else's; bytes need not be initialised.
        unsafe {
            wipe(bytes.as_mut());
            drop(Box::from_raw(self.memory.as_ptr()));
        }
    }
}

/// Copies a text, NUL-terminated.
///
/// # Safety
/// At `target` there must be room for it, and for the NUL.
unsafe fn write_text(target: NonNull<u8>, text: &[u8]) {
    // SAFETY: by the promise above; it overlaps with nothing.
    unsafe {
        target.copy_from_nonoverlapping(NonNull::from(text).cast(), text.len());
        target.add(text.len()).write(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    struct Item {
        text: *const c_char,
    }

    type List = Owned<usize, Item>;

    fn push(list: &mut List, text: &str) {
        list.push(text.as_bytes(), |text| Item { text });
    }

    /// Hands the list out, and what its items' texts are, read as a caller would; then frees it.
    fn handed_out(mut list: List) -> Vec<String> {
        let (pointers, count) = list.pointers();
        let result = list.hand_out(count);
        // SAFETY: `pointers` are as many and belong to the result, as do their texts, until it is
        // freed; it is freed once.
        unsafe {
            let texts = (0..*result).map(|index| CStr::from_ptr((**pointers.add(index)).text));
            let texts = texts.map(|text| text.to_str().expect("UTF-8").to_owned()).collect();
            free(&Caller::trust(), result);
            texts
        }
    }

    #[test]
    fn items_keep_order_and_text_however_many_blocks_they_take() {
        let texts: Vec<_> = (0..5000).map(|index| "x".repeat(index % 40)).collect();
        let mut list = List::with_room_for(0);
        texts.iter().for_each(|text| push(&mut list, text));
        assert!(list.more.len() > 2);
        assert_eq!(handed_out(list), texts);
    }

    #[test]
    fn items_that_fit_take_one_block() {
        let mut list = List::with_room_for(1000);
        (0..20).for_each(|_| push(&mut list, "0123456789"));
        list.pointers();
        assert!(list.more.is_empty());
        assert_eq!(handed_out(list).len(), 20);
    }

    #[test]
    fn a_text_larger_than_a_block_gets_one_of_its_own() {
        let long = "x".repeat(3 * BLOCK);
        let mut list = List::with_room_for(100);
        ["a", &long, "b"].iter().for_each(|text| push(&mut list, text));
        assert_eq!(handed_out(list), ["a", &long, "b"]);
    }

    #[test]
    fn of_what_was_forgotten_nothing_is_handed_out() {
        let mut list = List::with_room_for(100);
        (0..10_000).for_each(|_| push(&mut list, "forgotten"));
        list.clear();
        assert!(list.more.is_empty());
        push(&mut list, "kept");
        assert_eq!(handed_out(list), ["kept"]);
    }

    #[test]
    fn a_list_without_items_is_empty() {
        assert!(handed_out(List::with_room_for(0)).is_empty());
    }

    #[test]
    fn a_string_ends_where_its_text_does_and_may_be_written_into() {
        for text in ["", "a", "1234567", "12345678", &"x".repeat(2 * BLOCK)] {
            let string = string(text.as_bytes());
            // SAFETY: it has just been handed out, and is freed once.
            unsafe {
                assert_eq!(CStr::from_ptr(string).to_bytes(), text.as_bytes());
                string.write_bytes(b'y', text.len() + 1);
                free(&Caller::trust(), string);
            }
        }
    }

    #[test]
    fn freeing_nothing_is_allowed() {
        // SAFETY: nothing is passed.
        free(&unsafe { Caller::trust() }, std::ptr::null_mut::<usize>());
    }
}
