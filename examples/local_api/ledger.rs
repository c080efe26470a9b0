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
//!   "answers_lost": { "create": 1, "delete": 0, "part": 1, "read": 1, "video": 0 },
//!   "tokens": ["toDhqKm9QwRtYxVb3nLs7cZa", "…"],
//!   "uploads": {
//!     "videos": [
//!       {
//!         "videoId": "viR4mZt0KqLw8sXcV6bNyPdG",
//!         "title": "holidays.mp4",
//!         "whole": false,
//!         "bytes": 10485760,
//!         "sha256": null,
//!         "parts": [
//!           { "part": 1, "bytes": 5242880, "sha256": "9fb8…", "received": 1 },
//!           { "part": 2, "bytes": 5242880, "sha256": "3be7…", "received": 2 }
//!         ]
//!       }
//!     ],
//!     "unfinished": ["viR4mZt0KqLw8sXcV6bNyPdG"],
//!     "bytes_in_vain": 5242880,
//!     "with_authorization": 0
//!   }
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
//!   among `created` and `deleted`, `part` was stored, `video` was made, empty, with the key, and
//!   `read` is every other one, which changed nothing;
//! - `tokens`: all that there are now, oldest first;
//! - `videos`: all that there are, oldest first. `bytes` and `parts` are what is stored; `sha256` is
//!   that of the joined source, null until it is whole. A part has its number, what was sent in one
//!   piece that of the only one, and a range of bytes `from` and `to`, in their order; it was
//!   `received` as often as it came whole to be stored, which it was once: the others were refused;
//! - `unfinished`: those of them of which a part came, and another did not;
//! - `bytes_in_vain`: of files that came, or began to, and were not stored: refused, failed, cut off;
//! - `with_authorization`: uploads that had the header beside their token, be it empty.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

pub const PATH: &str = "/local-api/ledger";

/// That of the stand-in at `url`, for scripts on machines that have nothing else to ask with.
pub fn fetch(url: &str) -> io::Result<String> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("no ledger at {url}: {answer}"))),
    }
}

#[derive(Default)]
pub struct Ledger {
    pub requests: u64,
    pub connections: u64,
    pub rate_limited: u64,
    pub failed: u64,
    pub uploads_with_authorization: u64,
    created: u64,
    deleted: u64,
    /// What the request did that is being answered.
    change: Option<Change>,
    creates_lost: u64,
    deletes_lost: u64,
    parts_lost: u64,
    reads_lost: u64,
    videos_lost: u64,
}

enum Change {
    Created,
    Deleted,
    PartStored,
    VideoMade,
}

impl Ledger {
    pub fn begin_work(&mut self) {
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

    pub fn store_part(&mut self) {
        self.change = Some(Change::PartStored);
    }

    pub fn make_video(&mut self) {
        self.change = Some(Change::VideoMade);
    }

    /// The answer to the request does not arrive.
    pub fn lose_answer(&mut self) {
        match self.change {
            Some(Change::Created) => self.creates_lost += 1,
            Some(Change::Deleted) => self.deletes_lost += 1,
            Some(Change::PartStored) => self.parts_lost += 1,
            Some(Change::VideoMade) => self.videos_lost += 1,
            None => self.reads_lost += 1,
        }
    }

    /// `uploads` are the videos, and those of them that are unfinished.
    pub fn to_json(&self, tokens: &[&str], mut uploads: Value, bytes_in_vain: u64) -> Value {
        uploads["bytes_in_vain"] = json!(bytes_in_vain);
        uploads["with_authorization"] = json!(self.uploads_with_authorization);
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
                "part": self.parts_lost,
                "read": self.reads_lost,
                "video": self.videos_lost,
            },
            "tokens": tokens,
            "uploads": uploads,
        })
    }
}
