//! Every input structure as raw bytes: sizes that are true but may be any, members that may hold
//! anything, pointers that are NULL or lead to strings. Nothing is sent: the call is cancelled before.
#![no_main]

use apivideo::ffi::cancel::*;
use apivideo::ffi::client::*;
use apivideo::ffi::error::*;
use apivideo::ffi::options::*;
use apivideo::ffi::response::*;
use apivideo::ffi::token_iter::*;
use apivideo::ffi::tokens::*;
use apivideo_fuzz::calls::finish;
use libfuzzer_sys::fuzz_target;
use std::ffi::{CString, c_char, c_void};
use std::mem::offset_of;
use std::ptr::null_mut;

/// The bytes of the three structures, then strings with a NUL after each.
struct Input<'a> {
    bytes: &'a [u8],
    strings: Vec<CString>,
}

impl<'a> Input<'a> {
    fn split(data: &'a [u8]) -> Self {
        let sizes = [
            size_of::<av_client_config>(),
            size_of::<av_request_options>(),
            size_of::<av_tokens_list_params>(),
        ];
        let (bytes, rest) = data.split_at(data.len().min(sizes.iter().sum()));
        let strings = rest.split(|byte| *byte == 0);
        let strings = strings.map(|text| CString::new(text).expect("split at each NUL")).collect();
        Input { bytes, strings }
    }

    /// The next `size` bytes, as a structure of the size that they tell. What tells a size that
    /// no structure has gets memory for that size alone, since no more of it may be read.
    fn structure(&mut self, size: usize) -> Structure {
        let (bytes, rest) = self.bytes.split_at(self.bytes.len().min(size));
        self.bytes = rest;
        let mut told = [0; 8];
        told[..bytes.len().min(8)].copy_from_slice(&bytes[..bytes.len().min(8)]);
        // Most of them of the right size, the others near it, or anything.
        let told = u64::from_ne_bytes(told);
        let told = match told % 4 {
            0 => (told >> 8) as usize,
            1 => size + (told >> 8) as usize % 64,
            _ => size,
        };
        let room = if told > 4096 { 8 } else { told.max(8) };
        let mut memory = vec![0_u64; room.div_ceil(8)];
        for (word, bytes) in memory.iter_mut().zip(bytes.chunks(8)).skip(1) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(whole);
        }
        memory[0] = told as u64;
        Structure { memory, size: told }
    }

    /// NULL, or the string that a byte chooses.
    fn string(&self, choice: u64) -> *const c_char {
        match choice as usize % (2 * self.strings.len().max(1)) {
            chosen if chosen < self.strings.len() => self.strings[chosen].as_ptr(),
            _ => std::ptr::null(),
        }
    }
}

struct Structure {
    memory: Vec<u64>,
    size: usize,
}

impl Structure {
    /// Puts a pointer into the member at `offset`, unless that lies beyond the structure.
    fn set(&mut self, offset: usize, choose: impl FnOnce(u64) -> *const c_void) {
        if let Some(word) = self.memory.get_mut(offset / 8) {
            *word = choose(*word) as u64;
        }
    }

    fn pointer<T>(&self) -> *const T {
        self.memory.as_ptr().cast()
    }
}

unsafe extern "C" fn trace(_: *mut c_void, level: i32, line: *const c_char) {
    // SAFETY: the line is one, as the header says.
    let line = unsafe { apivideo_fuzz::calls::text(line) };
    assert!((1..=3).contains(&level) && line.is_some_and(|line| !line.contains('\n')));
}

/// A file of authorities that a fuzzer may name: not there, empty, or no PEM.
const FILES: [&std::ffi::CStr; 3] = [c"/nowhere/ca.pem", c"/dev/null", c"/proc/self/comm"];

fuzz_target!(|data: &[u8]| {
    let mut input = Input::split(data);
    let mut config = input.structure(size_of::<av_client_config>());
    let mut options = input.structure(size_of::<av_request_options>());
    let params = input.structure(size_of::<av_tokens_list_params>());
    let texts = [
        offset_of!(av_client_config, api_key),
        offset_of!(av_client_config, access_token),
        offset_of!(av_client_config, base_url),
        offset_of!(av_client_config, app_name),
        offset_of!(av_client_config, app_version),
        offset_of!(av_client_config, sdk_name),
        offset_of!(av_client_config, sdk_version),
        offset_of!(av_client_config, proxy_url),
    ];
    for member in texts {
        config.set(member, |choice| input.string(choice).cast());
    }
    config.set(offset_of!(av_client_config, ca_file), |choice| match choice as usize % 32 {
        chosen if chosen < FILES.len() => FILES[chosen].as_ptr().cast(),
        _ => std::ptr::null(),
    });
    config.set(offset_of!(av_client_config, trace_fn), |choice| match choice % 2 {
        0 => std::ptr::null(),
        _ => trace as *const c_void,
    });
    let is_known = config.size == size_of::<av_client_config>();
    let (mut client, mut error) = (null_mut(), null_mut());
    // SAFETY: every structure has the memory that its size tells, its pointers are NULL or strings or
    // handles that live to the end of this block, and results are freed after their last use.
    unsafe {
        let status = av_client_new(config.pointer(), &mut client, &mut error);
        finish(status, error);
        assert_eq!(client.is_null(), status != AV_STATUS_OK);
        assert!(is_known || status != AV_STATUS_OK || config.size > size_of::<av_client_config>());

        let (cancel, response) = (av_cancel_new(), av_response_new());
        av_cancel_trigger(cancel);
        // Without the handle a call would be made.
        options.set(offset_of!(av_request_options, cancel), |_| cancel.cast_const().cast());
        options.set(offset_of!(av_request_options, response), |choice| match choice % 2 {
            0 => std::ptr::null(),
            _ => response.cast_const().cast(),
        });
        let token = input.strings.last().map_or(std::ptr::null(), |text| text.as_ptr());
        if options.memory.len() > offset_of!(av_request_options, cancel) / 8 {
            let mut page = null_mut();
            let status =
                av_tokens_list(client, params.pointer(), options.pointer(), &mut page, &mut error);
            assert!(matches!(status, AV_STATUS_INVALID_ARGUMENT | AV_STATUS_CANCELLED));
            assert!(page.is_null());
            finish(status, error);
            let status = av_tokens_delete(client, token, options.pointer(), &mut error);
            assert!(matches!(status, AV_STATUS_INVALID_ARGUMENT | AV_STATUS_CANCELLED));
            finish(status, error);
            let mut json = null_mut();
            let status =
                av_tokens_create_json(client, token, options.pointer(), &mut json, &mut error);
            assert!(matches!(status, AV_STATUS_INVALID_ARGUMENT | AV_STATUS_CANCELLED));
            assert!(json.is_null());
            finish(status, error);
        }
        let mut iter = null_mut();
        let status = av_tokens_iterate(client, params.pointer(), &mut iter, &mut error);
        assert_eq!(iter.is_null(), status != AV_STATUS_OK);
        finish(status, error);
        av_client_free(client);
        av_token_iter_free(iter);
        av_response_free(response);
        av_cancel_free(cancel);
    }
});
