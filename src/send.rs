//! What a call does: an attempt at the request, and what its end says of success, failure and
//! outcome.

use crate::answer::Answer;
use crate::attempt::Attempt;
use crate::client::Client;
use crate::deadline::Deadline;
use crate::error::{CallFacts, Error, Failure, Outcome, Reply};
use crate::problem::Problem;
use crate::request::Request;
use crate::retry_after;
use crate::transport::{Exchange, Fault};
use std::time::Duration;

/// The largest body of a success.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// What a single call may do otherwise than its client says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    /// How long the whole call may take: the client's time, another one, or no limit.
    pub timeout: CallTimeout,
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
    request: &'r Request<'_>,
    options: &CallOptions,
) -> Result<Answer<'r>, Error> {
    let timeout = match options.timeout {
        CallTimeout::Client => client.timeout(),
        CallTimeout::Own(timeout) => timeout,
    };
    let deadline = Deadline::after(timeout);
    let attempt = Attempt::new(deadline, client.connect_timeout());
    let ending = match exchange(client, request, &attempt)? {
        Ok(exchange) => judge(exchange, client, request, &attempt),
        Err(fault) => Ending::fault(fault, &attempt, None),
    };
    match ending {
        Ending::Success { status, body } => Ok(Answer { request, status, attempts: 1, body }),
        Ending::Failure { failure, outcome, what, reply } => {
            let outcome = request.outcome(outcome);
            Err(Error::of_call(CallFacts {
                failure,
                outcome,
                attempts: 1,
                message: format!(
                    "{}: {what}{}{}",
                    request.describe(),
                    request.consequence(outcome),
                    advice(failure, reply.as_deref()),
                ),
                is_repeatable: request.is_repeatable(),
                reply,
            }))
        }
    }
}

/// How an attempt ended.
enum Ending {
    Success { status: u16, body: Vec<u8> },
    Failure { failure: Failure, outcome: Outcome, what: String, reply: Option<Box<Reply>> },
}

impl Ending {
    /// The attempt broke off, after `answered` if a head had come.
    fn fault(fault: Fault, attempt: &Attempt, answered: Option<Box<Reply>>) -> Self {
        let failure = match fault {
            Fault::TimedOut => Failure::Timeout,
            Fault::NotConnected(_) => Failure::Connect,
            Fault::TlsRefused(_) => Failure::Tls,
            Fault::Broken(_) => Failure::Transport,
            Fault::Unreadable(_) => Failure::Decode,
        };
        let what = match fault {
            Fault::TimedOut => format!("timed out while {}", attempt.phase().describe()),
            fault => fault.to_string(),
        };
        let outcome = match (&answered, attempt.request_begun()) {
            (Some(_), _) => Outcome::Applied,
            (None, true) => Outcome::Unknown,
            (None, false) => Outcome::NotApplied,
        };
        Ending::Failure { failure, outcome, what, reply: answered }
    }
}

/// Sends the request and receives the head of the answer. The outer error is a bug of ours.
fn exchange(
    client: &Client,
    request: &Request<'_>,
    attempt: &Attempt,
) -> Result<Result<Exchange, Fault>, Error> {
    Ok(match request.body() {
        Some(body) => client.agent().exchange(request.to_http(client, body)?, attempt),
        None => client.agent().exchange(request.to_http(client, ())?, attempt),
    })
}

/// What an answer says, once its head has come: the head beats the body.
fn judge(exchange: Exchange, client: &Client, request: &Request<'_>, attempt: &Attempt) -> Ending {
    // What the service says may repeat a secret.
    let hide = |text: String| request.hide_in(client.hide_in(text));
    match exchange.status().as_u16() {
        status @ 200..=299 if request.ignores_body() => {
            Ending::Success { status, body: Vec::new() }
        }
        status @ 200..=299 => read_success(exchange, status, attempt),
        status @ 300..=399 => {
            let target = match exchange.headers().get("location") {
                Some(location) => hide(String::from_utf8_lossy(location.as_bytes()).into_owned()),
                None => "nowhere".into(),
            };
            let what = format!("redirected (status {status}) to {target}, which is not followed");
            read_refusal(exchange, Failure::Decode, Outcome::Unknown, Said::Own(what), attempt)
        }
        // The service has refused: it says so itself. A 408 comes from whoever waited for the
        // request, and may come too late.
        status @ 400..=499 if status != 408 => read_refusal(
            exchange,
            Failure::Http(status),
            Outcome::NotApplied,
            Said::Service(&hide),
            attempt,
        ),
        status @ (408 | 500..=599) => read_refusal(
            exchange,
            Failure::Http(status),
            Outcome::Unknown,
            Said::Service(&hide),
            attempt,
        ),
        status => {
            let what = format!("answered with status {status}, which means nothing here");
            read_refusal(exchange, Failure::Decode, Outcome::Unknown, Said::Own(what), attempt)
        }
    }
}

/// Reads the body of a success.
fn read_success(mut exchange: Exchange, status: u16, attempt: &Attempt) -> Ending {
    let (mut body, fault) = exchange.read_body(LARGEST_BODY, attempt);
    let too_large = body.len() > LARGEST_BODY;
    if fault.is_none() && !too_large {
        return Ending::Success { status, body };
    }
    body.truncate(Reply::BODY_LIMIT);
    let reply = Reply { status, problem: Problem::default(), body, retry_after_ms: None };
    let fault = match fault {
        Some(fault) if !too_large => fault,
        _ => Fault::Unreadable(format!("the answer is larger than {LARGEST_BODY} bytes")),
    };
    Ending::fault(fault, attempt, Some(Box::new(reply)))
}

/// Who says what is wrong: we do, or the service, whose words may hold what must be hidden.
enum Said<'h> {
    Own(String),
    Service(&'h dyn Fn(String) -> String),
}

/// Reads what the service says about a refusal, as far as it comes.
fn read_refusal(
    mut exchange: Exchange,
    failure: Failure,
    outcome: Outcome,
    what: Said<'_>,
    attempt: &Attempt,
) -> Ending {
    let (mut body, _) = exchange.read_body(Reply::BODY_LIMIT, attempt);
    body.truncate(Reply::BODY_LIMIT);
    let status = exchange.status();
    let problem = Problem::parse(&body);
    let what = match what {
        Said::Own(what) => what,
        Said::Service(hide) => {
            let name = status.canonical_reason().unwrap_or("(no name)");
            match problem.summary(hide) {
                Some(summary) => format!("{} {name}: {summary}", status.as_u16()),
                None => format!("{} {name}", status.as_u16()),
            }
        }
    };
    let reply = Reply {
        status: status.as_u16(),
        problem,
        body,
        retry_after_ms: retry_after::told(status.as_u16(), exchange.headers()),
    };
    Ending::Failure { failure, outcome, what, reply: Some(Box::new(reply)) }
}

/// What to do about a failure, where that is not plain.
fn advice(failure: Failure, reply: Option<&Reply>) -> String {
    let wait = reply.and_then(|reply| reply.retry_after_ms);
    match (failure, wait) {
        (Failure::Http(401), _) => {
            "; check the credential, and that it belongs to this environment: production and \
             sandbox have keys of their own"
                .into()
        }
        (_, Some(wait)) => format!("; the service asks to wait {} s", wait.div_ceil(1000)),
        _ => String::new(),
    }
}
