//! Input structures with a `struct_size`, which grow from version to version: how one of any version is
//! read, and how its members are.

use super::boundary::{Caller, must_not_be_null};
use crate::error::Error;
use crate::limits::LARGEST_INPUT;
use std::time::Duration;

/// A sized input structure.
///
/// # Safety
/// Every pattern of bytes must be a valid value, `struct_size` the first member, and there must be
/// no padding.
pub(super) unsafe trait Input: Copy {
    /// The value that stands for NULL and for what a caller does not know of.
    const ZEROED: Self;
    /// The sizes of all its published versions but the present one.
    const SIZES: &'static [usize];
}

impl Caller {
    /// A sized input structure that must be there.
    pub fn required_input<T: Input>(&self, pointer: *const T, parameter: &str) -> Result<T, Error> {
        if pointer.is_null() {
            return Err(must_not_be_null(parameter));
        }
        self.input(pointer, parameter)
    }

    /// A sized input structure, read by the reader's rule of the header; all zeros for NULL.
    pub fn input<T: Input>(&self, pointer: *const T, parameter: &str) -> Result<T, Error> {
        let mut copy = T::ZEROED;
        if pointer.is_null() {
            return Ok(copy);
        }
        let refuse = |what: &str| {
            Err(Error::invalid_argument(format_args!("{parameter}.struct_size {what}")))
        };
        // SAFETY: not NULL, hence at least the size itself is there, by the caller's word.
        let size = unsafe { pointer.cast::<usize>().read_unaligned() };
        if size == 0 {
            return refuse("is 0: zero the whole struct, then set it to sizeof the struct");
        }
        if size > LARGEST_INPUT || (size < size_of::<T>() && !T::SIZES.contains(&size)) {
            return refuse("is not the size of any version of this struct");
        }
        let known = size.min(size_of::<T>());
        // SAFETY: the caller's word covers `size` bytes, of which these are the first, and `copy`
        // has room for them. Every pattern of bytes is a T, which is what `Input` promises.
        unsafe {
            std::ptr::copy_nonoverlapping(
                pointer.cast::<u8>(),
                std::ptr::from_mut(&mut copy).cast::<u8>(),
                known,
            );
        }
        // SAFETY: as above, the rest of the `size` bytes.
        let beyond =
            unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(known), size - known) };
        if beyond.iter().any(|&byte| byte != 0) {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} sets a member that this version of the library does not know"
            )));
        }
        Ok(copy)
    }
}

/// An `int32_t` that must be one of the named constants.
pub(super) fn choice<T: Copy>(value: i32, choices: &[T], parameter: &str) -> Result<T, Error> {
    usize::try_from(value).ok().and_then(|value| choices.get(value)).copied().ok_or_else(|| {
        Error::invalid_argument(format_args!("{parameter} has the unknown value {value}"))
    })
}

/// A time in milliseconds: 0 is `default`, the largest value no limit.
pub(super) fn milliseconds(value: u32, default: Duration) -> Option<Duration> {
    match value {
        0 => Some(default),
        u32::MAX => None,
        value => Some(Duration::from_millis(value.into())),
    }
}
