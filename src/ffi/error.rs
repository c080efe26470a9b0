//! Errors: a status for the program, the rest for the person and for who wants to know more.

use super::boundary::{Caller, contain};
use crate::answer::problem::Problem;
use crate::error::{Error, Failure, Outcome};
use std::ffi::{CStr, CString, c_char};
use zeroize::Zeroizing;

/// What became of a call: one of the `AV_STATUS_…` constants. 0 is success. Expect values that you
/// do not know: a later version may tell more kinds of failure. A situation keeps its status within
/// a major version.
pub type av_status = i32;

/// Success.
pub const AV_STATUS_OK: i32 = 0;
/// The caller's mistake: a parameter is NULL, malformed or out of range. The message names it, and
/// nothing was sent.
pub const AV_STATUS_INVALID_ARGUMENT: i32 = 1;
/// The host's name could not be looked up, no connection be made, or the proxy gave no way; also if
/// there is no descriptor or thread to be had. Nothing was sent.
pub const AV_STATUS_CONNECT: i32 = 2;
/// The server's certificate was refused, or no TLS could be agreed on. Nothing was sent.
pub const AV_STATUS_TLS: i32 = 3;
/// The connection broke during the exchange.
pub const AV_STATUS_TRANSPORT: i32 = 4;
/// The time for the call, for its last attempt, or for connecting ran out.
pub const AV_STATUS_TIMEOUT: i32 = 5;
/// The call was cancelled: av_cancel_trigger().
pub const AV_STATUS_CANCELLED: i32 = 6;
/// HTTP 401 or 403: the credential, or the token of an upload, is wrong, has ended, or is for the other
/// environment; or the account is suspended.
pub const AV_STATUS_UNAUTHORIZED: i32 = 7;
/// HTTP 404: there is no such token; it may have expired or been deleted; or no such video to upload to.
/// Whoever stands on the way may say 404 too: unless av_error_problem_type() or av_error_problem_title() is told, it was not the
/// service; nor was it if that type is "about:blank" or a URI of somebody else's.
pub const AV_STATUS_NOT_FOUND: i32 = 8;
/// Any other HTTP 4xx: the service rejects the request; av_error_problem_title_at() and its siblings
/// tell why.
pub const AV_STATUS_REJECTED: i32 = 9;
/// HTTP 429, too many requests, with no time left to wait as long as the service asks; or, with no
/// attempt made, the rate limit is known to be used up for longer than the call may take.
/// av_error_retry_after_ms() tells how long to wait.
pub const AV_STATUS_RATE_LIMITED: i32 = 10;
/// HTTP 5xx: the service failed.
pub const AV_STATUS_SERVER: i32 = 11;
/// An answer that the API does not promise: a redirect, a page instead of JSON, broken JSON, a missing
/// field, another token or page than the one asked for, too large.
pub const AV_STATUS_DECODE: i32 = 12;
/// A bug of this library, contained.
pub const AV_STATUS_INTERNAL: i32 = 13;
/// The file that is uploaded cannot be read, or has changed meanwhile; or what is gone on with is another
/// file than before. The message says which.
pub const AV_STATUS_SOURCE: i32 = 14;

/// Nobody here can tell whether the service has done what was asked. Look before you repeat a
/// create.
pub const AV_OUTCOME_UNKNOWN: i32 = 0;
/// The service has not done what was asked. Reads are always told as this.
pub const AV_OUTCOME_NOT_APPLIED: i32 = 1;
/// The service has done what was asked, but its answer was lost or cannot be used.
pub const AV_OUTCOME_APPLIED: i32 = 2;

/// What went wrong with one call. Its strings live until av_error_free(); every accessor accepts
/// NULL, so that a program may ask without checking. An error never changes: any number of threads
/// may read it at once.
pub struct av_error {
    status: av_status,
    outcome: i32,
    message: CString,
    http_status: i32,
    problem: ProblemStrings,
    problems: Vec<ProblemStrings>,
    /// As received, and a NUL; `None` without an answer. It may hold a secret.
    body: Option<Zeroizing<Vec<u8>>>,
    retry_after_ms: i64,
    attempts: u32,
    is_retryable: bool,
    upload_state: Option<CString>,
    upload_video_id: Option<CString>,
}

/// A problem's texts as C wants them.
#[derive(Default)]
struct ProblemStrings {
    kind: Option<CString>,
    title: Option<CString>,
    detail: Option<CString>,
    name: Option<CString>,
}

