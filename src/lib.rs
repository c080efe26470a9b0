//! apivideo: the api.video Upload Tokens API as a native library with a C ABI.
//!
//! Two floors. Below, safe Rust; above, the C boundary. Which file to open:
//!
//! | to learn about | open |
//! |---|---|
//! | the upload-token operations and what a token is | `tokens.rs` |
//! | a client and its checked configuration | `client.rs`, `base_url.rs` |
//! | what the environment may say | `environment.rs`, `os/privileges.rs` |
//! | what a call does on the network, attempt by attempt | `call/` |
//! | when it tries again, and how long it waits | `call/retry.rs`, `call/retry_after.rs`, `call/rate_limit.rs` |
//! | what bounds it in time, ends it from outside, and wakes it | `wait/` |
//! | what an answer may be, and how it is decoded, page by page | `answer/` |
//! | what went wrong and what may have happened | `error.rs`, `trace.rs` |
//! | how secrets are kept and hidden | `secret.rs` |
//! | what a child process does not share, and how it is noticed | `process.rs` |
//! | names, addresses, proxies and TLS | `transport/` |
//! | the seam to ureq: connections, and an attempt on one | `transport/http/` |
//! | sockets, threads and all else that is the platform's own | `os/` |
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
mod os;
mod process;
mod secret;
mod tokens;
mod trace;
mod transport;
mod wait;
