//! The border with C: what the caller passes is read, what it gets is handed out, the cancellation of
//! its thread is held back meanwhile, and no panic gets past. Of a function of the header all but its
//! first line is safe code.

use super::error::{AV_STATUS_OK, av_error, av_status};
use crate::error::Error;
use crate::os::thread_cancel;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The caller's word that what it passed is as the header says: each pointer is NULL, or points to
/// what its type tells, for as long as its function's documentation asks. With it the parameters are
/// read by safe code, and what was read cannot outlive it.
pub(super) struct Caller(());

/// Runs the body of a function that cannot fail; if it panics after all, `otherwise` is returned.
pub(super) fn contain<R: Copy>(otherwise: R, body: impl FnOnce() -> R) -> R {
    thread_cancel::held_back(|| {
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
            // What it says may quote anything, and dropping it may panic again: leave it alone.
            std::mem::forget(panic);
            otherwise
        })
    })
}

impl Caller {
    /// Takes the caller at its word.
    ///
    /// # Safety
    /// Until the function of the header that asks for it returns, all that was passed to it must be as
    /// the header says.
    pub unsafe fn trust() -> Self {
        Caller(())
    }

    /// Runs the body of a function that may fail: its error, or NULL, goes to `*error`, and so does
    /// that it panicked.
    pub fn guard(
        &self,
        error: *mut *mut av_error,
        body: impl FnOnce() -> Result<(), Error>,
    ) -> av_status {
        let attempt = || match body() {
            Ok(()) => {
                self.write(error, std::ptr::null_mut());
                AV_STATUS_OK
            }
            Err(failed) => self.tell(error, failed),
        };
        thread_cancel::held_back(|| {
            catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|panic| {
                // As in `contain`.
                std::mem::forget(panic);
                self.tell(error, Error::internal("the library panicked"))
            })
        })
    }

    /// What `get` reads from a handle; `otherwise` for NULL.
    pub fn read<T, R: Copy>(&self, handle: *const T, otherwise: R, get: impl FnOnce(&T) -> R) -> R {
        contain(otherwise, || self.optional(handle).map_or(otherwise, get))
    }

    /// Frees a handle that was handed out as a box; NULL is none.
    pub fn free<T>(&self, handle: *mut T) {
        contain((), || {
            if !handle.is_null() {
                // SAFETY: not NULL, hence what a function of ours made with `Box::into_raw` and
                // nobody has freed since, by the caller's word.
                drop(unsafe { Box::from_raw(handle) });
            }
        });
    }

    /// Writes `value` to `*target`, unless `target` is NULL.
    pub fn write<T>(&self, target: *mut T, value: T) {
        if !target.is_null() {
            // SAFETY: not NULL, hence a valid place for a T, by the caller's word. What stood
            // there may be uninitialised and is not dropped.
            unsafe { target.write(value) }
        }
    }

    /// Hands out an error to a caller who wants to know, and returns its status.
    #[cold]
    fn tell(&self, error: *mut *mut av_error, failed: Error) -> av_status {
        let failed = av_error::new(failed);
        let status = failed.status();
        if !error.is_null() {
            self.write(error, Box::into_raw(Box::new(failed)));
        }
        status
    }

    /// What `pointer` points to, or `None` for NULL.
    pub fn optional<T>(&self, pointer: *const T) -> Option<&T> {
        // SAFETY: NULL or valid, by the caller's word.
        unsafe { pointer.as_ref() }
    }

    /// What `pointer` points to.
    pub fn required<T>(&self, pointer: *const T, parameter: &str) -> Result<&T, Error> {
        self.optional(pointer).ok_or_else(|| must_not_be_null(parameter))
    }

    /// A text, as bytes; `None` for NULL.
    pub fn optional_bytes(&self, text: *const c_char) -> Option<&[u8]> {
        // SAFETY: not NULL, hence NUL-terminated, by the caller's word.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
    }

    /// A text, as bytes.
    pub fn bytes(&self, text: *const c_char, parameter: &str) -> Result<&[u8], Error> {
        self.optional_bytes(text).ok_or_else(|| must_not_be_null(parameter))
    }

    /// Bytes, as many as the caller says.
    pub fn memory(
        &self,
        data: *const c_void,
        length: usize,
        parameter: &str,
    ) -> Result<&[u8], Error> {
        if length == 0 {
            return Ok(&[]);
        }
        if data.is_null() {
            return Err(must_not_be_null(parameter));
        }
        if isize::try_from(length).is_err() {
            let what = format_args!("{parameter} cannot have {length} bytes");
            return Err(Error::invalid_argument(what));
        }
        // SAFETY: not NULL, hence so many bytes, by the caller's word, and no more than there can be.
        Ok(unsafe { std::slice::from_raw_parts(data.cast(), length) })
    }

    /// A text, or `None` for NULL.
    pub fn optional_text(
        &self,
        text: *const c_char,
        parameter: &str,
    ) -> Result<Option<&str>, Error> {
        self.optional_bytes(text).map(std::str::from_utf8).transpose().map_err(|error| {
            Error::invalid_argument(format_args!(
                "{parameter} is not UTF-8 at byte {}",
                error.valid_up_to()
            ))
        })
    }

    /// A text.
    pub fn text(&self, text: *const c_char, parameter: &str) -> Result<&str, Error> {
        self.optional_text(text, parameter)?.ok_or_else(|| must_not_be_null(parameter))
    }

    /// Where a result goes, which is a pointer: it is NULL until it is set.
    pub fn out<P: Default>(&self, out: *mut P, parameter: &str) -> Result<Out<'_, P>, Error> {
        self.write(out, P::default());
        if out.is_null() {
            return Err(must_not_be_null(parameter));
        }
        Ok(Out { caller: self, target: out })
    }
}

