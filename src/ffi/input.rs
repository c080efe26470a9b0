//! Sized input structures, which may grow from version to version, and how their members are read.

use crate::error::Error;
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
