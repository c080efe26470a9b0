//! Uploading what is made while it is sent.

use super::boundary::Caller;
use super::client::av_client;
use super::error::{av_error, av_status, c_string};
use super::options::av_request_options;
use super::upload::{Callbacks, av_upload_params, av_uploaded_video, handed_out};
use crate::error::Error;
use crate::upload::plan::Sizes;
use crate::upload::progress::Listener;
use crate::upload::stream::Stream;
use crate::wait::lock;
use std::ffi::{CString, c_char, c_void};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// An upload of what is made while it is sent: see av_upload_begin().
pub struct av_upload {
    session: Arc<Session>,
}

/// The inside of an upload, kept alive by the call that uses it.
struct Session {
    /// For one call at a time.
    stream: Mutex<Stream>,
    callbacks: Callbacks,
    /// How many bytes have been taken.
    offset: AtomicU64,
    /// The state that was handed out last.
    state: Mutex<Option<CString>>,
}

/// Begins to upload what is made meanwhile, such as a recording: its bytes are passed to av_upload_write() as
/// they come, and av_upload_finish() completes the video. Nothing is sent yet. All that av_upload_file()
/// promises holds here, too: at most one video that plays, and a state to go on from after any failure.
///
/// Of the containers those may be sent while they are written that are never changed at their beginning
/// again: fragmented MP4, MPEG-TS, WebM or Matroska whose cues are at the end. Not plain MP4 or MOV: whoever
/// writes one comes back to its head in the end, when that has long been sent. With FFmpeg,
/// `-movflags frag_keyframe+empty_moov`.
///
/// To go on after a crash, set av_upload_params.resume, ask av_upload_offset(), and pass all bytes from there
/// on once more: they must be the same.
///
/// @param client  whose service to upload to; not NULL; it may be freed before the upload.
/// @param params  what to upload with, and how; not NULL. Its texts are copied; `userdata` must stay valid until
///                av_upload_free(). `file_name` NULL is "video"; `part_bytes` 0 is 8 MiB. A recording of more
///                than 10,000 parts, 78 GiB then, takes larger ones.
/// @param out     receives the upload, to be freed with av_upload_free(); not NULL.
/// @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT (also for the state of a file), INTERNAL.
///
/// It takes (`parallel_parts` + 1) * `part_bytes` of memory at most, and what av_upload_file() takes besides.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_begin(
    client: *const av_client,
    params: *const av_upload_params,
    out: *mut *mut av_upload,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let client = caller.required(client, "client")?.share();
        let callbacks = av_upload_params::callbacks(&caller, params)?;
        let params = av_upload_params::read(&caller, params)?;
        let stream = Stream::begin(client, &params, &Sizes::OF_THE_SERVICE)?;
        let offset = AtomicU64::new(stream.offset());
        let state = Mutex::default();
        let session = Arc::new(Session { stream: Mutex::new(stream), callbacks, offset, state });
        out.set(Box::into_raw(Box::new(av_upload { session })));
        Ok(())
    })
}

/// Takes the next bytes of an upload, and returns at once, but for this: once a part is full and another
/// byte follows it, the part is sent. With `parallel_parts` 0 the call blocks until the service has confirmed
/// it. Otherwise a thread sends it, and the call blocks only while each of them has a part that is not
/// confirmed. The first part of a new video blocks in any case: only its answer tells which video it is.
/// A cancel ends what is under way, a deadline what blocks; bytes that are only taken are taken all the same.
///
/// After an error the upload is still there, and nothing that was taken is lost: av_upload_offset() tells how
/// much of `data` was taken. Go on writing from there when the network is back, or keep
/// av_error_upload_state(), free the upload, and go on another day.
///
/// @param upload   the upload; not NULL; by one call at a time: another one with it meanwhile, from its own
///                 callbacks or another thread, fails with AV_STATUS_INVALID_ARGUMENT.
/// @param data     the bytes, copied before the call returns; not NULL unless `length` is 0.
/// @param length   how many there are.
/// @param options  for this call alone, or NULL; as for av_upload_file().
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_upload_file(), except SOURCE; INVALID_ARGUMENT also if the upload is finished, if its last
/// part may have been sent as such, or if its parts are used up. What failed on a thread is told by the next
/// call. After AV_OUTCOME_UNKNOWN without a state nothing more can be done with it.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_write(
    upload: *mut av_upload,
    data: *const c_void,
    length: usize,
    options: *const av_request_options,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let options = av_request_options::read(&caller, options)?;
        let session = caller.required(upload, "upload")?.session.clone();
        let data = caller.memory(data, length, "data")?;
        session.work(|stream, listener| stream.write(data, &options, listener))?;
        if Arc::strong_count(&session) == 1 {
            return Err(Error::freed_meanwhile("upload"));
        }
        Ok(())
    })
}

