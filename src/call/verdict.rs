//! What the end of an attempt means: an answer that is a success, or a verdict on what came instead, with
//! the kind of failure, what is known of the outcome, and what the table of retries goes by.

use crate::answer::problem::{self, Problem};
use crate::answer::{self, Answer, json};
use crate::call::request::Request;
use crate::call::retry::Trouble;
use crate::call::retry_after;
use crate::client::Client;
use crate::error::{Failure, Outcome, Reply};
use crate::limits::{LARGEST_BODY, LARGEST_KEPT_BODY};
use crate::transport::Fault;
use crate::transport::http::{Attempt, Exchange, Sent};
use std::time::Duration;
use ureq::http::HeaderValue;
use ureq::http::header::{CONTENT_ENCODING, LOCATION};

/// What a failed attempt, or the end of the wait for one, means.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub failure: Failure,
    pub trouble: Trouble,
    pub outcome: Outcome,
    /// What failed, with no secret in it.
    pub what: String,
    /// How long the service, or the gate, asks to wait.
    pub retry_after: Option<Duration>,
    pub reply: Option<Box<Reply>>,
    /// How far its source had come, if it had one.
    pub sent: Sent,
}

impl Verdict {
    /// The call ended before an attempt was made.
    #[cold]
    pub fn before_attempt(failure: Failure, what: &str, retry_after: Option<Duration>) -> Self {
        Verdict {
            failure,
            trouble: Trouble::NotSent,
            outcome: Outcome::NotApplied,
            what: what.into(),
            retry_after,
            reply: None,
            sent: Sent::default(),
        }
    }

    /// The attempt broke off, after `reply` if a head had come.
    #[cold]
    pub fn on_fault(fault: Fault, attempt: &Attempt, reply: Option<Box<Reply>>) -> Self {
        let (failure, trouble) = match &fault {
            Fault::Cancelled => (Failure::Cancelled, Trouble::Lasting),
            Fault::TlsRefused(_) => (Failure::Tls, Trouble::Lasting),
            Fault::Unreadable(_) => (Failure::Decode, Trouble::Lasting),
            Fault::Source(_) => (Failure::Source, Trouble::Lasting),
            Fault::NotConnected(_) => (Failure::Connect, Trouble::NotSent),
            Fault::ProxyRefused(_) => (Failure::Connect, Trouble::Lasting),
            Fault::TimedOut if attempt.phase().is_before_request() => {
                (Failure::Timeout, Trouble::NotSent)
            }
            Fault::TimedOut => (Failure::Timeout, Trouble::Broke),
            Fault::Stalled => (Failure::Stalled, Trouble::Broke),
            Fault::Broken(_) | Fault::Failed(_) if reply.is_some() => {
                (Failure::Transport, Trouble::Broke)
            }
            Fault::Broken(_) | Fault::Failed(_) => (Failure::Transport, trouble_of_broken(attempt)),
        };
        let outcome = match &fault {
            // A server that wants another handshake has not looked at the request, even if that was
            // sent with the last of the handshake.
            Fault::TlsRefused(_) => Outcome::NotApplied,
            _ if attempt.may_be_applied() => Outcome::Unknown,
            _ => Outcome::NotApplied,
        };
        let doing = attempt.phase().describe();
        let what = match fault {
            Fault::TimedOut | Fault::Cancelled | Fault::Stalled => {
                format!("{fault} while {doing}")
            }
            Fault::Broken(error) => format!("the connection broke while {doing}: {error}"),
            fault => fault.to_string(),
        };
        let sent = attempt.sent();
        Verdict { failure, trouble, outcome, what, retry_after: None, reply, sent }
    }

    /// A success cannot be used, since `why`.
    #[cold]
    pub fn on_undecodable(answer: &Answer<'_>, why: &str) -> Self {
        Verdict {
            failure: Failure::Decode,
            trouble: Trouble::Lasting,
            outcome: answer.request.operation().shown_by(&answer.body),
            what: format!("the answer (status {}) cannot be used: {why}", answer.status.as_u16()),
            retry_after: None,
            reply: Some(Reply::new(answer.status, Problem::default(), &answer.body)),
            sent: answer.sent,
        }
    }

    /// Whether the service says that there is no such thing, and not somebody on the way.
    pub fn says_it_is_gone(&self) -> bool {
        self.failure == Failure::Http(404)
            && self.reply.as_ref().is_some_and(|reply| reply.problem.is_of_the_service(404))
    }