impl av_error {
    /// The error as it is handed out.
    pub(super) fn new(error: Error) -> Self {
        let reply = error.reply();
        let problem = reply.map(|reply| &reply.problem);
        let unfinished = error.unfinished();
        av_error {
            status: status_of(error.failure()),
            outcome: outcome_of(error.outcome()),
            message: c_string(&error.to_string()),
            http_status: reply.map_or(0, |reply| i32::from(reply.status)),
            problem: problem.map(ProblemStrings::new).unwrap_or_default(),
            problems: problem.map_or_else(Vec::new, |problem| {
                problem.problems.iter().map(ProblemStrings::new).collect()
            }),
            body: reply.map(|reply| Zeroizing::new([reply.body.as_slice(), &[0]].concat())),
            retry_after_ms: error
                .retry_after()
                .map_or(-1, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
            attempts: error.attempts(),
            is_retryable: error.is_retryable(),
            upload_state: unfinished.and_then(|it| it.state.as_deref()).map(c_string),
            upload_video_id: unfinished.and_then(|it| it.video_id.as_deref()).map(c_string),
        }
    }

    pub(super) fn status(&self) -> av_status {
        self.status
    }
}

impl ProblemStrings {
    fn new(problem: &Problem) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(c_string);
        ProblemStrings {
            kind: text(&problem.kind),
            title: text(&problem.title),
            detail: text(&problem.detail),
            name: text(&problem.name),
        }
    }
}

/// The status of a failure: the one place that knows both.
fn status_of(failure: Failure) -> av_status {
    match failure {
        Failure::InvalidArgument => AV_STATUS_INVALID_ARGUMENT,
        Failure::Connect => AV_STATUS_CONNECT,
        Failure::Tls => AV_STATUS_TLS,
        Failure::Transport => AV_STATUS_TRANSPORT,
        Failure::Timeout | Failure::Stalled => AV_STATUS_TIMEOUT,
        Failure::Cancelled => AV_STATUS_CANCELLED,
        Failure::Http(401 | 403) => AV_STATUS_UNAUTHORIZED,
        Failure::Http(404) => AV_STATUS_NOT_FOUND,
        Failure::Http(429) | Failure::RateLimited => AV_STATUS_RATE_LIMITED,
        Failure::Http(400..=499) => AV_STATUS_REJECTED,
        Failure::Http(500..=599) => AV_STATUS_SERVER,
        Failure::Http(_) | Failure::Decode => AV_STATUS_DECODE,
        Failure::Internal => AV_STATUS_INTERNAL,
        Failure::Source => AV_STATUS_SOURCE,
    }
}

fn outcome_of(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Unknown => AV_OUTCOME_UNKNOWN,
        Outcome::NotApplied => AV_OUTCOME_NOT_APPLIED,
        Outcome::Applied => AV_OUTCOME_APPLIED,
    }
}

/// A text for C, which ends at a NUL: one inside is shown as the replacement character.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// A text of an error; NULL if it has none.
fn read_text(
    caller: &Caller,
    error: *const av_error,
    get: impl FnOnce(&av_error) -> Option<&CString>,
) -> *const c_char {
    caller.read(error, std::ptr::null(), |error| {
        get(error).map_or(std::ptr::null(), |text| text.as_ptr())
    })
}

/// The status that the call returned; AV_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_status(error: *const av_error) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, AV_STATUS_OK, |error| error.status)
}

/// One line for a person: which request, what failed, what may have happened. Never NULL; "" for
/// NULL. It holds no credential, and of a token at most the first 4 and last 2 characters.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_message(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, c"".as_ptr(), |error| error.message.as_ptr())
}

/// What is known of the call's effect on the service: one of the `AV_OUTCOME_…` constants.
/// AV_OUTCOME_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_outcome(error: *const av_error) -> i32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, AV_OUTCOME_UNKNOWN, |error| error.outcome)
}

/// 1 if the cause is temporary and repeating the call cannot do anything twice, otherwise 0: for a
/// create always 0 unless its outcome is AV_OUTCOME_NOT_APPLIED, and for AV_STATUS_CANCELLED. 0 for
/// NULL. The table at the header's beginning has all that can come together.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_is_retryable(error: *const av_error) -> i32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, 0, |error| i32::from(error.is_retryable))
}

/// The HTTP status of the answer, 100 to 999; 0 if there was none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_http_status(error: *const av_error) -> i32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, 0, |error| error.http_status)
}

/// How many times the request was tried, 0 if it was never begun; a reconnection when a kept
/// connection turns out to be dead does not count. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_attempts(error: *const av_error) -> u32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, 0, |error| error.attempts)
}

/// How long to wait before the next try, in milliseconds, 0 to a year (31536000000), as the service
/// asked or as the rate limit's window lasts; -1 if that is not known, and for NULL. Read from
/// `Retry-After` (seconds or a date), and on HTTP 429 from `X-RateLimit-Retry-After`, whichever is
/// longer; fractions of a second are rounded up.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_retry_after_ms(error: *const av_error) -> i64 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, -1, |error| error.retry_after_ms)
}

