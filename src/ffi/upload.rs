//! Uploading with a token.

use super::boundary::Caller;
use super::client::av_client;
use super::error::{av_error, av_status};
use super::input::{Input, milliseconds};
use super::options::av_request_options;
use super::owned::{self, Owned};
use crate::error::Error;
use crate::limits::MOST_PARALLEL_PARTS;
use crate::os;
use crate::upload::progress::{Activity, Listener, Progress};
use crate::upload::{
    self, DEFAULT_ANSWER_TIMEOUT, DEFAULT_PATIENCE, DEFAULT_PROGRESS_INTERVAL,
    DEFAULT_STALL_TIMEOUT, UploadParams, Uploaded,
};
use std::borrow::Cow;
use std::ffi::{CString, c_char, c_void};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

/// av_upload_progress.state: bytes are being sent.
pub const AV_UPLOAD_SENDING: i32 = 0;
/// av_upload_progress.state: all of a part is sent, and its answer is waited for. The service may take
/// minutes to answer the last part.
pub const AV_UPLOAD_WAITING_FOR_ANSWER: i32 = 1;
/// av_upload_progress.state: an attempt failed, and the next one begins after `wait_ms`.
pub const AV_UPLOAD_WAITING_TO_RETRY: i32 = 2;
/// av_upload_progress.state: the rate limit is used up, and the upload goes on after about `wait_ms`.
pub const AV_UPLOAD_WAITING_FOR_RATE_LIMIT: i32 = 3;

/// How far an upload has come. Made by the library, and valid until the callback returns: read it through
/// the pointer you got.
#[repr(C)]
pub struct av_upload_progress {
    /// Bytes in the parts that the service has confirmed, after a resume those of before included. It never
    /// goes back.
    pub bytes_confirmed: u64,
    /// Bytes of the parts under way that have arrived at the other side. They are not in `bytes_confirmed`:
    /// the sum of both is how far the upload has come. Those of a part go once it is confirmed, or has failed.
    /// Windows does not tell what has arrived: there they are the bytes that it has taken, up to some hundred
    /// KiB more.
    pub bytes_sent: u64,
    /// The size in bytes; 0 is not known, as of what is still being written.
    pub bytes_total: u64,
    /// Bytes that were sent in vain, over all attempts of this call, or of all calls with an av_upload: the
    /// part had to be sent again, or was there before.
    pub bytes_repeated: u64,
    /// Zero, for later versions.
    pub reserved: [u64; 4],
    /// How many parts the service has confirmed.
    pub parts_confirmed: u32,
    /// How many parts there are; 0 is not known.
    pub parts_total: u32,
    /// One of the AV_UPLOAD_… constants. Expect values that you do not know.
    pub state: i32,
    /// How many milliseconds the upload will wait, in AV_UPLOAD_WAITING_TO_RETRY and
    /// AV_UPLOAD_WAITING_FOR_RATE_LIMIT; otherwise 0.
    pub wait_ms: u32,
}

/// Receives how far an upload has come, on the thread that is inside the call, with no lock held.
/// `progress` is valid until the function returns. It may call any function of this library, also
/// av_cancel_trigger() to end the upload: of a part that was confirmed just then `state_fn` still tells the
/// state. It must not throw or longjmp.
pub type av_upload_progress_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, progress: *const av_upload_progress)>;

/// Receives the state of an upload whenever a part is confirmed, but for the last one, on the thread that is
/// inside the call, with no lock held. `state` is one line of ASCII of at most 4096 bytes, with neither the
/// token nor a key in it, and is valid until the function returns: store a copy in the place of the one
/// before. Given to av_upload_params.resume after a crash, it costs at most one part that is sent again, or those
/// that were under way side by side.
/// Remove it when the call has succeeded. If the call has failed and av_error_attempts() is not 0, what
/// av_error_upload_state() returns takes its place; if that is NULL, remove it: the file has changed, or
/// somebody else uploads to the same video.
/// The function may call any function of this library; it must not throw or longjmp.
pub type av_upload_state_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, state: *const c_char)>;

