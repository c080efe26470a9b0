//! Uploading a file with a token: what the operation is, and what a caller can ask for. One call makes at
//! most one playable video, whatever the network does; what it says of the outcome is true; and after any
//! failure the same upload goes on where it was.
//!
//! | to learn about | open |
//! |---|---|
//! | the parts in order, and the attempts at each | `run.rs`, `attempts.rs` |
//! | how an attempt ended | `ending.rs` |
//! | several parts at once, by threads that only send | `crew.rs` |
//! | what is uploaded while it is made | `stream.rs` |
//! | what is known of an upload between its calls | `journal.rs` |
//! | what follows a failed attempt, and what it means | `repeat.rs` |
//! | how a file is cut | `plan.rs`, `runs.rs` |
//! | what a part is on the wire, and where its bytes are | `part.rs`, `multipart.rs`, `content.rs` |
//! | the file, and whether it is still the same | `file.rs` |
//! | the state that an upload goes on from | `state.rs` |
//! | what is told on the way | `progress.rs` |
//! | what the service answers | `video.rs` |
//!
//! Source of facts: the service's documentation, "Upload a video with an upload token" and "Progressive
//! upload", and its problem documents.

mod attempts;
mod content;
mod crew;
mod ending;
mod file;
mod journal;
pub(crate) mod multipart;
mod part;
pub(crate) mod plan;
pub(crate) mod progress;
mod repeat;
mod run;
mod runs;
#[cfg(test)]
mod service;
pub(crate) mod state;
pub(crate) mod stream;
pub(crate) mod video;

pub(crate) use run::{Uploaded, upload_file};

use crate::call::operation::{Content, Effect, Evidence, Operation, Quota, Repeat};
use crate::error::Error;
use crate::limits::LONGEST_FILE_NAME;
use progress::Listener;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;
use ureq::http::Method;

/// Sends a part of a file, or all of it. Who has the token needs no credential, and none is sent. After a
/// failure its row says too little: `repeat.rs` knows more.
pub(crate) static UPLOAD: Operation = Operation {
    method: Method::POST,
    collection: "upload",
    sends_credential: false,
    quota: Quota::Uploads,
    repeat: Repeat::IfNotApplied,
    gone: None,
    content: Content::Object,
    evidence: Evidence::Object,
    effect: Some(Effect {
        not_applied: "the video is not whole",
        unknown: "the video may be whole",
        applied: "the video was uploaded, look for it before you upload it again",
    }),
};

/// For how long no byte may be acknowledged, unless told otherwise.
pub(crate) const DEFAULT_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// For how long the answer to a part may be waited for, unless told otherwise: the service puts the file
/// together before it answers to the last one.
pub(crate) const DEFAULT_ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// For how long nothing may get through over all attempts, unless told otherwise.
pub(crate) const DEFAULT_PATIENCE: Duration = Duration::from_secs(300);
/// How often progress is told, unless told otherwise.
pub(crate) const DEFAULT_PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// What to upload with, and how.
pub(crate) struct UploadParams<'a> {
    /// The upload token: a secret.
    pub token: &'a str,
    /// A video that was made before, or `None` for a new one.
    pub video_id: Option<&'a str>,
    /// What the file is called, or `None` for the last item of its path.
    pub file_name: Option<&'a str>,
    /// The state to go on from.
    pub resume: Option<&'a str>,
    /// 0 is what suits the file.
    pub part_bytes: u64,
    /// How many bytes a second are sent at most; `None` is as fast as it goes.
    pub max_bytes_per_second: Option<NonZeroU64>,
    /// For how long no byte may be acknowledged on one connection.
    pub stall_timeout: Option<Duration>,
    /// For how long the answer to a part may be waited for once all of that is acknowledged.
    pub answer_timeout: Option<Duration>,
    /// For how long nothing may get through before it is given up; `None` is for ever.
    pub patience: Option<Duration>,
    pub progress_interval: Duration,
    /// How many parts may be sent at once; 0 is one after the other, on the calling thread.
    pub parallel_parts: u32,
    pub listener: Rc<dyn Listener>,
}

impl UploadParams<'_> {
    /// Refuses what cannot be sent, before anything is.
    fn check(&self) -> Result<(), Error> {
        let refuse = |what: &str| Err(Error::invalid_argument(what));
        if self.token.is_empty() {
            return refuse("params.token is empty");
        }
        if self.video_id.is_some_and(|id| !state::is_video_id(id)) {
            return refuse("params.video_id must be 1 to 512 bytes without control characters");
        }
        match self.file_name {
            Some("") => refuse("params.file_name is empty"),
            Some(name) if name.len() > LONGEST_FILE_NAME => {
                refuse("params.file_name is longer than 1024 bytes")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_the_one_that_the_service_describes() {
        assert_eq!((UPLOAD.method.as_str(), UPLOAD.collection), ("POST", "upload"));
        assert!(!UPLOAD.sends_credential, "who has the token needs no key");
        assert_eq!(UPLOAD.quota, Quota::Uploads);
        assert_eq!(UPLOAD.repeat, Repeat::IfNotApplied, "a file sent twice is two videos");
    }
}