/// The body of the answer as received, at most its first 65536 bytes, with a NUL after them; NULL
/// if there was no answer, and for NULL. `out_length`, which may be NULL, receives the number of
/// bytes without that NUL. After an AV_STATUS_DECODE of a create it may hold the new token, which
/// is a secret; and of an upload the addresses of a private video, which hold one.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_body(
    error: *const av_error,
    out_length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    contain(std::ptr::null(), || {
        let body = caller.optional(error).and_then(|error| error.body.as_ref());
        caller.write(out_length, body.map_or(0, |body| body.len() - 1));
        body.map_or(std::ptr::null(), |body| body.as_ptr().cast())
    })
}

/// The kind of problem that the service names, a URI whose form has changed over the years: compare
/// statuses instead. NULL if the answer names none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_type(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problem.kind.as_ref())
}

/// The problem in the service's own words, in English; NULL if it has none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_title(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problem.title.as_ref())
}

/// More about the problem in the service's own words; NULL if it has none, and for NULL. The service
/// calls it `detail` or `details`; both are read.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_detail(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problem.detail.as_ref())
}

/// The parameter that the problem is about, by the service's name for it, such as "pageSize"; it may
/// be "". NULL if it names none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_name(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problem.name.as_ref())
}

/// How many single problems the service lists, as it does with HTTP 400. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_count(error: *const av_error) -> usize {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(error, 0, |error| error.problems.len())
}

/// As av_error_problem_type(), of the single problem `index`, from 0; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_type_at(
    error: *const av_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problems.get(index)?.kind.as_ref())
}

/// As av_error_problem_title(), of the single problem `index`, from 0; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_title_at(
    error: *const av_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problems.get(index)?.title.as_ref())
}

/// As av_error_problem_detail(), of the single problem `index`, from 0; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_detail_at(
    error: *const av_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problems.get(index)?.detail.as_ref())
}

/// As av_error_problem_name(), of the single problem `index`, from 0; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_problem_name_at(
    error: *const av_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.problems.get(index)?.name.as_ref())
}

/// What an upload that has failed can go on from, for av_upload_params.resume: one line of ASCII of at most
/// 4096 bytes, without token or key. Copy it before av_error_free(). NULL if there is nothing to go on from
/// (begin anew, if the outcome is AV_OUTCOME_NOT_APPLIED), if the error is not an upload's, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_upload_state(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.upload_state.as_ref())
}

/// The id of the video that an upload which has failed was making, for whoever has a key to look at it or
/// delete it. NULL if none was begun that is known, if the error is not an upload's, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_upload_video_id(error: *const av_error) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    read_text(&caller, error, |error| error.upload_video_id.as_ref())
}

/// Frees an error and its strings. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_error_free(error: *mut av_error) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(error)
}

/// The name of a status, such as "AV_STATUS_NOT_FOUND", for logs; "AV_STATUS_(unknown)" for values
/// that this version does not know. A static string, never NULL.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn av_status_name(status: av_status) -> *const c_char {
    let name: &'static CStr = match status {
        AV_STATUS_OK => c"AV_STATUS_OK",
        AV_STATUS_INVALID_ARGUMENT => c"AV_STATUS_INVALID_ARGUMENT",
        AV_STATUS_CONNECT => c"AV_STATUS_CONNECT",
        AV_STATUS_TLS => c"AV_STATUS_TLS",
        AV_STATUS_TRANSPORT => c"AV_STATUS_TRANSPORT",
        AV_STATUS_TIMEOUT => c"AV_STATUS_TIMEOUT",
        AV_STATUS_CANCELLED => c"AV_STATUS_CANCELLED",
        AV_STATUS_UNAUTHORIZED => c"AV_STATUS_UNAUTHORIZED",
        AV_STATUS_NOT_FOUND => c"AV_STATUS_NOT_FOUND",
        AV_STATUS_REJECTED => c"AV_STATUS_REJECTED",
        AV_STATUS_RATE_LIMITED => c"AV_STATUS_RATE_LIMITED",
        AV_STATUS_SERVER => c"AV_STATUS_SERVER",
        AV_STATUS_DECODE => c"AV_STATUS_DECODE",
        AV_STATUS_INTERNAL => c"AV_STATUS_INTERNAL",
        AV_STATUS_SOURCE => c"AV_STATUS_SOURCE",
        _ => c"AV_STATUS_(unknown)",
    };
    name.as_ptr()
}

/// The name of an outcome, such as "AV_OUTCOME_APPLIED", for logs; "AV_OUTCOME_(unknown)" for values
/// that this version does not know. A static string, never NULL.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn av_outcome_name(outcome: i32) -> *const c_char {
    let name: &'static CStr = match outcome {
        AV_OUTCOME_UNKNOWN => c"AV_OUTCOME_UNKNOWN",
        AV_OUTCOME_NOT_APPLIED => c"AV_OUTCOME_NOT_APPLIED",
        AV_OUTCOME_APPLIED => c"AV_OUTCOME_APPLIED",
        _ => c"AV_OUTCOME_(unknown)",
    };
    name.as_ptr()
}