/// What to upload with, and how. Zero the whole struct, set `struct_size` and `token`, then what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct av_upload_params {
    /// sizeof(av_upload_params).
    pub struct_size: usize,
    /// The upload token: 1 to 4096 bytes; not NULL. Messages and the trace show it shortened.
    pub token: *const c_char,
    /// The id, of 1 to 512 bytes, of a video without a file that somebody with a key has made before, as
    /// for a private one. NULL: the upload makes a new video, with the account's defaults.
    pub video_id: *const c_char,
    /// The name that the service is told of the file, 1 to 1024 bytes: it becomes the title of a new video.
    /// NULL is the last component of the path.
    pub file_name: *const c_char,
    /// The state to go on from, which av_error_upload_state() or `state_fn` has told. It must be of the same
    /// service, of the same file, unchanged, and, if `video_id` is set, of that video. The parts stay as they
    /// were cut, whatever `part_bytes` says. The token may be another one. NULL is from the beginning.
    pub resume: *const c_char,
    /// Receives how far the upload has come, or NULL.
    pub progress_fn: av_upload_progress_fn,
    /// Receives the state after each part, or NULL.
    pub state_fn: av_upload_state_fn,
    /// Passed to both functions. It must stay valid until av_upload_file() returns, or av_upload_free().
    pub userdata: *mut c_void,
    /// The size of a part in bytes, 5242880 (5 MiB) to 209715200 (200 MiB). 0 is 32 MiB, or more if the
    /// file would make more than 10,000 parts. If the connection breaks, the part is sent again from its
    /// beginning, so small ones suit a poor network; but each counts against the service's rate limit. The
    /// first part of a new video always has 5 MiB.
    pub part_bytes: u64,
    /// How many bytes per second are sent at most. 0 is no limit.
    pub max_bytes_per_second: u64,
    /// 0: the calling thread sends everything, and no thread is started. 1 to 16: so many parts at once, by
    /// as many threads of the library, for links that one connection does not fill. The first part of a new
    /// video and the last one still go alone, on the calling thread; `response` tells of these. Callbacks, and
    /// lines of the trace, come on the calling thread alone. The threads handle no signals. They end before
    /// av_upload_file() returns; those of an av_upload live from call to call, and end by themselves once it
    /// is finished or freed. Each takes up to 1.25 MiB, and a part of an av_upload besides. If the system
    /// allows fewer threads, or none, there are fewer, and the trace says so.
    pub parallel_parts: u32,
    /// After so many milliseconds in which no byte of a part has arrived at the other side, the attempt
    /// fails, and the next one takes a new connection. 0 is 30000, UINT32_MAX is no limit.
    pub stall_timeout_ms: u32,
    /// How many milliseconds the answer to a part may take, from when all of the part has arrived. 0 is
    /// 300000, UINT32_MAX is no limit.
    pub answer_timeout_ms: u32,
    /// The upload is given up after so many milliseconds in which no byte has arrived, over all attempts
    /// and the waits between them: this is how long an outage may last. Waits for an answer, for the rate
    /// limit, or for as long as a 429 asks, do not count. 0 is 300000, UINT32_MAX is no limit.
    pub patience_ms: u32,
    /// How many milliseconds there are at least between two calls of `progress_fn` while bytes are sent; a
    /// change of `state` is told at once. 0 is 250.
    pub progress_interval_ms: u32,
    /// 0; there are none yet.
    pub flags: u32,
}

// SAFETY: integers, pointers and optional function pointers, whose every pattern of bytes is a value; a
// test asserts that there is no padding.
unsafe impl Input for av_upload_params {
    const ZEROED: Self = av_upload_params {
        struct_size: 0,
        token: std::ptr::null(),
        video_id: std::ptr::null(),
        file_name: std::ptr::null(),
        resume: std::ptr::null(),
        progress_fn: None,
        state_fn: None,
        userdata: std::ptr::null_mut(),
        part_bytes: 0,
        max_bytes_per_second: 0,
        parallel_parts: 0,
        stall_timeout_ms: 0,
        answer_timeout_ms: 0,
        patience_ms: 0,
        progress_interval_ms: 0,
        flags: 0,
    };
    const SIZES: &'static [usize] = &[];
}

