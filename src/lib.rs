//! apivideo: the api.video Upload Tokens API as a native library with a C ABI.
//!
//! Two floors. Below, safe Rust; above, the C boundary. Which file to open:
//!
//! | to learn about | open |
//! |---|---|
//! | the upload-token operations and what a token is | `tokens.rs` |
//! | a client and its checked configuration | `client.rs`, `base_url.rs` |
//! | what the environment may say | `environment.rs`, `privileges.rs` |
//! | what a call does on the network, attempt by attempt | `send.rs`, `attempt.rs` |
//! | when it tries again, and how long it waits | `retry.rs`, `retry_after.rs`, `rate_limit.rs`, `jitter.rs` |
//! | what bounds it in time, ends it from outside, and wakes it | `deadline.rs`, `cancel.rs`, `wake.rs` |
//! | how a request is built, what an answer may be | `request.rs`, `answer.rs`, `body.rs`, `response.rs` |
//! | how answers are decoded, page by page | `json.rs`, `plain.rs`, `page.rs`, `problem.rs`, `date.rs`, `header_number.rs` |
//! | what went wrong and what may have happened | `error.rs`, `trace.rs` |
//! | how secrets are kept and hidden | `secret.rs` |
//! | what a child process does not share, and how it is noticed | `process.rs` |
//! | sockets, names, proxies, TLS and the seam to ureq | `transport/` |
//! | the C API, file by file the twin of the above | `ffi/` |
//!
//! The Rust side is for this crate's own tests and benches, not a public API yet.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod ffi;
#[cfg(fuzzing)]
pub mod fuzzing;

mod answer;
mod base_url;
mod call;
mod client;
mod environment;
mod error;
mod limits;
mod os;
mod process;
mod secret;
mod tokens;
mod trace;
mod transport;
mod wait;
