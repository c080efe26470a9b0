//! apivideo: api.video's upload tokens, and uploads with them, as a native library with a C ABI.
//!
//! Two floors. Below, safe Rust; above, the C boundary. Which file to open:
//!
//! | to learn about | open |
//! |---|---|
//! | the upload-token operations: the row of each (whether it is repeated, the words for its outcomes), and what a token is | `tokens.rs` |
//! | a client and its checked configuration | `client.rs`, `base_url.rs` |
//! | what the environment may say, and who is believed | `environment.rs`, `os/*/privileges.rs` |
//! | the columns of an operation's row | `call/operation.rs` |
//! | how a request becomes HTTP and is encoded, and what it carries | `call/request.rs`, `call/payload.rs` |
//! | the loop of a call, and when it has succeeded, a delete that an earlier attempt did included | `call/run.rs` |
//! | what a single call may do otherwise | `call/options.rs` |
//! | what the end of one attempt means: an answer's head and body, or a fault | `call/verdict.rs` |
//! | how it is told: messages and trace | `call/report.rs`, `trace.rs` |
//! | uploading a file with a token: parts, repeats, the state to go on from | `upload/` |
//! | when it tries again, and how long it waits | `call/retry.rs`, `call/retry_after.rs`, `call/jitter.rs` |
//! | the rate limit: what is told of it, and what holds threads back | `call/rate_limit.rs`, `call/gate.rs` |
//! | an answer, its body, and what is recorded of it | `answer/mod.rs`, `answer/body.rs`, `answer/recorder.rs` |
//! | how answers are decoded, page by page | `answer/{json, plain, page, problem, date, header_number}.rs` |
//! | the kinds of failure and outcome, and an error as a value | `error.rs` |
//! | the limits of sizes, and memory that is given back at once | `limits.rs`, `block.rs` |
//! | how secrets are kept, hidden in texts and wiped | `secret.rs` |
//! | where every wait ends, in TLS and proxies too: by deadline, cancel or stillness | `wait/mod.rs`, `wait/deadline.rs`, `wait/cancel.rs` |
//! | waiting for another thread | `wait/waiter.rs` |
//! | names looked up, and addresses raced | `transport/lookup.rs`, `transport/dial.rs` |
//! | which proxy, and when the environment's counts (in a CGI program less of it does); the way through it | `transport/{proxy, no_proxy, tunnel}.rs` |
//! | TLS, which certificates are trusted, and how a refusal is explained | `transport/{tls, trust, pem, explain}.rs` |
//! | a socket that waits | `transport/socket.rs` |
//! | the seam to ureq: its agent and the idle connections that it keeps, what opens them, one that sends, receives and wipes, an attempt on one, odd heads | `transport/http/{agent, dialer, connection, buffers, attempt, head}.rs` |
//! | what is the platform's own: waiting for sockets, threads, files, how one thread wakes another, the page that a child finds wiped | `os/`; `os/unix/`, `os/windows/` |
//! | what a child process does not share, and how it is noticed | `process.rs` |
//! | a source on its way: what is acknowledged, a standstill, an answer that comes early; how fast it may go | `transport/http/{transfer, early}.rs`, `transport/pace.rs` |
//! | the C API, file by file the twin of the above | `ffi/` |
//! | what that is made with: the caller's word, structures with a `struct_size`, results that own their memory | `ffi/{boundary, input, owned}.rs` |
//!
//! The Rust side is for this crate's own tests and benches, not a public API yet.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod ffi;
#[cfg(fuzzing)]
pub mod fuzzing;

mod answer;
mod base_url;
mod block;
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
