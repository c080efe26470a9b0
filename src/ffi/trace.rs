//! The caller's function for the trace.

use super::boundary::Caller;
use super::input::choice;
use crate::error::{Error, in_one_line};
use crate::trace::{Level, Tracer};
use std::ffi::{CString, c_char, c_void};

/// av_client_config.trace_level: nothing.
pub const AV_TRACE_OFF: i32 = 0;
/// av_client_config.trace_level: failed attempts.
pub const AV_TRACE_ERROR: i32 = 1;
/// av_client_config.trace_level: every attempt.
pub const AV_TRACE_INFO: i32 = 2;
/// av_client_config.trace_level: every attempt and its steps.
pub const AV_TRACE_DEBUG: i32 = 3;

/// Takes one line of the trace: on the thread that is inside the call, with no lock held. `level` is
/// that of the line, one of the AV_TRACE_… constants. `line` is UTF-8 without a line end, lives until
/// the function returns, and holds no credential and no whole token. The function may call any
/// function of this library; it must not throw or longjmp.
pub type av_trace_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, level: i32, line: *const c_char)>;

/// A tracer that tells `function`, if there is one, what `level` asks for.
pub(super) fn tracer(
    _: &Caller,
    function: av_trace_fn,
    userdata: *mut c_void,
    level: i32,
) -> Result<Tracer, Error> {
    let levels = [None, Some(Level::Error), Some(Level::Info), Some(Level::Debug)];
    let level = choice(level, &levels, "config.trace_level")?;
    let (Some(function), Some(level)) = (function, level) else { return Ok(Tracer::off()) };
    let userdata = Userdata(userdata);
    Ok(Tracer::new(level, move |level, line| {
        // A NUL, too, is not left in it.
        let line = CString::new(in_one_line(line)).unwrap_or_default();
        // SAFETY: by the caller's word, as long as the client lives that the tracer belongs to.
        unsafe { function(userdata.get(), level as i32, line.as_ptr()) }
    }))
}

/// The caller's pointer, which is passed on and never looked at.
struct Userdata(*mut c_void);

impl Userdata {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

// SAFETY: the header says that the trace is called on any thread that is inside a call.
unsafe impl Send for Userdata {}
// SAFETY: as above.
unsafe impl Sync for Userdata {}
