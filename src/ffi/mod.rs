//! The C boundary: thin functions over the safe floor below. A file with a part of the header is the twin
//! of one there; those without are what all of them are made with: the caller's word and what may not get
//! past it (`boundary.rs`), structures with a `struct_size` (`input.rs`), results that own their memory
//! (`owned.rs`).
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
pub mod upload_session;

mod boundary;
mod input;
mod owned;
