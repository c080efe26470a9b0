//! So many requests in each window of time, reads, writes and uploads counted apart, as api.video
//! does; and the three headers that tell every client where it stands.

use std::str::FromStr;
use std::time::{Duration, Instant};

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

/// What is counted apart.
#[derive(Clone, Copy)]
pub enum Kind {
    Read,
    Write,
    Upload,
}

pub struct RateLimiter {
    reads: Window,
    writes: Window,
    uploads: Window,
}

/// It opens with the first request after the one before has closed.
struct Window {
    limit: RateLimit,
    opened: Instant,
    used: u32,
}

impl RateLimiter {
    pub fn new(limit: RateLimit, of_uploads: RateLimit) -> Self {
        let opened = Instant::now();
        let window = |limit| Window { limit, opened, used: 0 };
        Self { reads: window(limit), writes: window(limit), uploads: window(of_uploads) }
    }

    pub fn count(&mut self, kind: Kind) -> Allowance {
        match kind {
            Kind::Read => self.reads.count(),
            Kind::Write => self.writes.count(),
            Kind::Upload => self.uploads.count(),
        }
    }
}

impl Window {
    fn count(&mut self) -> Allowance {
        let RateLimit { requests, window } = self.limit;
        let now = Instant::now();
        if now >= self.opened + window {
            self.opened = now;
            self.used = 0;
        }
        let granted = self.used < requests;
        self.used += u32::from(granted);
        Allowance {
            granted,
            limit: requests,
            remaining: requests - self.used,
            reset: self.opened + window - now,
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
