//! What went wrong with a call, for a person and for a program, and what may have happened.

use crate::answer::problem::Problem;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// What kind of failure an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The caller's mistake; nothing was sent.
    InvalidArgument,
    /// Name, connection or proxy failed.
    Connect,
    /// Certificate or handshake refused.
    Tls,
    /// The connection broke during the exchange.
    Transport,
    /// The time ran out.
    Timeout,
    /// The call was cancelled.
    Cancelled,
    /// The rate limit is known to be used up beyond the call's time.
    RateLimited,
    /// The service answered with this status, other than 2xx and 3xx.
    Http(u16),
    /// An answer that the API does not promise.
    Decode,
    /// A bug of this library.
    Internal,
}

/// What is known of a call's effect on the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The service has not done what was asked.
    NotApplied,
    /// Nobody here can tell.
    Unknown,
    /// The service has done what was asked, even though the call failed.
    Applied,
}

/// What the service answered besides the failure.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The problem that the body told, empty if it told none.
    pub problem: Problem,
    /// The body as received, at most [`Reply::BODY_LIMIT`] bytes of it. It may hold a token.
    pub body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// How much of a body an error keeps.
    pub(crate) const BODY_LIMIT: usize = 64 * 1024;
}

/// A failed call.
#[derive(Debug)]
pub struct Error {
    failure: Failure,
    outcome: Outcome,
    attempts: u32,
    message: String,
    is_retryable: bool,
    retry_after: Option<Duration>,
    reply: Option<Box<Reply>>,
}

impl Error {
    /// The caller's mistake, told as `what`, which names the parameter.
    pub fn invalid_argument(what: impl fmt::Display) -> Self {
        Error::before_sending(
            Failure::InvalidArgument,
            format!("invalid argument: {what}; nothing was sent"),
        )
    }

    /// The caller's mistake: it freed `parameter` while the call with it was under way.
    pub fn freed_meanwhile(parameter: &str) -> Self {
        Error::before_sending(
            Failure::InvalidArgument,
            format!("invalid argument: {parameter} was freed during the call"),
        )
    }

    /// A bug of ours, told as `what`.
    pub fn internal(what: impl fmt::Display) -> Self {
        Error {
            outcome: Outcome::Unknown,
            ..Error::before_sending(
                Failure::Internal,
                format!("internal error: {what}; please report it as a bug of apivideo"),
            )
        }
    }

    /// TLS is not to be had here.
    pub(crate) fn tls_unavailable(what: impl fmt::Display) -> Self {
        Error::before_sending(Failure::Tls, format!("TLS cannot be set up: {what}"))
    }

    fn before_sending(failure: Failure, message: String) -> Self {
        Error {
            failure,
            outcome: Outcome::NotApplied,
            attempts: 0,
            message,
            is_retryable: false,
            retry_after: None,
            reply: None,
        }
    }

    /// A call that failed as `facts` tell.
    pub(crate) fn of_call(facts: CallFacts) -> Self {
        let temporary = match facts.failure {
            Failure::Connect | Failure::Transport | Failure::Timeout | Failure::RateLimited => true,
            Failure::Http(status) => {
                matches!(status, 408 | 429 | 500..=599) && !matches!(status, 501 | 505)
            }
            Failure::InvalidArgument
            | Failure::Tls
            | Failure::Cancelled
            | Failure::Decode
            | Failure::Internal => false,
        };
        Error {
            failure: facts.failure,
            outcome: facts.outcome,
            attempts: facts.attempts,
            message: in_one_line(&facts.message),
            is_retryable: temporary
                && !facts.is_lasting
                && (facts.is_repeatable || facts.outcome == Outcome::NotApplied),
            retry_after: facts.retry_after,
            reply: facts.reply,
        }
    }

    /// What kind of failure it is.
    pub fn failure(&self) -> Failure {
        self.failure
    }

    /// What is known of the call's effect.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the cause is temporary and repeating the call cannot do anything twice.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// How long to wait before the next try, if that was told.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What the service answered, if it answered.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_deref()
    }
}

/// What an error about a call is made of.
pub(crate) struct CallFacts {
    pub failure: Failure,
    pub outcome: Outcome,
    pub attempts: u32,
    pub message: String,
    /// Whether doing it again, even if it had been done, does nothing more.
    pub is_repeatable: bool,
    /// Whether it would be the same the next time.
    pub is_lasting: bool,
    /// How long the service, or the gate, asks to wait.
    pub retry_after: Option<Duration>,
    pub reply: Option<Box<Reply>>,
}

/// A text in one line that does nothing to a terminal: what a service says may hold line ends,
/// control sequences, or marks that turn the direction of writing.
pub(crate) fn in_one_line(text: &str) -> String {
    text.replace(
        |character: char| {
            character.is_control()
                || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        },
        " ",
    )
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
