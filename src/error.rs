//! What went wrong with a call, for a person and for a program, and what may have happened.

use crate::answer::body::Body;
use crate::answer::problem::Problem;
use crate::limits::LARGEST_KEPT_BODY;
use crate::transport::http::Sent;
use std::fmt;
use std::time::Duration;
use ureq::http::StatusCode;
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
    /// What was sent got on no more, or no answer came to it, for longer than was allowed.
    Stalled,
    /// The call was cancelled.
    Cancelled,
    /// The rate limit is known to be used up beyond the call's time.
    RateLimited,
    /// The service answered with this status, other than 2xx and 3xx.
    Http(u16),
    /// An answer that the API does not promise.
    Decode,
    /// What was to be sent could not be read, or is not as long as was said.
    Source,
    /// A bug of this library.
    Internal,
}

impl Failure {
    /// Whether it passes by itself.
    pub(crate) fn is_temporary(self) -> bool {
        match self {
            Failure::Connect
            | Failure::Transport
            | Failure::Timeout
            | Failure::Stalled
            | Failure::RateLimited => true,
            Failure::Http(status) => {
                matches!(status, 408 | 429 | 500..=599) && !matches!(status, 501 | 505)
            }
            Failure::InvalidArgument
            | Failure::Tls
            | Failure::Cancelled
            | Failure::Decode
            | Failure::Source
            | Failure::Internal => false,
        }
    }
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

/// What an error keeps of the service's answer.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The problem that the body told, empty if it told none.
    pub problem: Problem,
    /// The beginning of the body as received. It may hold a secret.
    pub body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// What is kept of an answer with this status and `body`, which told `problem`.
    pub(crate) fn new(status: StatusCode, problem: Problem, body: &Body) -> Box<Self> {
        let body = body.beginning(LARGEST_KEPT_BODY);
        Box::new(Reply { status: status.as_u16(), problem, body })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reply { status, body, .. } = self;
        write!(f, "Reply {{ status: {status}, body: {} bytes }}", body.len())
    }
}

/// A failed call.
#[derive(Debug)]
pub struct Error {
    pub(crate) failure: Failure,
    pub(crate) outcome: Outcome,
    pub(crate) attempts: u32,
    pub(crate) message: String,
    pub(crate) is_retryable: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) reply: Option<Box<Reply>>,
    /// How far the last attempt had come with its source, if there was one.
    pub(crate) sent: Sent,
    pub(crate) unfinished: Option<Box<Unfinished>>,
}

/// What is left of an upload that has failed.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// What it can go on from.
    pub state: Option<String>,
    /// The video that was begun.
    pub video_id: Option<String>,
}

impl Error {
    /// The caller's mistake, told as `what`, which names the parameter.
    #[cold]
    pub fn invalid_argument(what: impl fmt::Display) -> Self {
        let message = format!("invalid argument: {what}; nothing was sent");
        Error::before_sending(Failure::InvalidArgument, message)
    }

    /// The caller's mistake: it freed `parameter` while the call with it was under way.
    #[cold]
    pub fn freed_meanwhile(parameter: &str) -> Self {
        Error::before_sending(
            Failure::InvalidArgument,
            format!("invalid argument: {parameter} was freed during the call"),
        )
    }

    /// A bug of ours, told as `what`.
    #[cold]
    pub fn internal(what: impl fmt::Display) -> Self {
        Error {
            outcome: Outcome::Unknown,
            ..Error::before_sending(
                Failure::Internal,
                format!("internal error: {what}; please report it as a bug of apivideo"),
            )
        }
    }

    /// What was to be sent cannot be, told as `what`.
    #[cold]
    pub(crate) fn source(what: impl fmt::Display) -> Self {
        Error::before_sending(Failure::Source, format!("{what}; nothing was sent"))
    }

    /// TLS is not to be had here.
    #[cold]
    pub(crate) fn tls_unavailable(what: impl fmt::Display) -> Self {
        Error::before_sending(Failure::Tls, format!("TLS cannot be set up: {what}"))
    }

    #[cold]
    pub(crate) fn before_sending(failure: Failure, message: String) -> Self {
        Error {
            failure,
            outcome: Outcome::NotApplied,
            attempts: 0,
            message,
            is_retryable: false,
            retry_after: None,
            reply: None,
            unfinished: None,
            sent: Sent::default(),
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

    /// What is left of an upload, if it was one.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.unfinished.as_deref()
    }

    /// How far the last attempt had come with its source, if there was one.
    #[cfg_attr(not(test), expect(dead_code, reason = "uploads are next"))]
    pub(crate) fn sent(&self) -> Sent {
        self.sent
    }

    /// What the service answered, if it answered.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_deref()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_an_error_shows_nothing_of_the_answers_body() {
        let (body, _) = Body::read(&b"a secret"[..], 100, 8);
        let reply = Some(Reply::new(StatusCode::BAD_REQUEST, Problem::default(), &body));
        let error = Error { reply, ..Error::internal("odd") };
        let shown = format!("{error:?}");
        assert!(
            shown.contains("status: 400, body: 8 bytes") && !shown.contains("secret"),
            "{shown}"
        );
    }

    #[test]
    fn a_failure_that_passes_by_itself_is_temporary() {
        for failure in [Failure::Connect, Failure::Stalled, Failure::Http(408), Failure::Http(503)]
        {
            assert!(failure.is_temporary(), "{failure:?}");
        }
        for failure in [Failure::Tls, Failure::Source, Failure::Http(404), Failure::Http(501)] {
            assert!(!failure.is_temporary(), "{failure:?}");
        }
    }
}
