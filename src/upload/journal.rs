//! What is known of an upload from its first call to its last: what it is made with, which video it is, what
//! the service has confirmed of it. It is plain data that outlives a call, and goes from thread to thread.

use super::file::SourceFile;
use super::multipart::Boundary;
use super::plan::{Plan, Sizes};
use super::progress::{Progress, Pulse};
use super::runs::Runs;
use super::state::{self, State};
use super::{UPLOAD, UploadParams};
use crate::client::Client;
use crate::error::{Error, Outcome, Unfinished};
use crate::process;
use crate::transport::Pace;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

/// What is known of an upload.
#[derive(Clone)]
pub(crate) struct Journal {
    /// The upload token: a secret.
    pub token: Arc<Zeroizing<String>>,
    pub file_name: String,
    pub stall_timeout: Option<Duration>,
    pub answer_timeout: Option<Duration>,
    pub patience: Option<Duration>,
    pub progress_interval: Duration,
    /// How many parts may be sent at once by threads of their own; 0 is one after the other, without any.
    pub parallel_parts: u32,
    pub pace: Option<Arc<Pace>>,
    /// The service, as a state tells it.
    origin: String,
    pub boundary: Boundary,
    pub content_type: HeaderValue,
    pub plan: Plan,
    /// `None` of a stream.
    pub file: Option<Arc<SourceFile>>,
    /// The video, once it is known.
    pub video_id: Option<String>,
    pub confirmed: Runs,
    pub videos_abandoned: u32,
    /// Whether somebody else has sent parts of the video, which are not to be gone on with.
    pub is_somebody_elses: bool,
    /// Whether it goes on from a state: whatever that does not confirm may be there all the same.
    pub is_resumed: bool,
    /// Whether the last part may be, too: not once one before it was taken that had been missing.
    pub last_may_be_there: bool,
    pub progress: Progress,
    /// When something got through last.
    pub pulse: Arc<Pulse>,
    /// The process that it belongs to.
    pub generation: u32,
}

impl Journal {
    /// That of the file at `path`.
    pub fn of_file(
        client: &Client,
        path: &Path,
        params: &UploadParams<'_>,
        sizes: &Sizes,
    ) -> Result<Self, Error> {
        let resumed = State::given(client, params, sizes)?;
        if resumed.as_ref().is_some_and(|state| state.file.is_none()) {
            return Err(Error::invalid_argument(
                "params.resume is of what was uploaded while it was made: av_upload_begin() goes on from it",
            ));
        }
        let file = open(path, resumed.as_ref())?;
        let plan = match &resumed {
            Some(state) => state.plan,
            None => Plan::new(file.size(), params.part_bytes, params.video_id.is_some(), sizes)?,
        };
        let own_name = || path.file_name().map_or("video".into(), OsStr::to_string_lossy);
        let file_name = params.file_name.map_or_else(own_name, Cow::Borrowed).into_owned();
        Journal::new(client, params, file_name, plan, Some(Arc::new(file)), resumed)
    }

    /// That of what is uploaded while it is made.
    pub fn of_stream(
        client: &Client,
        params: &UploadParams<'_>,
        sizes: &Sizes,
    ) -> Result<Self, Error> {
        let resumed = State::given(client, params, sizes)?;
        if resumed.as_ref().is_some_and(|state| state.file.is_some()) {
            return Err(Error::invalid_argument(
                "params.resume is of a file: av_upload_file() goes on from it",
            ));
        }
        let plan = match &resumed {
            Some(state) => state.plan,
            None => Plan::of_stream(params.part_bytes, params.video_id.is_some(), sizes)?,
        };
        let file_name = params.file_name.unwrap_or("video").to_owned();
        Journal::new(client, params, file_name, plan, None, resumed)
    }

