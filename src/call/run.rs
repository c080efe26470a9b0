//! What a call does: attempts at the request, each through the rate limit's gate, until one
//! succeeds, or the table of retries or the deadline ends them; and what its end says of failure
//! and outcome.

use crate::answer::body::Body;
use crate::answer::json;
use crate::answer::problem::{self, Problem};
use crate::answer::recorder::Recording;
use crate::answer::{self, Answer};
use crate::call::gate::{self, Pass, Stopped};
use crate::call::rate_limit::RateLimit;
use crate::call::request::Request;
use crate::call::retry::{self, Next, Trouble};
use crate::call::retry_after;
use crate::client::{Client, Connections};
use crate::error::{CallFacts, Error, Failure, Outcome, Reply};
use crate::trace::Level;
use crate::transport::http::attempt::{Attempt, Reuse};
use crate::transport::{Exchange, Fault, Interruption, pause};
use crate::wait::cancel::Cancel;
use crate::wait::deadline::Deadline;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::HeaderValue;
use ureq::http::header::{CONTENT_ENCODING, LOCATION};

/// The largest body of a success.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// A request that cannot be repeated takes no connection that has been idle for longer: the service
/// may have given it up unnoticed.
const SURELY_OPEN_FOR: Duration = Duration::from_secs(2);

/// What a single call may do otherwise than its client says.
#[derive(Debug, Default)]
pub(crate) struct CallOptions {
    /// How long the whole call may take.
    pub timeout: CallTimeout,
    /// How many attempts it may make.
    pub max_attempts: Option<u32>,
    /// What ends it from another thread.
    pub cancel: Option<Arc<Cancel>>,
    /// Where to record what the service answers.
    pub recording: Option<Recording>,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum CallTimeout {
    /// As the client says.
    #[default]
    Client,
    /// This long, or without limit.
    Own(Option<Duration>),
}

/// Sends `request` to `client`'s service and returns its answer, if that is a success.
pub(crate) fn send<'r>(
    client: &Client,
    request: &'r Request<'r>,
    options: &CallOptions,
) -> Result<Answer<'r>, Error> {
    let timeout = match options.timeout {
        CallTimeout::Client => client.timeout(),
        CallTimeout::Own(timeout) => timeout,
    };
    Call {
        client,
        connections: client.connections(),
        request,
        cancel: options.cancel.clone(),
        recording: options.recording.as_ref(),
        deadline: Deadline::after(timeout),
        max_attempts: options.max_attempts.unwrap_or(client.max_attempts()),
        attempts: 0,
        counted: 0,
        outcome: Outcome::NotApplied,
        reuse: if request.is_repeatable() {
            Reuse::Any
        } else {
            Reuse::UsedWithin(SURELY_OPEN_FOR)
        },
        last: None,
    }
    .run()
}

/// A call in progress.
struct Call<'c, 'r> {
    client: &'c Client,
    connections: &'c Connections,
    request: &'r Request<'r>,
    cancel: Option<Arc<Cancel>>,
    recording: Option<&'c Recording>,
    deadline: Deadline,
    max_attempts: u32,
    /// Attempts made, but for those that a silent reconnection replaced.
    attempts: u32,
    /// Those of them that count against `max_attempts`.
    counted: u32,
    /// The strongest outcome of all attempts.
    outcome: Outcome,
    reuse: Reuse,
    /// How the attempt before ended, once another is to follow.
    last: Option<Ended>,
}

/// How an attempt ended.
enum Ending {
    Success { status: u16, body: Body, encoding: Option<String> },
    Failure(Ended),
}

/// A failed attempt.
struct Ended {
    failure: Failure,
    trouble: Trouble,
    outcome: Outcome,
    /// What failed, with no secret in it.
    what: String,
    retry_after: Option<Duration>,
    reply: Option<Box<Reply>>,
}

