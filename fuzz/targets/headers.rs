//! What the head of an answer tells besides its status: waits and the rate limit.
#![no_main]

use apivideo::fuzzing;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

const NAMES: [&str; 6] = [
    "retry-after",
    "date",
    "x-ratelimit-retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-other",
];
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A byte for the status, then lines: a byte for the name, and the value.
fn read(data: &[u8]) -> Option<(u16, HeaderMap)> {
    let (status, lines) = data.split_first()?;
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((name, value)) = line.split_first() else { continue };
        let name = HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    Some((if status % 2 == 0 { 429 } else { 503 }, headers))
}

/// A header that is a number of seconds, perhaps with a sign or a fraction.
fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    let value = value.strip_prefix('+').unwrap_or(value);
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let is_number = [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let digits = whole.trim_start_matches('0');
    let number = if digits.len() > 10 { u64::MAX / 2 } else { digits.parse().unwrap_or(0) };
    let is_more = fraction.bytes().any(|byte| byte != b'0');
    is_number.then(|| Duration::from_secs(number + u64::from(is_more)).min(YEAR))
}

fuzz_target!(|data: &[u8]| {
    let Some((status, headers)) = read(data) else { return };
    let told = fuzzing::retry_after(status, &headers);
    assert!(told.is_none_or(|told| told <= YEAR));
    let own = if status == 429 { seconds(&headers, "x-ratelimit-retry-after") } else { None };
    match seconds(&headers, "retry-after") {
        Some(standard) => assert_eq!(told, own.max(Some(standard))),
        None => assert!(told >= own),
    }
    let [_, _, reset_seconds] = fuzzing::rate_limit(&headers);
    if let (Some(own), Some(reset)) = (own, reset_seconds)
        && own < YEAR
        && headers.get_all("x-ratelimit-retry-after").iter().count() == 1
    {
        assert_eq!(own.as_secs(), reset);
    }
});