    fn new(
        client: &Client,
        params: &UploadParams<'_>,
        file_name: String,
        plan: Plan,
        file: Option<Arc<SourceFile>>,
        resumed: Option<State>,
    ) -> Result<Self, Error> {
        let boundary = Boundary::random()?;
        let mut journal = Journal {
            token: Arc::new(Zeroizing::new(params.token.to_owned())),
            file_name,
            stall_timeout: params.stall_timeout,
            answer_timeout: params.answer_timeout,
            patience: params.patience,
            progress_interval: params.progress_interval,
            parallel_parts: params.parallel_parts,
            pace: params.max_bytes_per_second.map(|rate| Arc::new(Pace::new(rate))),
            origin: state::origin(client.base_url()),
            content_type: boundary.content_type()?,
            boundary,
            plan,
            file,
            video_id: params.video_id.map(str::to_owned),
            confirmed: Runs::default(),
            videos_abandoned: 0,
            is_somebody_elses: false,
            is_resumed: resumed.is_some(),
            last_may_be_there: resumed.is_some(),
            progress: Progress {
                bytes_total: plan.total().unwrap_or(0),
                parts_total: plan.count().unwrap_or(0),
                ..Progress::default()
            },
            pulse: Arc::default(),
            generation: process::generation(),
        };
        if let Some(state) = resumed {
            let lengths = state.confirmed.numbers().map(|number| plan.length(number));
            journal.progress.bytes_confirmed = lengths.sum();
            journal.progress.parts_confirmed = state.confirmed.numbers().count() as u32;
            journal.confirmed = state.confirmed;
            journal.video_id = Some(state.video_id);
            journal.videos_abandoned = state.videos_abandoned;
        }
        Ok(journal)
    }

    /// Which parts the service has not confirmed, of `count`, without the last.
    pub fn missing(&self, count: u32) -> impl Iterator<Item = u32> {
        (1..count).filter(|number| !self.confirmed.contains(*number))
    }

    /// What to go on from, once the video is known, and unless the file is another one by now.
    pub fn state(&self) -> Option<String> {
        if self.is_somebody_elses {
            return None;
        }
        if self.file.as_ref().is_some_and(|file| file.must_be_unchanged().is_err()) {
            return None;
        }
        let state = State {
            video_id: self.video_id.clone()?,
            origin: self.origin.clone(),
            plan: self.plan,
            confirmed: self.confirmed.clone(),
            videos_abandoned: self.videos_abandoned,
            file: self.file.as_ref().map(|file| file.identity()),
        };
        state.to_text()
    }

    /// An error that tells what to go on from.
    #[cold]
    pub fn with_rest(&self, error: Error) -> Error {
        let mut error = self.with_video(error);
        if let (Some(unfinished), Some(state)) = (&mut error.unfinished, self.state()) {
            unfinished.state = Some(state);
            error.message += "; the upload can go on from its state";
        }
        error
    }

    /// The same error, told by who knew less of what is confirmed.
    pub fn with_newer_state(&self, error: Error) -> Error {
        let mut error = error;
        if let Some(unfinished) = &mut error.unfinished
            && unfinished.state.is_some()
        {
            unfinished.state = self.state();
        }
        error
    }

    /// An error that tells which video is unfinished.
    #[cold]
    pub fn with_video(&self, error: Error) -> Error {
        let video_id = self.video_id.clone();
        Error { unfinished: Some(Box::new(Unfinished { state: None, video_id })), ..error }
    }
}

impl State {
    /// The state that is to be gone on from, if there is one; it must be of this service and video.
    fn given(
        client: &Client,
        params: &UploadParams<'_>,
        sizes: &Sizes,
    ) -> Result<Option<Self>, Error> {
        let Some(text) = params.resume else { return Ok(None) };
        let refuse = |why: &str| Error::invalid_argument(format_args!("params.resume {why}"));
        let state = State::parse(text, sizes).map_err(|why| refuse(&why))?;
        if state.origin != state::origin(client.base_url()) {
            return Err(refuse("is of an upload to another service"));
        }
        if params.video_id.is_some_and(|id| id != state.video_id) {
            return Err(refuse("is of another video than params.video_id"));
        }
        Ok(Some(state))
    }
}

/// Opens the file at `path`, which must be the one that is gone on with, if one is. Without it nothing more
/// is done about a video that may be whole.
fn open(path: &Path, resumed: Option<&State>) -> Result<SourceFile, Error> {
    let opened = SourceFile::open(path).map_err(|error| match resumed {
        // The file may be back later, and the same.
        Some(state) => {
            let video_id = Some(state.video_id.clone());
            let unfinished = Unfinished { state: state.to_text(), video_id };
            Error { unfinished: Some(Box::new(unfinished)), ..error }
        }
        None => error,
    });
    let file = opened.and_then(|file| match resumed {
        Some(state) if state.file != Some(file.identity()) => Err(Error::source(format_args!(
            "the file {path:?} is not the one that params.resume is about, or has changed"
        ))),
        _ => Ok(file),
    });
    file.map_err(|mut error| {
        if resumed.is_some_and(State::may_be_whole) {
            error.outcome = Outcome::Unknown;
            error.message += "; ";
            error.message += UPLOAD.consequence(Outcome::Unknown).unwrap_or_default();
        }
        error
    })
}