impl<'c, 'r> Call<'c, 'r> {
    fn run(mut self) -> Result<Answer<'r>, Error> {
        loop {
            let pass = self.pass_the_gate()?;
            let now = pass.as_ref().map_or_else(Instant::now, Pass::time);
            let attempt = self.begin_attempt(now)?;
            let ended = match self.exchange(&attempt, pass)? {
                Ending::Success { status, body, encoding } => {
                    self.trace_attempt(&attempt, Level::Info, status, &body, "");
                    return Ok(Answer { encoding, ..self.answer(status, body) });
                }
                Ending::Failure(ended) => ended,
            };
            if ended.says_it_is_gone() && self.may_have_deleted_before() {
                self.trace_attempt(
                    &attempt,
                    Level::Info,
                    404,
                    &[],
                    ": deleted by an earlier attempt",
                );
                return Ok(self.answer(404, Body::default()));
            }
            self.outcome = self.outcome.max(ended.outcome);
            self.follow(ended, &attempt)?;
        }
    }

    /// Does what the table of retries says after a failed attempt. An error is the end of the call.
    fn follow(&mut self, ended: Ended, attempt: &Attempt) -> Result<(), Error> {
        let next = retry::next(ended.trouble, self.request.is_repeatable());
        let may_try_again = match next {
            Next::GiveUp => false,
            Next::Reconnect => true,
            Next::Retry => {
                self.counted += 1;
                self.counted < self.max_attempts
            }
            Next::WaitForRateLimit => self.max_attempts > 1,
        };
        let wait = match next {
            Next::GiveUp | Next::Reconnect => Duration::ZERO,
            Next::Retry | Next::WaitForRateLimit => retry::wait(self.attempts, ended.retry_after),
        };
        let is_in_time = self.deadline.remaining().is_none_or(|left| left > wait);
        if !may_try_again || !is_in_time {
            let why = if may_try_again { ", too late for another" } else { "" };
            self.trace_failure(attempt, &ended, format_args!("{why}"));
            return Err(self.fail(ended));
        }
        if next == Next::Reconnect {
            self.trace_failure(attempt, &ended, format_args!("; again at once, newly connected"));
            self.attempts -= 1;
        } else {
            self.trace_failure(attempt, &ended, format_args!("; again in {} ms", wait.as_millis()));
            // What all the client's threads wait for, they wait for at the gate.
            let is_held_there =
                next == Next::WaitForRateLimit && gate::holds(wait, ended.retry_after);
            let wait = if is_held_there { Duration::ZERO } else { wait };
            if pause(Deadline::after(Some(wait)), self.cancel.as_deref()).is_err() {
                return Err(self.fail(ended.cancelled_waiting()));
            }
        }
        if ended.reply.is_none() {
            // What the connection did, others that were opened with it may do too.
            self.reuse = Reuse::Never;
        }
        self.last = Some(ended);
        Ok(())
    }

    /// Whether a deletion that finds nothing may have done its work in an attempt before.
    fn may_have_deleted_before(&self) -> bool {
        self.request.is_deletion() && self.outcome != Outcome::NotApplied
    }

    fn answer(&self, status: u16, body: Body) -> Answer<'r> {
        Answer { request: self.request, status, attempts: self.attempts, body, encoding: None }
    }

    /// Waits for the rate limit's gate, unless the call may make one attempt only.
    fn pass_the_gate(&mut self) -> Result<Option<Pass<'c>>, Error> {
        if self.max_attempts == 1 {
            return Ok(None);
        }
        let gate = self.connections.gate(self.request.is_read());
        let tell = |wait: Duration| {
            self.client.tracer().write(Level::Info, || {
                let request = self.request.describe();
                format!("{request}: waits {} ms for the rate limit", wait.as_millis())
            });
        };
        match gate.enter(self.deadline, self.cancel.as_deref(), tell) {
            Ok(pass) => Ok(Some(pass)),
            Err(Stopped::Interrupted(Interruption::Cancelled)) => Err(self.fail_cancelled()),
            Err(Stopped::Interrupted(Interruption::TimedOut)) => Err(self.fail_rate_limited(None)),
            Err(Stopped::OpensTooLate(wait)) => Err(self.fail_rate_limited(Some(wait))),
        }
    }

    fn begin_attempt(&mut self, now: Instant) -> Result<Attempt, Error> {
        if self.cancel.as_ref().is_some_and(|cancel| cancel.check().is_err()) {
            return Err(self.fail_cancelled());
        }
        if self.deadline.has_passed_at(now) {
            return Err(self.fail_timed_out());
        }
        self.attempts += 1;
        if let Some(recording) = &self.recording {
            recording.attempt(self.attempts);
        }
        // An attempt that may be followed by another leaves time for it.
        let may_be_followed = self.request.is_repeatable() && self.counted + 1 < self.max_attempts;
        let deadline = if may_be_followed {
            self.deadline.or_earlier(Deadline::after_time(now, self.client.attempt_timeout()))
        } else {
            self.deadline
        };
        Ok(Attempt::new(
            now,
            deadline,
            self.client.connect_timeout(),
            self.cancel.clone(),
            self.reuse,
            self.client.tracer().clone(),
        ))
    }

    /// Makes an attempt. The outer error is a bug of ours.
    fn exchange(&self, attempt: &Attempt, pass: Option<Pass<'_>>) -> Result<Ending, Error> {
        let (request, agent) = (self.request, &self.connections.agent);
        let exchange = match request.body() {
            Some(body) => agent.exchange(request.to_http(self.client, body)?, attempt),
            None => agent.exchange(request.to_http(self.client, ())?, attempt),
        };
        Ok(match exchange {
            Ok(mut exchange) => {
                let rate_limit = RateLimit::of(exchange.headers());
                if let Some(pass) = pass {
                    let refused_for = match exchange.status().as_u16() {
                        429 => retry_after::told(429, exchange.headers()),
                        _ => None,
                    };
                    pass.answered(rate_limit, refused_for);
                }
                let ending = self.judge(&mut exchange, attempt);
                if let Some(recording) = &self.recording {
                    let headers = std::mem::take(exchange.headers_mut());
                    recording.answer(exchange.status(), headers, rate_limit);
                }
                ending
            }
            Err(fault) => Ending::Failure(Ended::broken_off(fault, attempt, None)),
        })
    }

    /// What an answer says, once its head has come: the head beats the body.
    fn judge(&self, exchange: &mut Exchange, attempt: &Attempt) -> Ending {
        let status = exchange.status().as_u16();
        let (failure, outcome) = match status {
            200..=299 => return self.read_success(exchange, attempt),
            // The service has refused, and says so itself. A 408 comes from whoever waited for the
            // request, and may come too late.
            408 => (Failure::Http(status), Outcome::Unknown),
            400..=499 => (Failure::Http(status), Outcome::NotApplied),
            500..=599 => (Failure::Http(status), Outcome::Unknown),
            _ => (Failure::Decode, Outcome::Unknown),
        };
        Ending::Failure(self.read_refusal(exchange, failure, outcome, attempt))
    }

    /// Reads the body of a success.
    fn read_success(&self, exchange: &mut Exchange, attempt: &Attempt) -> Ending {
        let status = exchange.status().as_u16();
        let (body, fault) = exchange.read_body(LARGEST_BODY, attempt);
        let too_large = (body.len() > LARGEST_BODY)
            .then(|| Fault::Unreadable(format!("the answer is larger than {LARGEST_BODY} bytes")));
        let Some(fault) = too_large.or(fault) else {
            // What begins as an object is not encoded, whatever is said of it.
            let is_plain = json::begins_object(&body);
            let encoding = if is_plain { None } else { self.encoding(exchange) };
            return Ending::Success { status, body, encoding };
        };
        let outcome = self.request.shown_by(&body);
        let body = body.beginning(Reply::BODY_LIMIT);
        let reply = Some(Box::new(Reply { status, problem: Problem::default(), body }));
        Ending::Failure(Ended { outcome, ..Ended::broken_off(fault, attempt, reply) })
    }

    /// Reads what the service says about a refusal, as far as it comes.
    fn read_refusal(
        &self,
        exchange: &mut Exchange,
        failure: Failure,
        outcome: Outcome,
        attempt: &Attempt,
    ) -> Ended {
        let (body, _) = exchange.read_body(Reply::BODY_LIMIT, attempt);
        let body = body.beginning(Reply::BODY_LIMIT);
        let problem = Problem::parse(&body);
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
        Ended {
            failure,
            trouble: Trouble::Answered(status.as_u16()),
            outcome,
            what,
            retry_after: retry_after::told(status.as_u16(), exchange.headers()),
            reply: Some(Box::new(Reply { status: status.as_u16(), problem, body })),
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

    /// The error that a failed attempt makes of the call.
    fn fail(&self, ended: Ended) -> Error {
        let request = self.request;
        let outcome = request.outcome(self.outcome.max(ended.outcome));
        Error::of_call(CallFacts {
            failure: ended.failure,
            outcome,
            attempts: self.attempts,
            message: format!(
                "{}: {}{}{}",
                request.describe(),
                ended.what,
                request.consequence(outcome),
                advice(ended.failure, ended.retry_after),
            ),
            is_repeatable: request.is_repeatable(),
            is_lasting: ended.trouble == Trouble::Lasting,
            retry_after: ended.retry_after,
            reply: ended.reply,
        })
    }

    fn fail_cancelled(&mut self) -> Error {
        let ended = match self.last.take() {
            Some(last) => last.cancelled_waiting(),
            None => Ended::before_attempt(Failure::Cancelled, "cancelled before it was sent", None),
        };
        self.fail(ended)
    }

    fn fail_timed_out(&mut self) -> Error {
        let what = "timed out before it was sent";
        let ended = match self.last.take() {
            Some(last) => last,
            None => Ended::before_attempt(Failure::Timeout, what, None),
        };
        self.fail(ended)
    }

    fn fail_rate_limited(&mut self, wait: Option<Duration>) -> Error {
        let ended = match self.last.take() {
            Some(last) => Ended { retry_after: last.retry_after.max(wait), ..last },
            None => Ended::before_attempt(
                Failure::RateLimited,
                "not sent, since the rate limit is used up for longer than the call may take",
                wait,
            ),
        };
        self.fail(ended)
    }

    fn trace_failure(&self, attempt: &Attempt, ended: &Ended, next: std::fmt::Arguments<'_>) {
        let (status, body) = match &ended.reply {
            Some(reply) => (reply.status, reply.body.as_slice()),
            None => (0, [].as_slice()),
        };
        let why = format_args!(": {}{next}", ended.what);
        self.trace_attempt(attempt, Level::Error, status, body, why);
    }

    fn trace_attempt(
        &self,
        attempt: &Attempt,
        level: Level,
        status: u16,
        body: &[u8],
        why: impl std::fmt::Display,
    ) {
        let connection = if attempt.is_on_pooled_connection() { "reused" } else { "new" };
        self.client.tracer().write(level, || {
            let (request, number, size) = (self.request.describe(), self.attempts, body.len());
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

impl Ended {
    /// The attempt broke off, after `answered` if a head had come.
    fn broken_off(fault: Fault, attempt: &Attempt, answered: Option<Box<Reply>>) -> Self {
        let (failure, trouble) = match &fault {
            Fault::Cancelled => (Failure::Cancelled, Trouble::Lasting),
            Fault::TlsRefused(_) => (Failure::Tls, Trouble::Lasting),
            Fault::Unreadable(_) => (Failure::Decode, Trouble::Lasting),
            Fault::NotConnected(_) => (Failure::Connect, Trouble::NotSent),
            Fault::ProxyRefused(_) => (Failure::Connect, Trouble::Lasting),
            Fault::TimedOut if attempt.phase().is_before_request() => {
                (Failure::Timeout, Trouble::NotSent)
            }
            Fault::TimedOut => (Failure::Timeout, Trouble::Broke),
            Fault::Broken(_) if answered.is_some() => (Failure::Transport, Trouble::Broke),
            Fault::Broken(_) => (Failure::Transport, trouble_of_broken(attempt)),
        };
        let outcome = match &fault {
            // A server that wants another handshake has not looked at the request, even if that was
            // sent with the last of the handshake.
            Fault::TlsRefused(_) => Outcome::NotApplied,
            _ if attempt.request_begun() => Outcome::Unknown,
            _ => Outcome::NotApplied,
        };
        let what = match fault {
            Fault::TimedOut | Fault::Cancelled => {
                format!("{fault} while {}", attempt.phase().describe())
            }
            fault => fault.to_string(),
        };
        Ended { failure, trouble, outcome, what, retry_after: None, reply: answered }
    }

    /// The call ended before an attempt was made.
    fn before_attempt(failure: Failure, what: &str, retry_after: Option<Duration>) -> Self {
        Ended {
            failure,
            trouble: Trouble::NotSent,
            outcome: Outcome::NotApplied,
            what: what.into(),
            retry_after,
            reply: None,
        }
    }

    /// Whether the service says that there is no such thing, and not somebody on the way.
    fn says_it_is_gone(&self) -> bool {
        self.failure == Failure::Http(404)
            && self.reply.as_ref().is_some_and(|reply| reply.problem.is_of_the_service(404))
    }

    /// The wait that followed was cancelled: what the service had said is kept.
    fn cancelled_waiting(self) -> Self {
        Ended {
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

/// What to do about a failure, where that is not plain.
fn advice(failure: Failure, wait: Option<Duration>) -> String {
    match (failure, wait) {
        (Failure::Http(401), _) => {
            "; check the credential, and that it belongs to this environment: production and \
             sandbox have keys of their own"
                .into()
        }
        (_, Some(wait)) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            format!("; the service asks to wait {seconds} s")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Tracer;
    use crate::transport::http::attempt::{Phase, Reuse};

    #[test]
    fn what_a_broken_connection_means_depends_on_how_far_it_had_come() {
        let attempt = |is_pooled: bool, has_written: bool, has_received: bool| {
            let (now, never) = (Instant::now(), Deadline::after(None));
            let attempt = Attempt::new(now, never, None, None, Reuse::Any, Tracer::off());
            if !is_pooled {
                attempt.enter(Phase::Connect);
            }
            attempt.enter(Phase::Send);
            if has_written {
                attempt.wrote();
            }
            if has_received {
                attempt.received();
            }
            trouble_of_broken(&attempt)
        };
        assert_eq!(attempt(true, false, false), Trouble::StaleUnwritten);
        assert_eq!(attempt(true, true, false), Trouble::Stale);
        assert_eq!(attempt(true, true, true), Trouble::Broke);
        assert_eq!(attempt(false, false, false), Trouble::NotSent);
        assert_eq!(attempt(false, true, false), Trouble::Broke);
    }
}