    /// The wait that followed was cancelled: what the service had said is kept.
    #[cold]
    pub fn cancelled_waiting(self) -> Self {
        Verdict {
            failure: Failure::Cancelled,
            what: format!("cancelled before it was tried again after: {}", self.what),
            ..self
        }
    }
}

/// What a broken connection is to the table of retries.
fn trouble_of_broken(attempt: &Attempt) -> Trouble {
    let is_pooled = attempt.is_on_pooled_connection();
    match (is_pooled, attempt.request_begun(), attempt.answer_begun()) {
        (true, false, _) => Trouble::StaleUnwritten,
        (true, true, false) => Trouble::Stale,
        (false, false, _) => Trouble::NotSent,
        _ => Trouble::Broke,
    }
}

/// Reads and judges what is answered to an attempt.
pub(crate) struct Judge<'c, 'r> {
    pub client: &'c Client,
    pub request: &'r Request<'r>,
    pub attempt: &'c Attempt,
    /// Which of the call's attempts it is.
    pub number: u32,
}

impl<'r> Judge<'_, 'r> {
    /// What an answer says, once its head has come: the head beats the body.
    pub fn judge(&self, exchange: &mut Exchange) -> Result<Answer<'r>, Verdict> {
        let status = exchange.status().as_u16();
        let (failure, outcome) = match status {
            200..=299 => return self.read_success(exchange),
            // The service has refused, and says so itself. A 408 comes from whoever waited for the
            // request, and may come too late.
            408 => (Failure::Http(status), Outcome::Unknown),
            400..=499 => (Failure::Http(status), Outcome::NotApplied),
            500..=599 => (Failure::Http(status), Outcome::Unknown),
            _ => (Failure::Decode, Outcome::Unknown),
        };
        Err(self.read_refusal(exchange, failure, outcome))
    }

    fn read_success(&self, exchange: &mut Exchange) -> Result<Answer<'r>, Verdict> {
        let status = exchange.status();
        let (body, fault) = exchange.read_body(LARGEST_BODY, self.attempt);
        let too_large = (body.len() > LARGEST_BODY)
            .then(|| Fault::Unreadable(format!("the answer is larger than {LARGEST_BODY} bytes")));
        let Some(fault) = too_large.or(fault) else {
            // What begins as an object is not encoded, whatever is said of it.
            let is_plain = json::begins_object(&body);
            let encoding = if is_plain { None } else { self.encoding(exchange) };
            let (request, attempts) = (self.request, self.number);
            let sent = self.attempt.sent();
            return Ok(Answer { request, status, attempts, body, encoding, sent });
        };
        let outcome = self.request.operation().shown_by(&body);
        let reply = Some(Reply::new(status, Problem::default(), &body));
        Err(Verdict { outcome, ..Verdict::on_fault(fault, self.attempt, reply) })
    }

    /// Reads what the service says about a refusal, as far as it comes.
    #[cold]
    fn read_refusal(&self, exchange: &mut Exchange, failure: Failure, outcome: Outcome) -> Verdict {
        let (body, _) = exchange.read_body(LARGEST_KEPT_BODY, self.attempt);
        let problem = Problem::parse(&body[..body.len().min(LARGEST_KEPT_BODY)]);
        let status = exchange.status();
        let name = status.canonical_reason().unwrap_or("(no name)");
        // What the service says may repeat a secret.
        let target = exchange.headers().get(LOCATION).filter(|it| !it.is_empty());
        let what = match (status.as_u16(), target, problem.summary(|text| self.hide(text))) {
            (code @ (300..=303 | 305..=399), Some(target), _) => {
                let target = self.shown(target);
                format!("redirected (status {code}) to {target}, which is not followed")
            }
            (code, ..) if failure == Failure::Decode => {
                format!("answered with status {code}, which means nothing here")
            }
            (code, _, Some(summary)) => format!("{code} {name}: {summary}"),
            (code, _, None) => match self.encoding(exchange) {
                Some(encoding) => {
                    format!("{code} {name}; of its body: {}", answer::encoded(&encoding))
                }
                None => format!("{code} {name}"),
            },
        };
        Verdict {
            failure,
            trouble: Trouble::Answered(status.as_u16()),
            outcome,
            what,
            retry_after: retry_after::told(status.as_u16(), exchange.headers()),
            reply: Some(Reply::new(status, problem, &body)),
            sent: self.attempt.sent(),
        }
    }

    /// How an answer's body is encoded, though nobody asked for that.
    fn encoding(&self, exchange: &Exchange) -> Option<String> {
        let encoding = exchange.headers().get(CONTENT_ENCODING)?;
        let is_none = encoding.as_bytes().eq_ignore_ascii_case(b"identity");
        (!is_none).then(|| self.shown(encoding))
    }

    /// A text of the service's without the secrets that it may repeat.
    fn hide(&self, text: String) -> String {
        self.request.hide_in(self.client.hide_in(text))
    }

    /// A header's value as a message shows it.
    fn shown(&self, value: &HeaderValue) -> String {
        problem::shorten(&self.hide(String::from_utf8_lossy(value.as_bytes()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Tracer;
    use crate::transport::http::{Delivery, Phase, Reuse};
    use crate::wait::Wait;
    use crate::wait::deadline::Deadline;
    use std::time::Instant;

    /// An attempt on a connection from the pool or a new one that has come so far.
    fn attempt(is_pooled: bool, has_written: bool, has_received: bool) -> Attempt {
        let wait = Wait::new(Deadline::NEVER, None);
        let attempt = Attempt::new(Instant::now(), wait, None, Reuse::Any, Tracer::off());
        if !is_pooled {
            attempt.enter(Phase::Connect);
        }
        attempt.enter(Phase::Send);
        if has_written {
            attempt.begin_request();
        }
        if has_received {
            attempt.received();
        }
        attempt
    }

    #[test]
    fn what_a_broken_connection_means_depends_on_how_far_it_had_come() {
        let trouble = |is_pooled, has_written, has_received| {
            trouble_of_broken(&attempt(is_pooled, has_written, has_received))
        };
        assert_eq!(trouble(true, false, false), Trouble::StaleUnwritten);
        assert_eq!(trouble(true, true, false), Trouble::Stale);
        assert_eq!(trouble(true, true, true), Trouble::Broke);
        assert_eq!(trouble(false, false, false), Trouble::NotSent);
        assert_eq!(trouble(false, true, false), Trouble::Broke);
    }

    #[test]
    fn a_fault_leaves_the_outcome_open_once_anything_of_the_request_is_sent() {
        let outcome = |fault: fn() -> Fault, has_written| {
            Verdict::on_fault(fault(), &attempt(false, has_written, false), None).outcome
        };
        let faults: [fn() -> Fault; 4] = [
            || Fault::TimedOut,
            || Fault::Cancelled,
            || Fault::Failed("broken".into()),
            || Fault::Source("it ended early".into()),
        ];
        for fault in faults {
            assert_eq!(outcome(fault, false), Outcome::NotApplied, "{:?}", fault());
            assert_eq!(outcome(fault, true), Outcome::Unknown, "{:?}", fault());
        }
        assert_eq!(outcome(|| Fault::TlsRefused("no".into()), true), Outcome::NotApplied);
    }

    #[test]
    fn a_fault_leaves_no_doubt_while_some_of_a_source_is_still_to_be_sent() {
        let attempt = attempt(false, true, false).sending(1, Delivery::default());
        let verdict = Verdict::on_fault(Fault::Stalled, &attempt, None);
        assert_eq!((verdict.failure, verdict.trouble), (Failure::Stalled, Trouble::Broke));
        assert_eq!(verdict.outcome, Outcome::NotApplied);
        attempt.transfer().expect("a source").finish();
        let verdict = Verdict::on_fault(Fault::Stalled, &attempt, None);
        assert_eq!((verdict.outcome, verdict.sent.is_whole), (Outcome::Unknown, true));
    }

    #[test]
    fn a_source_that_fails_is_no_broken_connection_and_not_tried_again() {
        let fault = Fault::Source("the source ended after 1 of its 2 bytes".into());
        let verdict = Verdict::on_fault(fault, &attempt(true, true, false), None);
        assert_eq!((verdict.failure, verdict.trouble), (Failure::Source, Trouble::Lasting));
        assert_eq!(verdict.what, "the source ended after 1 of its 2 bytes");
    }

    #[test]
    fn a_cancelled_wait_keeps_what_had_been_said() {
        let before = Verdict::before_attempt(Failure::Timeout, "timed out", None);
        let verdict = before.cancelled_waiting();
        assert_eq!(verdict.failure, Failure::Cancelled);
        assert_eq!(verdict.what, "cancelled before it was tried again after: timed out");
    }
}
