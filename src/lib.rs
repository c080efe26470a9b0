//! apivideo: the api.video Upload Tokens API as a native library with a C ABI.
//!
//! Two floors. Below, safe Rust; above, the C boundary. Which file to open:
//!
//! | to learn about | open |
//! |---|---|
//! | the upload-token operations, what each may do, and what a token is | `tokens.rs` |
//! | uploading a file with a token: parts, repeats, the state to go on from | `upload/` |
//! | a client and its checked configuration | `client.rs`, `base_url.rs`, `environment.rs` |
//! | what can be said of an operation: method, credential, quota, repetition, outcome | `call/operation.rs` |
//! | how a request becomes HTTP, and what it carries | `call/request.rs`, `call/payload.rs` |
//! | the loop of a call, and what a single call may do otherwise | `call/run.rs`, `call/options.rs` |
//! | what an answer or a fault means | `call/verdict.rs` |
//! | what is told of it: messages and trace | `call/report.rs`, `trace.rs` |
//! | when it tries again, and how long it waits | `call/retry.rs`, `call/retry_after.rs`, `call/jitter.rs` |
//! | the rate limit: what is told of it, and what holds threads back | `call/rate_limit.rs`, `call/gate.rs` |
//! | an answer, its body, and what is recorded of it | `answer/mod.rs`, `answer/body.rs`, `answer/recorder.rs` |
//! | how answers are decoded, page by page | `answer/{json, plain, page, problem, date, header_number}.rs` |
//! | what went wrong and what may have happened | `error.rs` |
//! | the limits of sizes | `limits.rs` |
//! | how secrets are kept and hidden | `secret.rs` |
//! | what bounds a call in time, ends it from outside, and wakes it | `wait/` |
//! | sockets, threads and all else that is the platform's own | `os/` |
//! | what a child process does not share, and how it is noticed | `process.rs` |
//! | names and addresses, proxies, TLS, certificates | `transport/` |
//! | the seam to ureq: its agent, a connection, an attempt on one | `transport/http/` |
//! | a source on its way: what is acknowledged, a standstill, an answer that comes early | `transport/http/{transfer, early}.rs` |
//! | how fast a source may go | `transport/pace.rs` |
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
mod upload;
mod wait;
