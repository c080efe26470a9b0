//! apivideo: the api.video Upload Tokens API as a native library with a C ABI.
//!
//! Two floors. Below, safe Rust; above, the C boundary. Which file to open:
//!
//! | to learn about | open |
//! |---|---|
//! | the upload-token operations and what a token is | `tokens.rs` |
//! | a client and its checked configuration | `client.rs`, `base_url.rs` |
//! | what a call does on the network, attempt by attempt | `send.rs`, `attempt.rs`, `retry_after.rs` |
//! | how a request is built, what an answer may be | `request.rs`, `answer.rs` |
//! | how answers are decoded, page by page | `json.rs`, `page.rs`, `problem.rs` |
//! | what went wrong and what may have happened | `error.rs` |
//! | how secrets are kept and hidden | `secret.rs` |
//! | sockets, names, TLS and the seam to ureq | `transport/` |
//! | the C API, file by file the twin of the above | `ffi/` |
//!
//! The Rust side is for this crate's own tests and benches, not a public API yet.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod ffi;

mod answer;
mod attempt;
mod base_url;
mod client;
mod deadline;
mod error;
mod json;
mod page;
mod problem;
mod request;
mod retry_after;
mod secret;
mod send;
mod tokens;
mod transport;
