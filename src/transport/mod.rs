//! How bytes reach the service: sockets, names, proxies and TLS, and in `http/` the seam to ureq. All of
//! it waits with the one [`Wait`](crate::wait::Wait) that it is handed, and knows no call; `http/` alone
//! knows attempts.

mod dial;
mod explain;
pub(crate) mod http;
mod lookup;
mod no_proxy;
mod pace;
mod pem;
mod proxy;
mod socket;
mod tls;
mod trust;
mod tunnel;

pub(crate) use pace::Pace;
pub(crate) use proxy::Proxy;
pub(crate) use trust::Trust;

use crate::wait::{Broken, Interruption};
use std::fmt;
use std::io;

/// Why an attempt got no answer, or no whole one.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The attempt's time, or that for connecting, ran out.
    TimedOut,
    /// What is sent has not got on for too long, or no answer came to it.
    Stalled,
    /// The call was cancelled.
    Cancelled,
    /// The name, the connection or the way to it failed; nothing of the request was sent.
    NotConnected(String),
    /// The proxy refuses the way, and would again; nothing of the request was sent.
    ProxyRefused(String),
    /// The certificate or the handshake was refused; nothing of the request was sent.
    TlsRefused(String),
    /// The connection broke during the exchange.
    Broken(io::Error),
    /// The exchange failed, though the socket did not.
    Failed(String),
    /// What came back is not an HTTP answer that can be read.
    Unreadable(String),
    /// What was to be sent could not be read, or is not as long as was said.
    Source(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TimedOut => f.write_str("timed out"),
            Fault::Stalled => f.write_str("nothing moved for too long"),
            Fault::Cancelled => f.write_str("cancelled"),
            Fault::Broken(error) => write!(f, "the connection broke: {error}"),
            Fault::NotConnected(text)
            | Fault::ProxyRefused(text)
            | Fault::TlsRefused(text)
            | Fault::Failed(text)
            | Fault::Unreadable(text)
            | Fault::Source(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Interruption> for Fault {
    #[cold]
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::TimedOut => Fault::TimedOut,
            Interruption::Stalled => Fault::Stalled,
            Interruption::Cancelled => Fault::Cancelled,
        }
    }
}

/// What this is of a connection that stands.
impl From<Broken> for Fault {
    #[cold]
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Interrupted(interruption) => interruption.into(),
            Broken::Io(error) => Fault::Broken(error),
        }
    }
}

impl Fault {
    /// What this is of a connection that is being made, by `doing` something that did not go well.
    #[cold]
    fn while_connecting(broken: Broken, doing: impl fmt::Display) -> Self {
        match broken {
            Broken::Interrupted(interruption) => interruption.into(),
            Broken::Io(error) => Fault::NotConnected(format!("{doing}: {error}")),
        }
    }
}
