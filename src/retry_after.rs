//! How long the service asks to wait before the next try.

use std::time::{Duration, SystemTime};
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
    let value = headers.get(name)?.to_str().ok()?.trim();
    // Only digits: no sign, which the standard does not know.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = Duration::from_secs(value.parse().unwrap_or(u64::MAX));
    Some(seconds.min(LONGEST))
}

/// `Retry-After` as a date, against the answer's own `Date`: the clocks here and there may differ.
fn until_date(headers: &HeaderMap) -> Option<Duration> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    let until = date("retry-after")?;
    let now = date("date").unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default().min(LONGEST))
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
        for value in ["", "-1", "+1", "soon", "1.5", "1 s"] {
            assert_eq!(wait(503, &[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(
            wait(503, &[("retry-after", "99999999999999999999999")]),
            Some(365 * 24 * 60 * 60)
        );
    }
}
