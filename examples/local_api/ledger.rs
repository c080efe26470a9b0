//! The truth, for a client's own account to be checked against: `GET /local-api/ledger`, which is
//! outside the API. It needs no credentials, is never limited, delayed, failed or dropped, and is
//! not counted itself. An example:
//!
//! ```json
//! {
//!   "requests": 12,
//!   "connections": 3,
//!   "rate_limited": 1,
//!   "failed": 2,
//!   "created": 4,
//!   "deleted": 1,
//!   "answers_lost": { "create": 1, "delete": 0, "read": 1 },
//!   "tokens": ["toDhqKm9QwRtYxVb3nLs7cZa", "…"]
//! }
//! ```
//!
//! - `requests`: those that arrived, whatever became of them;
//! - `connections`: those that brought at least one of these;
//! - `rate_limited`: answered 429;
//! - `failed`: answered 500 for `--fail-rate`;
//! - `created`, `deleted`: the tokens that requests made and took away, known to the client or not;
//!   seeded tokens are not among the former, expired ones not among the latter;
//! - `answers_lost`: those that `--drop-rate` kept back, by what was done: `create` and `delete` are
//!   among `created` and `deleted`, `read` is every other one, which changed nothing;
//! - `tokens`: all that there are now, oldest first.

use hyper::Method;
use serde_json::{Value, json};

pub const PATH: &str = "/local-api/ledger";

#[derive(Default)]
pub struct Ledger {
    pub requests: u64,
    pub connections: u64,
    pub rate_limited: u64,
    pub failed: u64,
    pub created: u64,
    pub deleted: u64,
    creates_lost: u64,
    deletes_lost: u64,
    reads_lost: u64,
}

impl Ledger {
    /// The answer to a request that succeeded or was refused does not arrive.
    pub fn lose_answer(&mut self, method: &Method, succeeded: bool) {
        match (method, succeeded) {
            (&Method::POST, true) => self.creates_lost += 1,
            (&Method::DELETE, true) => self.deletes_lost += 1,
            _ => self.reads_lost += 1,
        }
    }

    pub fn to_json(&self, tokens: &[&str]) -> Value {
        json!({
            "requests": self.requests,
            "connections": self.connections,
            "rate_limited": self.rate_limited,
            "failed": self.failed,
            "created": self.created,
            "deleted": self.deleted,
            "answers_lost": {
                "create": self.creates_lost,
                "delete": self.deletes_lost,
                "read": self.reads_lost,
            },
            "tokens": tokens,
        })
    }
}