/// Completes an upload: sends what is left as its last part, and hands out the video. Nothing can be written
/// after that. If it fails, call it again, as often as you like; only if the last part may have been sent,
/// nothing can be written any more.
///
/// @param upload   the upload, to which something was written; not NULL; by one call at a time.
/// @param options  for this call alone, or NULL; as for av_upload_file().
/// @param out      receives the video, to be freed with av_uploaded_video_free(); not NULL.
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_upload_write(); INVALID_ARGUMENT also if nothing was written, or nothing from where an upload
/// goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_finish(
    upload: *mut av_upload,
    options: *const av_request_options,
    out: *mut *mut av_uploaded_video,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
        let session = caller.required(upload, "upload")?.session.clone();
        out.set(session.work(|stream, listener| stream.finish(&options, listener, handed_out))?);
        Ok(())
    })
}

/// How many bytes of what is uploaded have been taken, from its very beginning: what av_upload_write() is to
/// be passed next. It is 0 at the beginning, what is confirmed after a resume, and after a write that failed
/// it tells what of that was taken.
///
/// @param upload  the upload, or NULL. During a call with it, it is what it was before that.
///
/// @return the number of bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_offset(upload: *const av_upload) -> u64 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(upload, 0, |upload| upload.session.offset.load(Ordering::Relaxed))
}

/// What an upload can be gone on from by another one, such as after the program was started anew: for
/// av_upload_params.resume. Who keeps what `state_fn` tells, or has an error, has it already; this is for when
/// whatever makes the bytes has failed. With `parallel_parts`, what a thread has sent since the last call
/// with the upload is not in it yet: it is sent again then, or found to be there.
///
/// @param upload  the upload, or NULL.
///
/// @return one line of ASCII of at most 4096 bytes, as av_error_upload_state(), which is valid until the next
/// call with the upload. NULL if there is nothing to go on from: before the service has confirmed the first part
/// of a new video, once the upload is finished or has failed for good, during a call with it, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_state(upload: *mut av_upload) -> *const c_char {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(upload, std::ptr::null(), |upload| upload.session.state())
}

/// Frees an upload, finished or not. NULL is a no-op. It never blocks, and sends nothing: of an unfinished
/// one what the service has is kept there for a week, for who goes on from its state. If a callback frees it
/// during a call, that call goes on to its end; av_upload_write() then fails with
/// AV_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_upload_free(upload: *mut av_upload) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(upload)
}

impl Session {
    /// Has `work` done with the stream, unless another call uses it, on this thread or on another one.
    fn work<T>(
        &self,
        work: impl FnOnce(&mut Stream, &Rc<dyn Listener>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(mut stream) = self.stream() else {
            return Err(Error::invalid_argument("upload is in use by another call"));
        };
        let listener: Rc<dyn Listener> = Rc::new(self.callbacks.clone());
        let done = work(&mut stream, &listener);
        self.offset.store(stream.offset(), Ordering::Relaxed);
        done
    }

    /// The stream, unless a call uses it.
    fn stream(&self) -> Option<MutexGuard<'_, Stream>> {
        match self.stream.try_lock() {
            Ok(stream) => Some(stream),
            // A panic leaves it where it was.
            Err(TryLockError::Poisoned(stream)) => Some(stream.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// What another upload can go on from, which is kept until it is asked for again.
    fn state(&self) -> *const c_char {
        let Some(stream) = self.stream() else { return std::ptr::null() };
        let mut kept = lock(&self.state);
        *kept = stream.state().as_deref().map(c_string);
        kept.as_ref().map_or(std::ptr::null(), |state| state.as_ptr())
    }
}
