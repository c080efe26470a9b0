//! What may be set for a single call.

use super::boundary::Caller;
use super::cancel::av_cancel;
use super::input::{Input, milliseconds};
use super::response::av_response;
use crate::call::options::{Begin, CallOptions, CallTimeout};
use crate::client::DEFAULT_TIMEOUT;
use crate::error::Error;

/// What a single call may do otherwise than its client. NULL instead of it, and every member that is
/// NULL or 0, is what the client's configuration says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct av_request_options {
    /// sizeof(av_request_options).
    pub struct_size: usize,
    /// Ends the call from another thread, or NULL. It may be freed before the call ends.
    pub cancel: *mut av_cancel,
    /// Is told what the service answers, or NULL. It may be freed before the call ends.
    pub response: *mut av_response,
    /// As in av_client_config. UINT32_MAX is no limit.
    pub timeout_ms: u32,
    /// As in av_client_config.
    pub max_attempts: u32,
}

// SAFETY: integers and pointers, whose every pattern of bytes is a value; a test asserts that there
// is no padding.
unsafe impl Input for av_request_options {
    const ZEROED: Self = av_request_options {
        struct_size: 0,
        cancel: std::ptr::null_mut(),
        response: std::ptr::null_mut(),
        timeout_ms: 0,
        max_attempts: 0,
    };
    const SIZES: &'static [usize] = &[];
}

impl av_request_options {
    pub(super) fn read(caller: &Caller, options: *const Self) -> Result<CallOptions, Error> {
        let begin = Begin::default();
        let options = caller.input(options, "options")?;
        let timeout = match options.timeout_ms {
            0 => CallTimeout::Client,
            timeout => CallTimeout::Own(milliseconds(timeout, DEFAULT_TIMEOUT)),
        };
        Ok(CallOptions {
            begin,
            timeout,
            max_attempts: (options.max_attempts > 0).then_some(options.max_attempts),
            cancel: caller.optional(options.cancel).map(av_cancel::share),
            recording: caller.optional(options.response).map(av_response::begin).transpose()?,
        })
    }
}
