//! The loop of a call: attempts at the request, each through the rate limit's gate, until one succeeds, or
//! the table of retries or the deadline ends them.

use crate::answer::Answer;
use crate::answer::recorder::Recording;
use crate::call::gate::{self, Pass, Stopped};
use crate::call::operation::{Operation, Repeat};
use crate::call::options::{CallOptions, CallTimeout};
use crate::call::rate_limit::RateLimit;
use crate::call::report::{self, Report};
use crate::call::request::Request;
use crate::call::retry::{self, Next};
use crate::call::retry_after;
use crate::call::verdict::{Judge, Verdict};
use crate::client::{Client, Connections};
use crate::error::{Error, Failure, Outcome};
use crate::transport::http::{Attempt, Reuse};
use crate::wait::deadline::Deadline;
use crate::wait::{Interruption, Wait};
use std::time::{Duration, Instant};

/// A request that must not be sent twice takes no connection that has been idle for longer: the service
/// may have given it up unnoticed.
const SURELY_OPEN_FOR: Duration = Duration::from_secs(2);

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
    let operation = request.operation();
    Call {
        client,
        connections: client.connections(),
        request,
        operation,
        report: Report { tracer: client.tracer(), request },
        recording: options.recording.as_ref(),
        wait: Wait::new(Deadline::after(timeout), options.cancel.clone()),
        max_attempts: options.max_attempts.unwrap_or(client.max_attempts()),
        attempts: 0,
        counted: 0,
        outcome: Outcome::NotApplied,
        reuse: match operation.repeat {
            Repeat::Always => Reuse::Any,
            Repeat::IfNotApplied => Reuse::UsedWithin(SURELY_OPEN_FOR),
        },
        last: None,
    }
    .run()
}

/// A call in progress.
struct Call<'c, 'r: 'c> {
    client: &'c Client,
    connections: &'c Connections,
    request: &'r Request<'r>,
    operation: &'static Operation,
    report: Report<'c>,
    recording: Option<&'c Recording>,
    wait: Wait,
    max_attempts: u32,
    /// Attempts made, but for those that a silent reconnection replaced.
    attempts: u32,
    /// Those of them that count against `max_attempts`.
    counted: u32,
    /// The strongest outcome of all attempts.
    outcome: Outcome,
    reuse: Reuse,
    /// The verdict on the attempt before, once another is to follow.
    last: Option<Verdict>,
}