/// A video that was uploaded. Made by the library alone: read it through the pointer you got, never copy it
/// by value or take its size. It never changes. Of a private video the addresses hold a secret.
#[repr(C)]
pub struct av_uploaded_video {
    /// When it was made, in Unix seconds by the service's clock, fractions floored; 0 is not told.
    pub created_at: i64,
    /// When it was published, in Unix seconds; 0 is not told.
    pub published_at: i64,
    /// The size of the file that was uploaded, in bytes.
    pub bytes: u64,
    /// Zero, for later versions.
    pub reserved: [u64; 4],
    /// Its id. Never NULL.
    pub video_id: *const c_char,
    /// Its title; NULL is not told.
    pub title: *const c_char,
    /// The address of a page that plays it; NULL is not told.
    pub player_url: *const c_char,
    /// HTML with that page in a frame; NULL is not told.
    pub iframe_html: *const c_char,
    /// The address of its HLS manifest; NULL is not told.
    pub hls_url: *const c_char,
    /// The address of an MP4 file; NULL is not told, as where none is made.
    pub mp4_url: *const c_char,
    /// The address of a picture of it; NULL is not told.
    pub thumbnail_url: *const c_char,
    /// The service's answer as it is, one JSON object in UTF-8. NULL, and with it all of the above that may
    /// be, if the answer was lost and only the refusal of the last part, sent once more, proved that the
    /// video is whole.
    pub json: *const c_char,
    /// NULL, for later versions.
    pub reserved_pointers: [*const c_void; 2],
    /// 1 if anybody may see it, 0 if not, -1 is not told.
    pub is_public: i32,
    /// How many unfinished videos this upload may have left behind, which the service drops after a week:
    /// one for each time that the answer to a first part was lost.
    pub videos_abandoned: u32,
}

/// Uploads a file with an upload token: `POST /upload`, once for each part. The client needs no credential
/// (AV_CLIENT_NO_CREDENTIAL), and if it has one, that is not sent.
///
/// One call makes at most one video that plays, whatever the network does. A part that fails is sent again
/// where that does no harm, until it is given up by `max_attempts`, `patience_ms` or `timeout_ms`. The last part
/// is sent last: before that the video is surely not whole. After a failure or a crash, another call can go
/// on from the state of this one, and does not send again what was confirmed.
///
/// To pause, cancel the call (av_request_options.cancel), and copy av_error_upload_state() before the error
/// is freed. To go on, call again with the copy in av_upload_params.resume and a new cancel handle, for
/// a handle stays triggered.
///
/// @param client   whose service to upload to; not NULL.
/// @param path     the file, a regular one that is not empty (others are refused as INVALID_ARGUMENT, what
///                 cannot be opened as SOURCE); not NULL. On Windows it is UTF-8, elsewhere whatever bytes the
///                 system has for it. It is opened once, and must not be written to until
///                 the call returns. If rename(2) puts another file in its place, the one
///                 that was opened is uploaded.
/// @param params   what to upload with, and how; not NULL.
/// @param options  for this call alone, or NULL. `timeout_ms` bounds the whole upload, and 0 is no limit
///                 here: the client's does not apply. `max_attempts` is how many attempts in a row at one
///                 part may fail without getting further in it than any before them. If it is 0, here and in
///                 the client, it is 3, and once bytes have got through, attempts that cannot connect
///                 do not count: an outage is waited for, as long as `patience_ms` allows.
///                 `response` tells of the last attempt.
/// @param out      receives the video, to be freed with av_uploaded_video_free(); not NULL.
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK if the service says that the video is whole; or INVALID_ARGUMENT (also for a state
/// of another service or video, and in a child that a callback has forked, which must not go on), SOURCE,
/// CONNECT, TLS, TRANSPORT, TIMEOUT (of the call, or a stall), CANCELLED, UNAUTHORIZED (the token is wrong,
/// or has expired), NOT_FOUND (no such video), REJECTED (also if somebody else uploads to the same video),
/// RATE_LIMITED, SERVER, DECODE, INTERNAL.
/// After a failure av_error_outcome() tells whether the video is whole: AV_OUTCOME_NOT_APPLIED, a part is
/// surely missing; AV_OUTCOME_UNKNOWN, the last or only part may have arrived; AV_OUTCOME_APPLIED, it is whole,
/// but the answer cannot be used. If av_error_is_retryable() is 1, call again with av_error_upload_state() in
/// `resume`; NULL begins anew. If it is 0, see to the cause first, such as by a new token: a state that is
/// not NULL can be gone on from all the same. With neither, look for the video before you upload the file again,
/// unless the outcome is AV_OUTCOME_NOT_APPLIED.
///
/// It blocks until all is sent and answered, which may take hours. The callbacks and the trace are called on
/// the calling thread, within the call. It takes at most 1.25 MiB of memory, and as much for each of
/// `parallel_parts` beyond the first, whatever the file's size.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_file(
    client: *const av_client,
    path: *const c_char,
    params: *const av_upload_params,
    options: *const av_request_options,
    out: *mut *mut av_uploaded_video,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let path = os::file::path(caller.bytes(path, "path")?)
            .map_err(|why| Error::invalid_argument(format_args!("path {why}")))?;
        let params = av_upload_params::read(&caller, params)?;
        out.set(upload::upload_file(&client, path, &params, &options, handed_out)?);
        Ok(())
    })
}

