//! How bytes reach the service: sockets, names, TLS, and the one file that knows ureq's inside.

mod agent;
mod lookup;
mod socket;
mod tls;
mod trust;

pub(crate) use agent::{Agent, Exchange};
pub(crate) use trust::Trust;

use crate::attempt::Attempt;
use std::fmt;

/// Why an attempt got no answer, or no whole one.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The attempt's time, or that for connecting, ran out.
    TimedOut,
    /// The name, the connection or the way to it failed; nothing of the request was sent.
    NotConnected(String),
    /// The certificate or the handshake was refused; nothing of the request was sent.
    TlsRefused(String),
    /// The connection broke during the exchange.
    Broken(String),
    /// What came back is not an HTTP answer that can be read.
    Unreadable(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TimedOut => f.write_str("timed out"),
            Fault::NotConnected(text)
            | Fault::TlsRefused(text)
            | Fault::Broken(text)
            | Fault::Unreadable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

/// What breaks a socket call off, before it is known what it was for.
#[derive(Debug)]
pub(crate) enum SocketError {
    /// The deadline passed.
    TimedOut,
    /// The operating system's answer.
    Io(std::io::Error),
}

impl SocketError {
    /// The fault that this is while a connection is being made.
    fn while_connecting(self, doing: impl fmt::Display) -> Fault {
        match self {
            SocketError::TimedOut => Fault::TimedOut,
            SocketError::Io(error) => Fault::NotConnected(format!("{doing}: {error}")),
        }
    }

    /// The fault that this is once a connection stands.
    fn while_exchanging(self, attempt: &Attempt) -> Fault {
        match self {
            SocketError::TimedOut => Fault::TimedOut,
            SocketError::Io(error) => Fault::Broken(format!(
                "the connection broke while {}: {error}",
                attempt.phase().describe()
            )),
        }
    }
}
