//! The C API as these tests call it.

use apivideo::ffi::cancel::*;
use apivideo::ffi::client::*;
use apivideo::ffi::error::*;
use apivideo::ffi::options::*;
use apivideo::ffi::tokens::*;
use apivideo::ffi::trace::*;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Arc;

/// A call that failed.
#[derive(Debug)]
pub struct Failure {
    pub status: av_status,
    pub outcome: i32,
    pub is_retryable: bool,
    pub message: String,
}

/// A token that was handed out.
#[derive(Debug, PartialEq, Eq)]
pub struct Token {
    pub token: String,
    pub ttl_seconds: i32,
    pub created_at: i64,
    pub expires_at: i64,
}

/// A page that was handed out: its tokens; its number, the pages and its size; the items in all.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub tokens: Vec<Token>,
    pub numbers: [u32; 3],
    pub items_total: u64,
}

/// What is told of each step of a call, on the thread that makes it.
pub type Trace = Box<dyn Fn(i32, &str) + Send + Sync>;

/// What a client is made with besides its service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub timeout_ms: u32,
    pub attempt_timeout_ms: u32,
    pub max_attempts: u32,
}

pub struct Client {
    client: *mut av_client,
    /// Lives as long as the client, which has its address.
    _trace: Option<Box<Trace>>,
}

// SAFETY: the header lets any thread call through a client, and the trace is Sync.
unsafe impl Sync for Client {}

impl Client {
    pub fn new(url: &str, limits: Limits, trace: Option<Trace>) -> Self {
        let url = CString::new(url).expect("no NUL");
        let trace = trace.map(Box::new);
        let (mut client, mut error) = (null_mut(), null_mut());
        // SAFETY: zero is every member's default; what is set lives until the call returns, the trace
        // as long as the client.
        let status = unsafe {
            let mut config: av_client_config = std::mem::zeroed();
            config.struct_size = size_of::<av_client_config>();
            config.api_key = c"key".as_ptr();
            config.base_url = url.as_ptr();
            config.proxy_url = c"".as_ptr();
            config.timeout_ms = limits.timeout_ms;
            config.attempt_timeout_ms = limits.attempt_timeout_ms;
            config.max_attempts = limits.max_attempts;
            if let Some(trace) = &trace {
                config.trace_fn = Some(pass_on);
                config.trace_userdata = std::ptr::from_ref(&**trace).cast_mut().cast();
                config.trace_level = AV_TRACE_DEBUG;
            }
            av_client_new(&config, &mut client, &mut error)
        };
        end(status, error).expect("a client");
        Client { client, _trace: trace }
    }

    pub fn create(&self, ttl_seconds: u32, cancel: Option<&Cancel>) -> Result<Token, Failure> {
        let (mut token, mut error) = (null_mut(), null_mut());
        let options = options(cancel);
        // SAFETY: all pointers are valid for the length of the call.
        let status =
            unsafe { av_tokens_create(self.client, ttl_seconds, &options, &mut token, &mut error) };
        end(status, error).map(|()| take_token(token))
    }

    pub fn get(&self, token: &str, cancel: Option<&Cancel>) -> Result<Token, Failure> {
        let (mut found, mut error) = (null_mut(), null_mut());
        let (token, options) = (CString::new(token).expect("no NUL"), options(cancel));
        // SAFETY: as above.
        let status =
            unsafe { av_tokens_get(self.client, token.as_ptr(), &options, &mut found, &mut error) };
        end(status, error).map(|()| take_token(found))
    }

    pub fn delete(&self, token: &str, cancel: Option<&Cancel>) -> Result<(), Failure> {
        let mut error = null_mut();
        let (token, options) = (CString::new(token).expect("no NUL"), options(cancel));
        // SAFETY: as above.
        let status = unsafe { av_tokens_delete(self.client, token.as_ptr(), &options, &mut error) };
        end(status, error)
    }

    /// Lists as `[current_page, page_size, sort_by, sort_order]` says.
    pub fn list(&self, params: [u32; 4]) -> Result<Page, Failure> {
        let [current_page, page_size, sort_by, sort_order] = params;
        let params = av_tokens_list_params {
            struct_size: size_of::<av_tokens_list_params>(),
            current_page,
            page_size,
            sort_by: sort_by.cast_signed(),
            sort_order: sort_order.cast_signed(),
        };
        let (mut page, mut error) = (null_mut(), null_mut());
        // SAFETY: as above.
        let status = unsafe { av_tokens_list(self.client, &params, null(), &mut page, &mut error) };
        end(status, error)?;
        // SAFETY: the call succeeded, so there is a page, which is freed after its last use.
        unsafe {
            let told = &*page;
            let tokens = (0..told.count).map(|index| read_token(*told.items.add(index))).collect();
            let numbers = [told.current_page, told.pages_total, told.page_size];
            let told = Page { tokens, numbers, items_total: told.items_total };
            av_token_page_free(page);
            Ok(told)
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and no call can begin any more.
        unsafe { av_client_free(self.client) }
    }
}

unsafe extern "C" fn pass_on(userdata: *mut c_void, level: i32, line: *const c_char) {
    // SAFETY: the userdata is the client's trace, and the line a string, as the header says.
    let (trace, line) = unsafe { (&*userdata.cast::<Trace>(), CStr::from_ptr(line)) };
    trace(level, line.to_str().expect("UTF-8"));
}

/// What cancels a call.
pub struct Cancel(*mut av_cancel);

// SAFETY: the header lets any thread trigger it, and it is freed only when nobody holds it.
unsafe impl Send for Cancel {}
// SAFETY: as above.
unsafe impl Sync for Cancel {}

impl Cancel {
    pub fn new() -> Arc<Self> {
        Arc::new(Cancel(av_cancel_new()))
    }

    pub fn trigger(&self) {
        // SAFETY: not freed before it is dropped.
        unsafe { av_cancel_trigger(self.0) }
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and nobody holds it any more.
        unsafe { av_cancel_free(self.0) }
    }
}

fn options(cancel: Option<&Cancel>) -> av_request_options {
    // SAFETY: zero is every member's default.
    let mut options: av_request_options = unsafe { std::mem::zeroed() };
    options.struct_size = size_of::<av_request_options>();
    options.cancel = cancel.map_or(null_mut(), |cancel| cancel.0);
    options
}

/// What a call ended with; `error` is freed.
fn end(status: av_status, error: *mut av_error) -> Result<(), Failure> {
    assert_eq!(status == AV_STATUS_OK, error.is_null());
    if status == AV_STATUS_OK {
        return Ok(());
    }
    // SAFETY: the call failed, so there is an error, which is freed after its last use.
    unsafe {
        let message = CStr::from_ptr(av_error_message(error)).to_str().expect("UTF-8");
        let failure = Failure {
            status,
            outcome: av_error_outcome(error),
            is_retryable: av_error_is_retryable(error) != 0,
            message: message.to_owned(),
        };
        av_error_free(error);
        Err(failure)
    }
}

fn take_token(token: *mut av_token) -> Token {
    // SAFETY: a call has just handed it out; it is freed after its last use.
    unsafe {
        let told = read_token(token);
        av_token_free(token);
        told
    }
}

/// # Safety
/// `token` must be one that the library handed out.
unsafe fn read_token(token: *const av_token) -> Token {
    // SAFETY: by the promise above.
    let (told, text) = unsafe { (&*token, CStr::from_ptr((*token).token)) };
    Token {
        token: text.to_str().expect("UTF-8").to_owned(),
        ttl_seconds: told.ttl_seconds,
        created_at: told.created_at,
        expires_at: told.expires_at,
    }
}
