//! Whole calls against a peer that plays arbitrary bytes: each ends in time, with a result that can be
//! read to its end or an error that makes sense.
#![no_main]

use apivideo::ffi::client::*;
use apivideo::ffi::error::*;
use apivideo::ffi::library::*;
use apivideo::ffi::options::*;
use apivideo::ffi::response::*;
use apivideo::ffi::token_iter::*;
use apivideo::ffi::tokens::*;
use apivideo_fuzz::calls::{finish, text};
use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What a call may take.
const TIMEOUT_MS: u32 = 100;
/// What the fuzzer's own slowness, and that of the machine it shares, may add.
const SLACK: Duration = Duration::from_secs(2);
/// What stands between what is played to one request and to the next.
const NEXT: &[u8] = b"\n~~~\n";

struct Peer {
    url: CString,
    plays: Mutex<VecDeque<Vec<u8>>>,
    /// Whether a connection is kept for the next request.
    keeps: AtomicBool,
}

/// The peer, which lives as long as the fuzzer.
fn peer() -> &'static Peer {
    static PEER: OnceLock<Peer> = OnceLock::new();
    static STARTED: OnceLock<()> = OnceLock::new();
    let mut listener = None;
    let peer = PEER.get_or_init(|| {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", bound.local_addr().expect("it is bound"));
        listener = Some(bound);
        Peer {
            url: CString::new(url).expect("no NUL"),
            plays: Mutex::default(),
            keeps: AtomicBool::new(false),
        }
    });
    if let Some(listener) = listener {
        STARTED.get_or_init(|| {
            std::thread::spawn(move || {
                // By this one thread: amid the end of another, the search for leaks finds its own memory.
                for stream in listener.incoming().flatten() {
                    // That nobody asks any more is how each ends.
                    let _ = peer.serve(stream);
                }
            });
        });
    }
    peer
}

impl Peer {
    /// Plays to each request what is next, until there is nothing left or nobody asks any more.
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_millis(1)))?;
        stream.set_nodelay(true)?;
        let mut memory = [0; 16384];
        loop {
            // A head and a small body come in one piece over loopback.
            if stream.read(&mut memory)? == 0 {
                return Ok(());
            }
            let mut plays = self.plays.lock().expect("no panic here");
            let play = plays.pop_front().unwrap_or_default();
            let is_last = plays.is_empty() || !self.keeps.load(Ordering::Relaxed);
            drop(plays);
            stream.write_all(&play)?;
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Makes the call that `operation` chooses, reads its result to its end, and frees it.
///
/// # Safety
/// `client` and `options` must be as the header says.
unsafe fn call(operation: u8, client: *const av_client, options: &av_request_options) {
    let mut error = null_mut();
    let token = c"to?ken".as_ptr();
    // SAFETY: by the promise above; results are freed after their last use.
    unsafe {
        match operation % 8 {
            0 | 1 => {
                let mut page = null_mut();
                let status = in_time(|| av_tokens_list(client, null(), options, &mut page, &mut error));
                finish(status, error);
                if let Some(page) = page.as_ref() {
                    for index in 0..page.count {
                        read_token(*page.items.add(index));
                    }
                }
                av_token_page_free(page);
            }
            2 | 3 => {
                let mut token_made = null_mut();
                let status = match operation % 2 {
                    0 => in_time(|| av_tokens_create(client, 60, options, &mut token_made, &mut error)),
                    _ => in_time(|| av_tokens_get(client, token, options, &mut token_made, &mut error)),
                };
                finish(status, error);
                assert_eq!(token_made.is_null(), status != AV_STATUS_OK);
                if !token_made.is_null() {
                    read_token(token_made);
                }
                av_token_free(token_made);
            }
            4 => finish(in_time(|| av_tokens_delete(client, token, options, &mut error)), error),
            5 | 6 => {
                let mut json = null_mut();
                let status = match operation % 2 {
                    0 => in_time(|| av_tokens_get_json(client, token, options, &mut json, &mut error)),
                    _ => in_time(|| av_tokens_create_json(client, null(), options, &mut json, &mut error)),
                };
                finish(status, error);
                assert_eq!(text(json).is_some(), status == AV_STATUS_OK);
                av_string_free(json);
            }
            _ => {
                let mut iter = null_mut();
                finish(av_tokens_iterate(client, null(), &mut iter, &mut error), error);
                for _ in 0..100 {
                    let mut token = null();
                    let status = in_time(|| av_token_iter_next(iter, options, &mut token, &mut error));
                    finish(status, error);
                    if token.is_null() {
                        break;
                    }
                    read_token(token);
                }
                av_token_iter_free(iter);
            }
        }
    }
}

/// Makes one call, which must end by its deadline. (Of an iterator, each step is one.)
fn in_time<T>(call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = call();
    assert!(begun.elapsed() < Duration::from_millis(TIMEOUT_MS.into()) + SLACK);
    result
}

/// # Safety
/// `token` must be one that the library handed out.
unsafe fn read_token(token: *const av_token) {
    // SAFETY: by the promise above.
    let (token, value) = unsafe { (&*token, text((*token).token)) };
    assert!(value.is_some_and(|value| !value.is_empty()) && token.ttl_seconds >= -1);
    assert!(token.reserved == [0; 4] && token.reserved_pointer.is_null() && token.reserved32 == 0);
}

// Two bytes choose the operations of two calls, one how they go about it; the rest is played.
fuzz_target!(|data: &[u8]| {
    let [first, second, manner, rest @ ..] = data else { return };
    let peer = peer();
    let mut plays = VecDeque::new();
    let mut rest = rest;
    while let Some(end) = rest.windows(NEXT.len()).position(|window| window == NEXT) {
        plays.push_back(rest[..end].to_vec());
        rest = &rest[end + NEXT.len()..];
    }
    plays.push_back(rest.to_vec());
    *peer.plays.lock().expect("no panic there") = plays;
    peer.keeps.store(manner % 4 != 0, Ordering::Relaxed);

    // SAFETY: zero is the default of every member; what is set lives until the calls have returned.
    unsafe {
        let mut config: av_client_config = std::mem::zeroed();
        config.struct_size = size_of::<av_client_config>();
        config.api_key = c"a-secret-key".as_ptr();
        config.base_url = peer.url.as_ptr();
        config.proxy_url = c"".as_ptr();
        config.timeout_ms = TIMEOUT_MS;
        // Another attempt takes a wait of up to 200 ms: rarely.
        config.max_attempts = if *manner == 255 { 2 } else { 1 };
        let (mut client, mut error) = (null_mut(), null_mut());
        finish(av_client_new(&config, &mut client, &mut error), error);
        let response = av_response_new();
        let mut options: av_request_options = std::mem::zeroed();
        options.struct_size = size_of::<av_request_options>();
        options.response = response;
        for operation in [*first, *second] {
            call(operation, client, &options);
            for name in [c"date", c"location", c"x", c""] {
                let value = av_response_header(response, name.as_ptr());
                // Bytes that need not be UTF-8, but end.
                assert!(value.is_null() || std::ffi::CStr::from_ptr(value).count_bytes() < 65536);
            }
            let (mut limit, mut left, mut reset) = (0, 0, 0);
            av_response_rate_limit(response, &mut limit, &mut left, &mut reset);
            assert!(limit >= -1 && left >= -1 && reset >= -1);
        }
        av_response_free(response);
        av_client_free(client);
    }
});
