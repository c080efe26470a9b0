//! What the service answered to a call, besides its result.

use super::boundary::{Caller, contain};
use crate::answer::recorder::{Recorder, Recording};
use crate::call::rate_limit::RateLimit;
use crate::error::Error;
use std::ffi::c_char;
use std::sync::Arc;

/// Tells of the HTTP answer to a call, whether that succeeded or failed. It is passed to a call in
/// av_request_options.response, by one call at a time; another one with it meanwhile fails with
/// AV_STATUS_INVALID_ARGUMENT. It is reset when a call begins, and tells of the last attempt of the
/// last call; its strings live until its next use or av_response_free(). Every accessor accepts
/// NULL.
///
/// In a child of fork(), a handle that was in a call at that moment is of no use: make another.
pub struct av_response {
    recorder: Arc<Recorder>,
}

impl av_response {
    /// Begins to record a call, which keeps the handle's inside alive.
    pub(super) fn begin(&self) -> Result<Recording, Error> {
        self.recorder.begin()
    }
}

/// Makes a response handle, to be freed with av_response_free(). Never NULL.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn av_response_new() -> *mut av_response {
    contain(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(av_response { recorder: Arc::default() }))
    })
}

/// The HTTP status of the answer, 100 to 999; 0 if there was none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_response_http_status(response: *const av_response) -> i32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(response, 0, |response| response.recorder.read(|record| record.status.into()))
}

/// How many times the request was tried; 0 for NULL. A reconnection when a kept connection turns
/// out to be dead does not count.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_response_attempts(response: *const av_response) -> u32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(response, 0, |response| response.recorder.read(|record| record.attempts))
}

/// The first value of a header of the answer, as received: bytes that need not be UTF-8. `name` is
/// compared without regard to case. NULL if the answer has no such header, if `name` is NULL, and for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_response_header(
    response: *const av_response,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(response, std::ptr::null(), |response| {
        let name = caller.optional_text(name, "name").ok().flatten();
        response.recorder.read(|record| {
            let value = name.and_then(|name| record.header(name));
            value.map_or(std::ptr::null(), |value| value.as_ptr().cast())
        })
    })
}

/// What the answer tells about the rate limit.
///
/// @param response       the response, or NULL.
/// @param limit          receives how many requests a window (a minute) allows; may be NULL.
/// @param remaining      receives how many are left in this window; may be NULL.
/// @param reset_seconds  receives the seconds until the next window; may be NULL.
///
/// Each is -1 if it was not told. Source: the service's reference, "Rate limiting".
///
/// @return 1 if anything was told, otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_response_rate_limit(
    response: *const av_response,
    limit: *mut i64,
    remaining: *mut i64,
    reset_seconds: *mut i64,
) -> i32 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    contain(0, || {
        let told = caller.optional(response).map_or_else(RateLimit::default, |response| {
            response.recorder.read(|record| record.rate_limit)
        });
        let all =
            [(limit, told.limit), (remaining, told.remaining), (reset_seconds, told.reset_seconds)];
        for (target, value) in all {
            let value = value.map_or(-1, |value| i64::try_from(value).unwrap_or(i64::MAX));
            caller.write(target, value);
        }
        i32::from(all.iter().any(|(_, value)| value.is_some()))
    })
}

/// Frees a response handle and its strings. NULL is a no-op. A call that uses it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_response_free(response: *mut av_response) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(response)
}
