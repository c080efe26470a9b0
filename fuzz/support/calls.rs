//! What holds for the end of every call through the C API.

use apivideo::ffi::error::*;
use std::ffi::{CStr, c_char};

/// A text handed out as a `const char *`, read to its end.
///
/// # Safety
/// `text` must be NULL or end with a NUL.
pub unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: by the promise above.
    let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
    text.map(|text| text.to_str().expect("UTF-8").to_owned())
}

/// Reads all that an error tells, checks that it makes sense, and frees it.
///
/// # Safety
/// `error` must be what a call that returned `status` handed out.
pub unsafe fn finish(status: av_status, error: *mut av_error) {
    assert_eq!(error.is_null(), status == AV_STATUS_OK);
    // SAFETY: NULL or an error, by the promise above; freed after its last use.
    unsafe {
        assert_eq!(av_error_status(error), status);
        assert_ne!(status, AV_STATUS_INTERNAL, "{:?}", text(av_error_message(error)));
        let message = text(av_error_message(error)).expect("a message");
        assert_eq!(message.is_empty(), error.is_null());
        assert!(!message.chars().any(char::is_control), "{message:?}");
        if status == AV_STATUS_INVALID_ARGUMENT {
            assert_eq!(av_error_outcome(error), AV_OUTCOME_NOT_APPLIED);
            assert_eq!(av_error_attempts(error), 0);
        }
        let http_status = av_error_http_status(error);
        assert!(http_status == 0 || (100..1000).contains(&http_status));
        assert!((-1..=31_536_000_000).contains(&av_error_retry_after_ms(error)));
        let mut length = 0;
        let body = av_error_body(error, &mut length);
        assert!(length <= 65536 && (length == 0 || !body.is_null()));
        if !body.is_null() {
            assert_eq!(body.add(length).read(), 0);
        }
        for index in 0..=av_error_problem_count(error).min(100) {
            let is_beyond = index == av_error_problem_count(error);
            let title = text(av_error_problem_title_at(error, index));
            let others = [av_error_problem_type_at, av_error_problem_detail_at];
            let others = others.map(|other| text(other(error, index)));
            let name = text(av_error_problem_name_at(error, index));
            assert!(!is_beyond || (title, others, name) == (None, [None, None], None));
        }
        let whole = [av_error_problem_type, av_error_problem_title, av_error_problem_detail];
        for part in whole.into_iter().chain([av_error_problem_name as _]) {
            text(part(error));
        }
        av_error_free(error);
    }
}
