//! What a call tells of itself: the error that a verdict becomes for the caller, and the lines of the trace.

use crate::call::operation::Repeat;
use crate::call::request::Request;
use crate::call::retry::Trouble;
use crate::call::verdict::Verdict;
use crate::error::{Error, Failure, Outcome, in_one_line};
use crate::trace::{Level, Tracer};
use crate::transport::http::Attempt;
use std::fmt;
use std::time::Duration;

/// The error that `verdict` makes of a call with `request` after so many attempts.
#[cold]
pub(crate) fn error(request: &Request<'_>, attempts: u32, verdict: Verdict) -> Error {
    let Verdict { failure, trouble, outcome, what, retry_after, reply, sent } = verdict;
    let operation = request.operation();
    let outcome = operation.outcome(outcome);
    let mut message = format!("{}: {what}", request.describe());
    let advice = advice(failure, retry_after, operation.sends_credential);
    for more in [operation.consequence(outcome), advice.as_deref()].into_iter().flatten() {
        message += "; ";
        message += more;
    }
    let does_no_harm = operation.repeat == Repeat::Always || outcome == Outcome::NotApplied;
    Error {
        failure,
        outcome,
        attempts,
        message: in_one_line(&message),
        is_retryable: failure.is_temporary() && trouble != Trouble::Lasting && does_no_harm,
        retry_after,
        reply,
        unfinished: None,
        sent,
    }
}

/// What to do about a failure, where that is not plain.
fn advice(failure: Failure, wait: Option<Duration>, sends_credential: bool) -> Option<String> {
    match failure {
        Failure::Http(401) if sends_credential => {
            return Some(
                "check the credential, and that it belongs to this environment: production and \
                 sandbox have keys of their own"
                    .into(),
            );
        }
        Failure::Http(401) => {
            return Some(
                "check the token: it may have ended or been deleted, or belong to the other \
                 environment"
                    .into(),
            );
        }
        _ => {}
    }
    let wait = wait?;
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Some(format!("the service asks to wait {seconds} s"))
}

/// Tells the trace of the attempts at a request.
#[derive(Clone, Copy)]
pub(crate) struct Report<'c> {
    pub tracer: &'c Tracer,
    pub request: &'c Request<'c>,
}

impl Report<'_> {
    /// The attempt with this number got an answer that ends the call well.
    pub fn success(&self, attempt: &Attempt, number: u32, status: u16, size: usize, why: &str) {
        let introduction = if why.is_empty() { "" } else { ": " };
        let why = format_args!("{introduction}{why}");
        self.attempt(Level::Info, attempt, number, (status, size), why);
    }

    /// The attempt with this number failed, and `next` follows.
    #[cold]
    pub fn failure(
        &self,
        attempt: &Attempt,
        number: u32,
        verdict: &Verdict,
        next: fmt::Arguments<'_>,
    ) {
        let answered = verdict.reply.as_ref().map_or((0, 0), |it| (it.status, it.body.len()));
        let why = format_args!(": {}{next}", verdict.what);
        self.attempt(Level::Error, attempt, number, answered, why);
    }

    /// The call waits for the rate limit before its next attempt.
    #[cold]
    pub fn wait_for_rate_limit(&self, wait: Duration) {
        self.tracer.write(Level::Info, || {
            let request = self.request.describe();
            format!("{request}: waits {} ms for the rate limit", wait.as_millis())
        });
    }

    fn attempt(
        &self,
        level: Level,
        attempt: &Attempt,
        number: u32,
        (status, size): (u16, usize),
        why: fmt::Arguments<'_>,
    ) {
        self.tracer.write(level, || {
            let request = self.request.describe();
            let connection = if attempt.is_on_pooled_connection() { "reused" } else { "new" };
            // In tenths: what writes fractions down is not in the library otherwise.
            let tenths = attempt.elapsed().as_micros() / 100;
            let (whole, tenth) = (tenths / 10, tenths % 10);
            format!(
                "{request}: attempt {number}: status {status}, {size} bytes, {whole}.{tenth} ms, \
                 {connection} connection{why}"
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::operation::examples::{MAKE, READ, REPLACE};

    fn verdict(failure: Failure, outcome: Outcome) -> Verdict {
        Verdict { outcome, ..Verdict::before_attempt(failure, "it failed", None) }
    }

    fn message(verdict: Verdict) -> String {
        error(&Request::new(&MAKE), 1, verdict).to_string()
    }

    #[test]
    fn a_message_says_what_was_asked_what_failed_and_what_that_means() {
        assert_eq!(
            message(verdict(Failure::Transport, Outcome::Unknown)),
            "POST /things: it failed; it may have been done"
        );
        let read = Request::new(&READ);
        let error = error(&read, 1, verdict(Failure::Transport, Outcome::Unknown));
        assert_eq!(error.to_string(), "GET /things: it failed");
    }

    #[test]
    fn a_message_ends_with_advice_where_there_is_some() {
        let asked = Some(Duration::from_millis(1001));
        let wait =
            Verdict { retry_after: asked, ..verdict(Failure::Http(503), Outcome::NotApplied) };
        let said = message(wait);
        assert!(said.ends_with("; nothing was done; the service asks to wait 2 s"), "{said}");
        let said = message(verdict(Failure::Http(401), Outcome::NotApplied));
        assert!(said.contains("; check the credential"), "{said}");
        let verdict = verdict(Failure::Http(401), Outcome::NotApplied);
        let said = error(&Request::new(&REPLACE), 1, verdict).to_string();
        assert!(said.contains("; check the token"), "{said}");
    }

    #[test]
    fn what_does_harm_when_repeated_is_not_called_retryable() {
        let is_retryable = |operation, failure, outcome| {
            error(&Request::new(operation), 1, verdict(failure, outcome)).is_retryable()
        };
        let broken = Failure::Transport;
        assert!(is_retryable(&REPLACE, broken, Outcome::Unknown));
        assert!(is_retryable(&MAKE, broken, Outcome::NotApplied));
        assert!(!is_retryable(&MAKE, broken, Outcome::Unknown));
        assert!(!is_retryable(&REPLACE, Failure::Source, Outcome::NotApplied));
        let lasting = verdict(broken, Outcome::NotApplied);
        let lasting = Verdict { trouble: Trouble::Lasting, ..lasting };
        assert!(!error(&Request::new(&READ), 1, lasting).is_retryable());
    }
}