impl<'c, 'r> Call<'c, 'r> {
    fn run(mut self) -> Result<Answer<'r>, Error> {
        loop {
            let pass = self.pass_the_gate()?;
            let now = pass.as_ref().map_or_else(Instant::now, Pass::time);
            let attempt = self.begin_attempt(now)?;
            let verdict = match self.exchange(&attempt, pass)? {
                Ok(answer) => {
                    let (status, size) = (answer.status.as_u16(), answer.body.len());
                    self.report.success(&attempt, self.attempts, status, size, "");
                    return Ok(answer);
                }
                Err(verdict) => verdict,
            };
            // It finds nothing, since an attempt before has done its work.
            if let Some(gone) = self.operation.gone
                && verdict.says_it_is_gone()
                && self.outcome != Outcome::NotApplied
            {
                self.report.success(&attempt, self.attempts, 404, 0, gone);
                return Ok(Answer::done_before(self.request, self.attempts));
            }
            self.outcome = self.outcome.max(verdict.outcome);
            self.follow(verdict, &attempt)?;
        }
    }

    /// Does what the table of retries says after a failed attempt. An error is the end of the call.
    fn follow(&mut self, verdict: Verdict, attempt: &Attempt) -> Result<(), Error> {
        let next = retry::next(verdict.trouble, self.operation.repeat);
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
            Next::Retry | Next::WaitForRateLimit => retry::wait(self.attempts, verdict.retry_after),
        };
        let (report, number) = (self.report, self.attempts);
        let trace = |verdict: &Verdict, next| report.failure(attempt, number, verdict, next);
        let is_in_time = self.wait.end().remaining().is_none_or(|left| left > wait);
        if !may_try_again || !is_in_time {
            let why = if may_try_again { ", too late for another" } else { "" };
            trace(&verdict, format_args!("{why}"));
            return Err(self.fail(verdict));
        }
        if next == Next::Reconnect {
            trace(&verdict, format_args!("; again at once, newly connected"));
            self.attempts -= 1;
        } else {
            trace(&verdict, format_args!("; again in {} ms", wait.as_millis()));
            // What all the client's threads wait for, they wait for at the gate.
            let is_held_there =
                next == Next::WaitForRateLimit && gate::holds(wait, verdict.retry_after);
            let wait = if is_held_there { Duration::ZERO } else { wait };
            if self.wait.pause(Deadline::after(Some(wait))).is_err() {
                return Err(self.fail(verdict.cancelled_waiting()));
            }
        }
        if verdict.reply.is_none() {
            // What the connection did, others that were opened with it may do too.
            self.reuse = Reuse::Never;
        }
        self.last = Some(verdict);
        Ok(())
    }

    /// Waits for the rate limit's gate, unless the call may make one attempt only.
    fn pass_the_gate(&mut self) -> Result<Option<Pass<'c>>, Error> {
        if self.max_attempts == 1 {
            return Ok(None);
        }
        let gate = self.connections.gate(self.operation.quota);
        let report = self.report;
        let tell = |wait| report.wait_for_rate_limit(wait);
        match gate.enter(&self.wait, tell) {
            Ok(pass) => Ok(Some(pass)),
            Err(Stopped::Interrupted(Interruption::Cancelled)) => Err(self.fail_cancelled()),
            Err(Stopped::Interrupted(Interruption::TimedOut | Interruption::Stalled)) => {
                Err(self.fail_rate_limited(None))
            }
            Err(Stopped::OpensTooLate(wait)) => Err(self.fail_rate_limited(Some(wait))),
        }
    }

    fn begin_attempt(&mut self, now: Instant) -> Result<Attempt, Error> {
        if self.wait.check_cancel().is_err() {
            return Err(self.fail_cancelled());
        }
        if self.wait.has_ended_at(now) {
            return Err(self.fail_timed_out());
        }
        self.attempts += 1;
        if let Some(recording) = &self.recording {
            recording.attempt(self.attempts);
        }
        // An attempt that may be followed by another leaves time for it.
        let may_be_followed =
            self.operation.repeat == Repeat::Always && self.counted + 1 < self.max_attempts;
        let limit = if may_be_followed { self.client.attempt_timeout() } else { None };
        let attempt = Attempt::new(
            now,
            self.wait.or_earlier(Deadline::after_time(now, limit)),
            self.client.connect_timeout(),
            self.reuse,
            self.client.tracer().clone(),
        );
        Ok(self.request.payload().prepare(attempt))
    }

    /// Makes an attempt. The outer error is a bug of ours.
    fn exchange(
        &self,
        attempt: &Attempt,
        pass: Option<Pass<'_>>,
    ) -> Result<Result<Answer<'r>, Verdict>, Error> {
        let request = self.request;
        let mut payload = match request.payload().open(attempt) {
            Ok(payload) => payload,
            Err(fault) => return Ok(Err(Verdict::on_fault(fault, attempt, None))),
        };
        let http = request.to_http(self.client, payload.as_body())?;
        let mut exchange = match self.connections.agent.exchange(http, attempt) {
            Ok(exchange) => exchange,
            Err(fault) => return Ok(Err(Verdict::on_fault(fault, attempt, None))),
        };
        let rate_limit = RateLimit::of(exchange.headers());
        if let Some(pass) = pass {
            let refused_for = match exchange.status().as_u16() {
                429 => retry_after::told(429, exchange.headers()),
                _ => None,
            };
            pass.answered(rate_limit, refused_for);
        }
        let judge = Judge { client: self.client, request, attempt, number: self.attempts };
        let judged = judge.judge(&mut exchange);
        if let Some(recording) = &self.recording {
            let headers = std::mem::take(exchange.headers_mut());
            recording.answer(exchange.status(), headers, rate_limit);
        }
        Ok(judged)
    }

    /// The error that `verdict` makes of the call.
    fn fail(&self, verdict: Verdict) -> Error {
        let outcome = self.outcome.max(verdict.outcome);
        report::error(self.request, self.attempts, Verdict { outcome, ..verdict })
    }

    fn fail_cancelled(&mut self) -> Error {
        let verdict = match self.last.take() {
            Some(last) => last.cancelled_waiting(),
            None => {
                Verdict::before_attempt(Failure::Cancelled, "cancelled before it was sent", None)
            }
        };
        self.fail(verdict)
    }

    fn fail_timed_out(&mut self) -> Error {
        let what = "timed out before it was sent";
        let verdict = match self.last.take() {
            Some(last) => last,
            None => Verdict::before_attempt(Failure::Timeout, what, None),
        };
        self.fail(verdict)
    }

    fn fail_rate_limited(&mut self, wait: Option<Duration>) -> Error {
        let verdict = match self.last.take() {
            Some(last) => Verdict { retry_after: last.retry_after.max(wait), ..last },
            None => Verdict::before_attempt(
                Failure::RateLimited,
                "not sent, since the rate limit is used up for longer than the call may take",
                wait,
            ),
        };
        self.fail(verdict)
    }
}
