//! So many requests in each window of time, reads and writes counted apart, as api.video does; and
//! the three headers that tell every client where it stands.

use std::str::FromStr;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::HeaderMap;

#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    requests: u32,
    window: Duration,
}

impl RateLimit {
    /// For when none is asked for: the headers are there, but nobody gets that far.
    pub const OUT_OF_REACH: Self =
        Self { requests: 1_000_000_000, window: Duration::from_secs(60) };
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (requests, seconds) = text.split_once('/').unwrap_or((text, "60"));
        let requests = requests.parse().map_err(|error| format!("N: {error}"))?;
        let seconds: u32 = seconds.parse().map_err(|error| format!("SECONDS: {error}"))?;
        if seconds == 0 {
            return Err("SECONDS: must be at least 1".to_owned());
        }
        Ok(Self { requests, window: Duration::from_secs(seconds.into()) })
    }
}

pub struct RateLimiter {
    limit: RateLimit,
    reads: Window,
    writes: Window,
}

/// It opens with the first request after the one before has closed.
struct Window {
    opened: Instant,
    used: u32,
}

impl RateLimiter {
    pub fn new(limit: RateLimit) -> Self {
        let opened = Instant::now();
        Self { limit, reads: Window { opened, used: 0 }, writes: Window { opened, used: 0 } }
    }

    pub fn count(&mut self, method: &Method) -> Allowance {
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let window = if is_read { &mut self.reads } else { &mut self.writes };
        let now = Instant::now();
        if now >= window.opened + self.limit.window {
            *window = Window { opened: now, used: 0 };
        }
        let granted = window.used < self.limit.requests;
        window.used += u32::from(granted);
        Allowance {
            granted,
            limit: self.limit.requests,
            remaining: self.limit.requests - window.used,
            reset: window.opened + self.limit.window - now,
        }
    }
}

pub struct Allowance {
    pub granted: bool,
    limit: u32,
    remaining: u32,
    reset: Duration,
}

impl Allowance {
    pub fn tell(&self, headers: &mut HeaderMap) {
        // Rounded up: who waits as long as told must not come too early.
        let seconds = self.reset.as_secs_f64().ceil() as u64;
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        headers.insert("x-ratelimit-retry-after", seconds.into());
    }
}
