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
use crate::client::{Client, Connections, DEFAULT_MAX_ATTEMPTS};
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
    if request.operation().sends_credential && !client.has_credential() {
        return Err(Error::invalid_argument(
            "client was made with AV_CLIENT_NO_CREDENTIAL, and can only upload",
        ));
    }
    let timeout = match options.timeout {
        CallTimeout::Client => client.timeout(),
        CallTimeout::Own(timeout) => timeout,
    };
    let wait = Wait::new(options.begin.deadline(timeout), options.cancel.clone());
    Call::new(client, request, options, wait).run()
}

/// What the attempts of work that takes many requests have in common: an upload, which has a table of repeats
/// of its own.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// How many attempts were made.
    pub attempts: u32,
    /// Whether the next one is to connect anew.
    pub connects_anew: bool,
}

/// Makes one attempt at `request`, the next of `series`, unless the rate limit, a cancel or the end of `wait`
/// forbids it; `on_rate_limit` is told of a wait before it begins. An error is a bug of ours.
pub(crate) fn try_once<'r>(
    client: &Client,
    request: &'r Request<'r>,
    options: &CallOptions,
    wait: &Wait,
    series: &mut Series,
    on_rate_limit: &dyn Fn(Duration),
) -> Result<Tried<'r>, Error> {
    let mut call = Call::new(client, request, options, wait.clone());
    call.attempts = series.attempts;
    call.on_rate_limit = Some(on_rate_limit);
    if series.connects_anew {
        call.reuse = Reuse::Never;
    }
    let tried = call.try_once();
    series.attempts = call.attempts;
    tried
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
    /// Is told of a wait for the rate limit before it begins.
    on_rate_limit: Option<&'c dyn Fn(Duration)>,
}

/// What came of one more attempt.
pub(crate) enum Tried<'r> {
    /// It was answered with a success.
    Answered(Attempt, Answer<'r>),
    /// It failed.
    Failed(Attempt, Verdict),
    /// None may be made any more, for this reason.
    NotBegun(Verdict),
}

impl<'c, 'r> Call<'c, 'r> {
    /// A call with `request` that lasts no longer than `wait`.
    fn new(
        client: &'c Client,
        request: &'r Request<'r>,
        options: &'c CallOptions,
        wait: Wait,
    ) -> Self {
        let operation = request.operation();
        Call {
            client,
            connections: client.connections(),
            request,
            operation,
            report: Report { tracer: client.tracer(), request },
            recording: options.recording.as_ref(),
            wait,
            max_attempts: options
                .max_attempts
                .or(client.max_attempts())
                .unwrap_or(DEFAULT_MAX_ATTEMPTS),
            attempts: 0,
            counted: 0,
            outcome: Outcome::NotApplied,
            reuse: match operation.repeat {
                Repeat::Always => Reuse::Any,
                Repeat::IfNotApplied => Reuse::UsedWithin(SURELY_OPEN_FOR),
            },
            last: None,
            on_rate_limit: None,
        }
    }

    fn run(mut self) -> Result<Answer<'r>, Error> {
        loop {
            let pass = self.pass_the_gate().map_err(|verdict| self.fail(verdict))?;
            let now = pass.as_ref().map_or_else(Instant::now, Pass::time);
            let attempt = self.begin_attempt(now).map_err(|verdict| self.fail(verdict))?;
            let verdict = match self.exchange(&attempt, pass)? {
                Ok(answer) => {
                    let (status, size) = (answer.status.as_u16(), answer.body.len());
                    self.report.success(&attempt, self.attempts, status, size, "");
                    return Ok(answer);
                }
                Err(verdict) => verdict,
            };
            if let Some(gone) = self.done_before(&verdict) {
                self.report.success(&attempt, self.attempts, 404, 0, gone);
                return Ok(Answer::done_before(self.request, self.attempts));
            }
            self.outcome = self.outcome.max(verdict.outcome);
            self.follow(verdict, &attempt)?;
        }
    }

    /// What to say of an attempt that finds nothing since one before it has done its work, if it is one:
    /// the call has succeeded then.
    fn done_before(&self, verdict: &Verdict) -> Option<&'static str> {
        let may_have_been_applied = self.outcome != Outcome::NotApplied;
        self.operation.gone.filter(|_| may_have_been_applied && verdict.says_it_is_gone())
    }

    /// Makes one attempt for another loop than [`Call::run`], unless the rate limit, the deadline or a cancel
    /// forbids it. What follows is the caller's to say. An error is a bug of ours.
    fn try_once(&mut self) -> Result<Tried<'r>, Error> {
        let begun = self.pass_the_gate().and_then(|pass| {
            let now = pass.as_ref().map_or_else(Instant::now, Pass::time);
            Ok((self.begin_attempt(now)?, pass))
        });
        let (attempt, pass) = match begun {
            Ok(begun) => begun,
            Err(verdict) => return Ok(Tried::NotBegun(verdict)),
        };
        Ok(match self.exchange(&attempt, pass)? {
            Ok(answer) => Tried::Answered(attempt, answer),
            Err(verdict) => Tried::Failed(attempt, verdict),
        })
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
    fn pass_the_gate(&mut self) -> Result<Option<Pass<'c>>, Verdict> {
        if self.max_attempts == 1 {
            return Ok(None);
        }
        let gate = self.connections.gate(self.operation.quota);
        let (report, on_rate_limit) = (self.report, self.on_rate_limit);
        let tell = |wait| {
            report.wait_for_rate_limit(wait);
            if let Some(tell) = on_rate_limit {
                tell(wait);
            }
        };
        match gate.enter(&self.wait, tell) {
            Ok(pass) => Ok(Some(pass)),
            Err(Stopped::Interrupted(Interruption::Cancelled)) => Err(self.cancelled()),
            Err(Stopped::Interrupted(Interruption::TimedOut | Interruption::Stalled)) => {
                Err(self.rate_limited(None))
            }
            Err(Stopped::OpensTooLate(wait)) => Err(self.rate_limited(Some(wait))),
        }
    }

    fn begin_attempt(&mut self, now: Instant) -> Result<Attempt, Verdict> {
        if self.wait.check_cancel().is_err() {
            return Err(self.cancelled());
        }
        if self.wait.has_ended_at(now) {
            return Err(self.timed_out());
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

    fn cancelled(&mut self) -> Verdict {
        match self.last.take() {
            Some(last) => last.cancelled_waiting(),
            None => {
                Verdict::before_attempt(Failure::Cancelled, "cancelled before it was sent", None)
            }
        }
    }

    fn timed_out(&mut self) -> Verdict {
        let what = "timed out before it was sent";
        let before = || Verdict::before_attempt(Failure::Timeout, what, None);
        self.last.take().unwrap_or_else(before)
    }

    fn rate_limited(&mut self, wait: Option<Duration>) -> Verdict {
        match self.last.take() {
            Some(last) => Verdict { retry_after: last.retry_after.max(wait), ..last },
            None => Verdict::before_attempt(
                Failure::RateLimited,
                "not sent, since the rate limit is used up for longer than the call may take",
                wait,
            ),
        }
    }
}