/// Where a result goes.
pub(super) struct Out<'c, P> {
    caller: &'c Caller,
    target: *mut P,
}

impl<P> Out<'_, P> {
    /// Hands out the result.
    pub fn set(self, value: P) {
        self.caller.write(self.target, value);
    }
}

#[cold]
pub(super) fn must_not_be_null(parameter: &str) -> Error {
    Error::invalid_argument(format_args!("{parameter} must not be NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::recorder::Recorder;
    use crate::call::options::CallOptions;
    use crate::client::{Client, ClientConfig, Origin};
    use crate::ffi::error::{
        AV_STATUS_CONNECT, AV_STATUS_INTERNAL, av_error_free, av_error_message, av_error_status,
    };
    use crate::secret::Credential;
    use crate::tokens;
    use crate::trace::{Level, Tracer};
    use crate::wait::cancel::Cancel;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// The status and the message of what `body` comes to.
    fn outcome_of(body: impl FnOnce() -> Result<(), Error>) -> (av_status, String) {
        let mut error = std::ptr::null_mut();
        // SAFETY: `error` is a valid place, and what it receives is freed after its last use.
        unsafe {
            let status = Caller::trust().guard(&mut error, body);
            let message = CStr::from_ptr(av_error_message(error)).to_string_lossy().into_owned();
            assert_eq!(av_error_status(error), status);
            av_error_free(error);
            (status, message)
        }
    }

    #[test]
    fn a_panic_becomes_an_error_that_does_not_quote_it() {
        let (status, message) = outcome_of(|| panic!("the key is S3CRET"));
        assert_eq!(status, AV_STATUS_INTERNAL);
        assert!(message.contains("bug") && !message.contains("S3CRET"), "{message}");
    }

    #[test]
    fn a_function_that_cannot_fail_returns_its_other_value_instead_of_panicking() {
        assert_eq!(contain(7, || panic!("inside")), 7);
    }

    #[test]
    fn a_panic_without_a_place_for_the_error_is_contained_too() {
        // SAFETY: nothing is passed.
        let caller = unsafe { Caller::trust() };
        let status = caller.guard(std::ptr::null_mut(), || panic!("inside"));
        assert_eq!(status, AV_STATUS_INTERNAL);
    }

    #[test]
    fn a_panic_in_the_middle_of_a_call_leaves_client_and_handles_usable() {
        let panics = Arc::new(AtomicBool::new(true));
        let tracer = Tracer::new(Level::Debug, {
            let panics = panics.clone();
            move |_, line| assert!(!panics.load(Ordering::Relaxed), "{line}")
        });
        let nobody = Origin { name: None, version: None };
        let client = Client::new(ClientConfig {
            credential: Some(Credential::ApiKey("key")),
            // Nobody listens on the first port.
            base_url: Some("http://127.0.0.1:1"),
            app: nobody,
            sdk: nobody,
            ca_file: None,
            proxy_url: Some(""),
            timeout: Some(Duration::from_secs(20)),
            connect_timeout: None,
            attempt_timeout: None,
            max_attempts: Some(2),
            tracer,
            allow_plain_http: false,
        });
        let client = client.expect("a client");
        let recorder = Arc::<Recorder>::default();
        let call = || {
            let options = CallOptions {
                cancel: Some(Arc::new(Cancel::new())),
                recording: Some(recorder.begin()?),
                ..CallOptions::default()
            };
            tokens::delete(&client, "a-token", &options)
        };
        for _ in 0..3 {
            assert_eq!(outcome_of(call).0, AV_STATUS_INTERNAL);
        }
        panics.store(false, Ordering::Relaxed);
        let (status, message) = outcome_of(call);
        assert_eq!(status, AV_STATUS_CONNECT, "{message}");
    }
}
