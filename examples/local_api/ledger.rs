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
//! - `requests`: those that arrived, whatever became of them; the preflights of browsers, which no
//!   program sends by itself, are not among them;
//! - `connections`: those that brought at least one of these;
//! - `rate_limited`: answered 429;
//! - `failed`: answered 500 for `--fail-rate`;
//! - `created`, `deleted`: the tokens that requests made and took away, known to the client or not;
//!   seeded tokens are not among the former, expired ones not among the latter;
//! - `answers_lost`: those that `--drop-rate` kept back, by what was done: `create` and `delete` are
//!   among `created` and `deleted`, `read` is every other one, which changed nothing;
//! - `tokens`: all that there are now, oldest first.

use serde_json::{Value, json};

pub const PATH: &str = "/local-api/ledger";

#[derive(Default)]
pub struct Ledger {
    requests: u64,
    pub connections: u64,
    pub rate_limited: u64,
    pub failed: u64,
    created: u64,
    deleted: u64,
    /// What the request did that is being answered.
    change: Option<Change>,
    creates_lost: u64,
    deletes_lost: u64,
    reads_lost: u64,
}

enum Change {
    Created,
    Deleted,
}

impl Ledger {
    pub fn begin_request(&mut self) {
        self.requests += 1;
        self.change = None;
    }

    pub fn create(&mut self) {
        self.created += 1;
        self.change = Some(Change::Created);
    }

    pub fn delete(&mut self) {
        self.deleted += 1;
        self.change = Some(Change::Deleted);
    }

    /// The answer to the request does not arrive.
    pub fn lose_answer(&mut self) {
        match self.change {
            Some(Change::Created) => self.creates_lost += 1,
            Some(Change::Deleted) => self.deletes_lost += 1,
            None => self.reads_lost += 1,
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
