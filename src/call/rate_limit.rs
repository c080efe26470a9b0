//! What an answer's headers tell about the service's rate limit.

use crate::answer::header_number::HeaderNumber;
use ureq::http::HeaderMap;

/// What an answer tells about the rate limit (source: the service's reference, "Rate limiting").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// Requests in a window.
    pub limit: Option<u64>,
    /// Requests left in this window.
    pub remaining: Option<u64>,
    /// Seconds until the next window.
    pub reset_seconds: Option<u64>,
}

impl RateLimit {
    /// What the headers of an answer tell.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut told = RateLimit::default();
        for (name, value) in headers {
            let Some(name) = name.as_str().strip_prefix("x-ratelimit-") else { continue };
            let number = || HeaderNumber::of(value);
            let down = || number().and_then(HeaderNumber::rounded_down);
            let up = || number().and_then(HeaderNumber::rounded_up);
            match name {
                "limit" => told.limit = told.limit.or_else(down),
                "remaining" => told.remaining = told.remaining.or_else(down),
                "retry-after" => told.reset_seconds = told.reset_seconds.or_else(up),
                _ => {}
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_family_that_are_not_known_are_passed_over() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit", "60"),
            ("x-ratelimit-policy", "sliding"),
            ("x-ratelimit-remaining", " 7 "),
            ("x-ratelimit-retry-after", "soon"),
        ] {
            headers.insert(name, value.parse().expect("a header's value"));
        }
        let expected = RateLimit { limit: Some(60), remaining: Some(7), reset_seconds: None };
        assert_eq!(RateLimit::of(&headers), expected);
    }
}