/// Frees a video, and wipes what was told of it. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_uploaded_video_free(video: *mut av_uploaded_video) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    owned::free(&caller, video)
}

impl av_upload_params {
    /// The caller's functions.
    pub(super) fn callbacks(caller: &Caller, params: *const Self) -> Result<Callbacks, Error> {
        let params = caller.required_input(params, "params")?;
        Ok(Callbacks {
            progress_fn: params.progress_fn,
            state_fn: params.state_fn,
            userdata: params.userdata,
        })
    }

    pub(super) fn read(caller: &Caller, given: *const Self) -> Result<UploadParams<'_>, Error> {
        let params = caller.required_input(given, "params")?;
        let text = |text, member: &str| caller.optional_text(text, &format!("params.{member}"));
        if params.flags != 0 {
            return Err(Error::invalid_argument("params.flags has an unknown bit set"));
        }
        if params.parallel_parts > MOST_PARALLEL_PARTS {
            return Err(Error::invalid_argument("params.parallel_parts must be from 0 to 16"));
        }
        Ok(UploadParams {
            token: caller.text(params.token, "params.token")?,
            video_id: text(params.video_id, "video_id")?,
            file_name: text(params.file_name, "file_name")?,
            resume: text(params.resume, "resume")?,
            part_bytes: params.part_bytes,
            max_bytes_per_second: NonZeroU64::new(params.max_bytes_per_second),
            stall_timeout: milliseconds(params.stall_timeout_ms, DEFAULT_STALL_TIMEOUT),
            answer_timeout: milliseconds(params.answer_timeout_ms, DEFAULT_ANSWER_TIMEOUT),
            patience: milliseconds(params.patience_ms, DEFAULT_PATIENCE),
            progress_interval: match params.progress_interval_ms {
                0 => DEFAULT_PROGRESS_INTERVAL,
                interval => Duration::from_millis(interval.into()),
            },
            parallel_parts: params.parallel_parts,
            listener: Rc::new(Self::callbacks(caller, given)?),
        })
    }
}

/// The caller's functions. They are called by its own thread alone, within its call.
#[derive(Clone)]
pub(super) struct Callbacks {
    progress_fn: av_upload_progress_fn,
    state_fn: av_upload_state_fn,
    userdata: *mut c_void,
}

// SAFETY: `userdata` is only handed back to the caller, within its calls, on whichever thread it makes them:
// what may be done with it there is the caller's to know. Functions may be called on any.
unsafe impl Send for Callbacks {}
// SAFETY: as above; there is nothing to change in it.
unsafe impl Sync for Callbacks {}

impl Listener for Callbacks {
    fn progress(&self, progress: &Progress) {
        let Some(function) = self.progress_fn else { return };
        let progress = av_upload_progress::new(progress);
        // SAFETY: by the caller's word, until its call returns, within which this is.
        unsafe { function(self.userdata, &progress) }
    }

    fn state(&self, state: &str) {
        let Some(function) = self.state_fn else { return };
        let state = CString::new(state).unwrap_or_default();
        // SAFETY: as above.
        unsafe { function(self.userdata, state.as_ptr()) }
    }
}

impl av_upload_progress {
    fn new(progress: &Progress) -> Self {
        av_upload_progress {
            bytes_confirmed: progress.bytes_confirmed,
            bytes_sent: progress.bytes_sent,
            bytes_total: progress.bytes_total,
            bytes_repeated: progress.bytes_repeated,
            reserved: [0; 4],
            parts_confirmed: progress.parts_confirmed,
            parts_total: progress.parts_total,
            state: match progress.activity {
                Activity::Sending => AV_UPLOAD_SENDING,
                Activity::WaitingForAnswer => AV_UPLOAD_WAITING_FOR_ANSWER,
                Activity::WaitingToRetry => AV_UPLOAD_WAITING_TO_RETRY,
                Activity::WaitingForRateLimit => AV_UPLOAD_WAITING_FOR_RATE_LIMIT,
            },
            wait_ms: u32::try_from(progress.wait.as_millis()).unwrap_or(u32::MAX),
        }
    }
}

