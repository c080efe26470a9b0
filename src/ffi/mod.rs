//! The C boundary: thin functions over the safe floor below, each file the twin of one there.
//!
//! The documentation of everything public here becomes the header `include/apivideo.h`, which is
//! made by `make header` and speaks to C programmers.
#![allow(unsafe_code)]
#![allow(
    non_camel_case_types,
    clippy::missing_safety_doc,
    reason = "names and documentation are those of the C header"
)]

// In the header's order; the gaps keep the alphabet's out.
pub mod cancel;

pub mod trace;

pub mod client;
pub mod error;
pub mod library;
pub mod options;
pub mod response;
pub mod tokens;

pub mod token_iter;

pub mod upload;

mod boundary;
mod cancellation;
mod input;
mod owned;
