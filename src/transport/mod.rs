//! How bytes reach the service: sockets, names, proxies, TLS, and the one file that knows ureq's
//! inside.

mod dial;
mod explain;
pub(crate) mod http;
mod lookup;
mod no_proxy;
mod pem;
mod proxy;
mod socket;
mod tls;
mod trust;
mod tunnel;

pub(crate) use http::agent::{Agent, AgentSettings, Connection, Exchange};
pub(crate) use proxy::Proxy;
pub(crate) use socket::{Bell, pause};
pub(crate) use trust::Trust;

use crate::transport::http::attempt::Attempt;
use std::fmt;
use std::io;

/// Why an attempt got no answer, or no whole one.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The attempt's time, or that for connecting, ran out.
    TimedOut,
    /// The call was cancelled.
    Cancelled,
    /// The name, the connection or the way to it failed; nothing of the request was sent.
    NotConnected(String),
    /// The proxy refuses the way, and would again; nothing of the request was sent.
    ProxyRefused(String),
    /// The certificate or the handshake was refused; nothing of the request was sent.
    TlsRefused(String),
    /// The connection broke during the exchange.
    Broken(String),
    /// What came back is not an HTTP answer that can be read.
    Unreadable(String),
    /// What was to be sent could not be read, or is not as long as was said.
    Source(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TimedOut => f.write_str("timed out"),
            Fault::Cancelled => f.write_str("cancelled"),
            Fault::NotConnected(text)
            | Fault::ProxyRefused(text)
            | Fault::TlsRefused(text)
            | Fault::Broken(text)
            | Fault::Unreadable(text)
            | Fault::Source(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

/// What ends a wait before what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The deadline passed.
    TimedOut,
    /// The call was cancelled.
    Cancelled,
}

impl From<Interruption> for Fault {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::TimedOut => Fault::TimedOut,
            Interruption::Cancelled => Fault::Cancelled,
        }
    }
}

/// What breaks a socket call off, before it is known what it was for.
#[derive(Debug)]
pub(crate) enum SocketError {
    /// The wait was ended.
    Interrupted(Interruption),
    /// The operating system's answer.
    Io(io::Error),
}

impl From<Interruption> for SocketError {
    fn from(interruption: Interruption) -> Self {
        SocketError::Interrupted(interruption)
    }
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        SocketError::Io(error)
    }
}

impl SocketError {
    /// The fault that this is while a connection is being made.
    fn while_connecting(self, doing: impl fmt::Display) -> Fault {
        match self {
            SocketError::Interrupted(interruption) => interruption.into(),
            SocketError::Io(error) => Fault::NotConnected(format!("{doing}: {error}")),
        }
    }

    /// The fault that this is once a connection stands.
    fn while_exchanging(self, attempt: &Attempt) -> Fault {
        match self {
            SocketError::Interrupted(interruption) => interruption.into(),
            SocketError::Io(error) => Fault::Broken(format!(
                "the connection broke while {}: {error}",
                attempt.phase().describe()
            )),
        }
    }
}
