//! Whether a failed attempt is followed by another, and how long to wait before it: the one table.

use crate::call::jitter;
use crate::call::operation::Repeat;
use std::time::Duration;

/// How an attempt failed, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Name, connection, proxy or the way to TLS failed: nothing of the request was sent.
    NotSent,
    /// A pooled connection turned out to be dead before anything was written on it.
    StaleUnwritten,
    /// A pooled connection turned out to be dead before any byte of the answer.
    Stale,
    /// The connection broke later, or the attempt's time ran out.
    Broke,
    /// The service answered with this status.
    Answered(u16),
    /// What would be the same the next time: a certificate or an argument refused, a proxy that
    /// refuses, an answer that cannot be decoded, a source that fails, a cancelled call.
    Lasting,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    GiveUp,
    /// Another attempt at once on a fresh connection, which does not count.
    Reconnect,
    /// Another attempt after a wait.
    Retry,
    /// Another attempt after a wait, which does not count: only the deadline bounds these.
    WaitForRateLimit,
}

/// The table.
pub(crate) fn next(trouble: Trouble, repeat: Repeat) -> Next {
    match (trouble, repeat) {
        (Trouble::Lasting, _) => Next::GiveUp,
        (Trouble::NotSent, _) => Next::Retry,
        (Trouble::StaleUnwritten, _) | (Trouble::Stale, Repeat::Always) => Next::Reconnect,
        // A 429 was not applied.
        (Trouble::Answered(429), _) => Next::WaitForRateLimit,
        (Trouble::Answered(501 | 505), _) => Next::GiveUp,
        (Trouble::Broke | Trouble::Answered(408 | 500..=599), Repeat::Always) => Next::Retry,
        // What may have been applied is not repeated, even if a 503 says when: gateways say so too.
        (Trouble::Stale | Trouble::Broke | Trouble::Answered(_), _) => Next::GiveUp,
    }
}

/// The first back-off is up to this, and each further one up to twice as much.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// The longest back-off.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// How long to wait after `failures` failed attempts: anything up to an exponentially growing limit
/// ("full jitter"), so that clients that failed together do not come back together; or as long as
/// the service asks, if that is longer.
pub(crate) fn wait(failures: u32, asked: Option<Duration>) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let limit = (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF);
    limit.mul_f64(jitter::fraction()).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;

    #[test]
    fn the_table_is_that_of_the_design() {
        use Next::*;
        use Trouble::*;
        // (trouble, what may always be repeated, what only if it was not applied)
        let rows = [
            (NotSent, Retry, Retry),
            (Lasting, GiveUp, GiveUp),
            (StaleUnwritten, Reconnect, Reconnect),
            (Stale, Reconnect, GiveUp),
            (Broke, Retry, GiveUp),
            (Answered(408), Retry, GiveUp),
            (Answered(429), WaitForRateLimit, WaitForRateLimit),
            (Answered(500), Retry, GiveUp),
            (Answered(501), GiveUp, GiveUp),
            (Answered(503), Retry, GiveUp),
            (Answered(505), GiveUp, GiveUp),
            (Answered(599), Retry, GiveUp),
            (Answered(400), GiveUp, GiveUp),
            (Answered(401), GiveUp, GiveUp),
            (Answered(404), GiveUp, GiveUp),
            (Answered(302), GiveUp, GiveUp),
        ];
        for (trouble, always, if_not_applied) in rows {
            assert_eq!(next(trouble, Repeat::Always), always, "{trouble:?}");
            assert_eq!(next(trouble, Repeat::IfNotApplied), if_not_applied, "{trouble:?}");
        }
    }

    #[test]
    fn a_status_is_followed_by_another_attempt_if_its_failure_is_temporary() {
        for status in 100..=999 {
            let is_final = next(Trouble::Answered(status), Repeat::Always) == Next::GiveUp;
            assert_ne!(is_final, Failure::Http(status).is_temporary(), "{status}");
        }
    }

    #[test]
    fn a_back_off_grows_to_its_limit_and_never_beyond() {
        let longest = |failures| (0..1000).map(|_| wait(failures, None)).max().unwrap_or_default();
        for (failures, limit) in [(1, 200), (2, 400), (3, 800), (7, 10_000), (u32::MAX, 10_000)] {
            let limit = Duration::from_millis(limit);
            let longest = longest(failures);
            // Of a thousand, one lies in the upper half but for a chance of 1 in 2^1000.
            assert!(longest <= limit && longest > limit / 2, "{failures}: {longest:?}");
        }
    }

    #[test]
    fn what_the_service_asks_for_counts_if_it_is_longer() {
        let asked = Duration::from_secs(60);
        assert_eq!(wait(1, Some(asked)), asked);
        assert!(wait(1, Some(Duration::ZERO)) <= Duration::from_millis(200));
    }
}
