//! What the service answered to a call, kept for a caller that asks for it.

use crate::call::rate_limit::RateLimit;
use crate::error::Error;
use crate::wait::lock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use ureq::http::{HeaderMap, StatusCode};

/// Where the answers to calls are recorded, one call at a time.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    in_use: AtomicBool,
    record: Mutex<Record>,
}

/// What is known of the last attempt of a call.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The HTTP status; 0 without an answer.
    pub status: u16,
    /// How many attempts were made.
    pub attempts: u32,
    /// What the answer tells about the rate limit.
    pub rate_limit: RateLimit,
    headers: HeaderMap,
    /// The same as a caller reads them, made for the first one that asks: names and values, each
    /// followed by a NUL, which neither can hold.
    texts: Vec<u8>,
}

impl Record {
    /// The first value of a header, and the NUL behind it.
    pub fn header(&mut self, name: &str) -> Option<&[u8]> {
        if self.texts.is_empty() {
            for (name, value) in &self.headers {
                for part in [name.as_str().as_bytes(), b"\0", value.as_bytes(), b"\0"] {
                    self.texts.extend_from_slice(part);
                }
            }
        }
        let mut rest = self.texts.as_slice();
        while let Some((this_name, after_name)) = split_after_nul(rest) {
            let (value, after_value) = split_after_nul(after_name)?;
            if this_name[..this_name.len() - 1].eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
            rest = after_value;
        }
        None
    }
}

/// What stands before the first NUL, with it, and what follows.
fn split_after_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(bytes.split_at(end + 1))
}

impl Recorder {
    /// Begins to record a call: what was recorded before is gone.
    pub fn begin(self: &Arc<Self>) -> Result<Recording, Error> {
        if self.in_use.swap(true, Ordering::Acquire) {
            return Err(Error::invalid_argument("options.response is in use by another call"));
        }
        let recording = Recording { recorder: self.clone() };
        recording.change(|record| {
            record.attempts = 0;
            record.clear();
        });
        Ok(recording)
    }

    /// Reads what is recorded.
    pub fn read<R>(&self, read: impl FnOnce(&mut Record) -> R) -> R {
        read(&mut lock(&self.record))
    }
}

impl Record {
    fn clear(&mut self) {
        self.status = 0;
        self.rate_limit = RateLimit::default();
        self.headers = HeaderMap::new();
        self.texts.clear();
    }
}

/// The right to record one call.
#[derive(Debug)]
pub(crate) struct Recording {
    recorder: Arc<Recorder>,
}

impl Recording {
    /// An attempt begins: what is told from now on is told of it.
    pub fn attempt(&self, number: u32) {
        self.change(|record| {
            record.attempts = number;
            record.clear();
        });
    }

    /// The attempt was answered.
    pub fn answer(&self, status: StatusCode, headers: HeaderMap, rate_limit: RateLimit) {
        self.change(|record| {
            record.status = status.as_u16();
            record.rate_limit = rate_limit;
            record.headers = headers;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        change(&mut lock(&self.recorder.record));
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.recorder.in_use.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::{HeaderName, HeaderValue};

    #[test]
    fn the_first_value_of_a_header_is_found_in_any_case() {
        let recorder = Arc::<Recorder>::default();
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-a", "1"), ("x-empty", ""), ("x-a", "2"), ("x-b", "é")] {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        let recording = recorder.begin().expect("not in use");
        recording.answer(StatusCode::OK, headers, RateLimit::default());
        recorder.read(|record| {
            assert_eq!(record.header("X-A"), Some(b"1\0".as_slice()));
            assert_eq!(record.header("x-empty"), Some(b"\0".as_slice()));
            assert_eq!(record.header("x-b"), Some("é\0".as_bytes()));
            assert_eq!(record.header("1"), None);
            assert_eq!(record.header(""), None);
        });
    }

    #[test]
    fn a_recorder_serves_one_call_at_a_time() {
        let recorder = Arc::<Recorder>::default();
        let recording = recorder.begin();
        assert!(recorder.begin().is_err());
        drop(recording);
        assert!(recorder.begin().is_ok());
    }
}
