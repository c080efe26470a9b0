//! How long the service asks to wait before the next try.

use crate::answer::date;
use crate::answer::header_number::HeaderNumber;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::http::HeaderMap;

/// What is longer is no time to wait: a year, which leaves room to add to.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The wait that an answer with this status asks for: `Retry-After` in seconds or
/// as a date (RFC 9110, 10.2.3), or on a 429 the service's own `X-RateLimit-Retry-After` in seconds,
/// whichever is longer.
pub(crate) fn told(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let own = if status == 429 { seconds(headers, "x-ratelimit-retry-after") } else { None };
    let standard = seconds(headers, "retry-after").or_else(|| until_date(headers));
    own.max(standard)
}

/// A header that is a number of seconds.
fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let seconds = HeaderNumber::of(headers.get(name)?)?.rounded_up();
    Some(seconds.map_or(LONGEST, Duration::from_secs).min(LONGEST))
}

/// `Retry-After` as a date, against the answer's own `Date`: the clocks here and there may differ.
fn until_date(headers: &HeaderMap) -> Option<Duration> {
    let until = unix_seconds(headers, "retry-after")?;
    let now = unix_seconds(headers, "date").unwrap_or_else(|| since_epoch(SystemTime::now()));
    let seconds = u64::try_from(until.saturating_sub(now)).unwrap_or(0);
    Some(Duration::from_secs(seconds).min(LONGEST))
}

/// A header that is a date as HTTP writes it, or else as the service's own are written.
fn unix_seconds(headers: &HeaderMap, name: &str) -> Option<i64> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    let date = httpdate::parse_http_date(value).map(since_epoch);
    date.ok().or_else(|| date::unix_seconds(value))
}

/// A time in Unix seconds; what lies before them is 0, and no time to wait for.
fn since_epoch(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::{HeaderName, HeaderValue};

    fn wait(status: u16, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        told(status, &headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(wait(503, &[("retry-after", "7")]), Some(7));
        let date = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");
        assert_eq!(wait(503, &[date, ("retry-after", "Mon, 23 Nov 2026 10:01:30 GMT")]), Some(90));
        assert_eq!(wait(503, &[date, ("retry-after", "Mon, 23 Nov 2026 09:00:00 GMT")]), Some(0));
    }

    #[test]
    fn what_is_odd_but_plain_is_understood_too() {
        for (value, seconds) in [("1.5", 2), ("+5", 5), (" 7 ", 7), ("0.0", 0)] {
            assert_eq!(wait(503, &[("retry-after", value)]), Some(seconds), "{value}");
            assert_eq!(wait(429, &[("x-ratelimit-retry-after", value)]), Some(seconds), "{value}");
        }
        let date = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");
        for value in
            ["2026-11-23T10:01:30Z", "2026-11-23T11:01:30+01:00", "2026-11-23 10:01:30.5 +0000"]
        {
            assert_eq!(wait(503, &[date, ("retry-after", value)]), Some(90), "{value}");
        }
        assert_eq!(wait(503, &[date, ("retry-after", "1969-12-31T00:00:00Z")]), Some(0));
    }

    #[test]
    fn the_services_own_header_counts_on_a_429_alone() {
        assert_eq!(wait(429, &[("x-ratelimit-retry-after", "12")]), Some(12));
        assert_eq!(wait(503, &[("x-ratelimit-retry-after", "12")]), None);
    }

    #[test]
    fn the_longer_of_two_waits_counts() {
        let headers = [("x-ratelimit-retry-after", "3"), ("retry-after", "5")];
        assert_eq!(wait(429, &headers), Some(5));
    }

    #[test]
    fn nonsense_is_not_told() {
        for value in ["", "-1", "soon", "1 s", "2026-11-23", "2026-11-23T10:01:30"] {
            assert_eq!(wait(503, &[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(
            wait(503, &[("retry-after", "99999999999999999999999")]),
            Some(365 * 24 * 60 * 60)
        );
    }
}