/// A video of its own.
pub(super) fn handed_out(uploaded: &Uploaded<'_>) -> *mut av_uploaded_video {
    let video = uploaded.answer.as_ref().map(|(video, _)| video);
    let json = uploaded.answer.as_ref().map(|(_, json)| Cow::Borrowed(*json));
    let texts = [
        Some(Cow::Borrowed(uploaded.video_id)),
        video.and_then(|it| it.title.clone()),
        video.and_then(|it| it.assets.player.clone()),
        video.and_then(|it| it.assets.iframe.clone()),
        video.and_then(|it| it.assets.hls.clone()),
        video.and_then(|it| it.assets.mp4.clone()),
        video.and_then(|it| it.assets.thumbnail.clone()),
        json,
    ];
    let room = texts.iter().flatten().map(|text| text.len() + 1).sum();
    let mut owned = Owned::<av_uploaded_video>::with_room_for(room);
    let [video_id, title, player_url, iframe_html, hls_url, mp4_url, thumbnail_url, json] =
        texts.map(|text| text.map_or(std::ptr::null(), |text| owned.text(text.as_bytes())));
    owned.hand_out(av_uploaded_video {
        created_at: video.and_then(|it| it.created_at).unwrap_or(0),
        published_at: video.and_then(|it| it.published_at).unwrap_or(0),
        bytes: uploaded.bytes,
        reserved: [0; 4],
        video_id,
        title,
        player_url,
        iframe_html,
        hls_url,
        mp4_url,
        thumbnail_url,
        json,
        reserved_pointers: [std::ptr::null(); 2],
        is_public: video.and_then(|it| it.is_public).map_or(-1, i32::from),
        videos_abandoned: uploaded.videos_abandoned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::video::Video;
    use std::ffi::CStr;

    /// What `uploaded` becomes, as a caller reads it; each text, and then the numbers.
    fn read(uploaded: &Uploaded<'_>) -> (Vec<Option<String>>, [i64; 5]) {
        let video = handed_out(uploaded);
        let text = |text: *const c_char| {
            // SAFETY: NULL or a text of the video's, which lives until it is freed below.
            (!text.is_null())
                .then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        };
        // SAFETY: handed out above, and freed once.
        unsafe {
            let it = &*video;
            let texts = [
                it.video_id,
                it.title,
                it.player_url,
                it.iframe_html,
                it.hls_url,
                it.mp4_url,
                it.thumbnail_url,
                it.json,
            ];
            let texts = texts.map(text).to_vec();
            let numbers = [
                it.created_at,
                it.published_at,
                it.bytes as i64,
                it.is_public.into(),
                it.videos_abandoned.into(),
            ];
            av_uploaded_video_free(video);
            (texts, numbers)
        }
    }

    #[test]
    fn all_that_is_told_of_a_video_is_handed_out() {
        let json = r#"{"videoId":"vi1","title":"T","public":true,"createdAt":"1970-01-01T00:00:07Z",
            "publishedAt":"1970-01-01T00:00:08Z","assets":{"player":"p","iframe":"i","hls":"h",
            "mp4":"m","thumbnail":"t"}}"#;
        let video = Video::parse(json).expect("a video");
        let answer = Some((video, json));
        let uploaded = Uploaded { video_id: "vi1", bytes: 9, videos_abandoned: 2, answer };
        let (texts, numbers) = read(&uploaded);
        let texts: Vec<_> = texts.iter().map(|text| text.as_deref().unwrap_or_default()).collect();
        assert_eq!(texts, ["vi1", "T", "p", "i", "h", "m", "t", json]);
        assert_eq!(numbers, [7, 8, 9, 1, 2]);
    }

    #[test]
    fn what_is_not_told_is_null_or_zero() {
        let uploaded = Uploaded { video_id: "vi1", bytes: 9, videos_abandoned: 0, answer: None };
        let (texts, numbers) = read(&uploaded);
        assert_eq!(texts[0].as_deref(), Some("vi1"));
        assert!(texts[1..].iter().all(Option::is_none));
        assert_eq!(numbers, [0, 0, 9, -1, 0]);
    }
}
