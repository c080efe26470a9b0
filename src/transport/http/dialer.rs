//! Opens connections for ureq: looks up the name, connects, asks the proxy for the way, agrees on TLS.

use super::attempt::{Attempt, Phase};
use super::connection::Connection;
use crate::transport::dial::{self, Preference};
use crate::transport::lookup::Lookup;
use crate::transport::socket::Socket;
use crate::transport::tls::TlsSession;
use crate::transport::{Fault, Proxy, Trust};
use crate::wait::Wait;
use std::fmt;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

/// Leaves looking up names to the dialer: ureq asks for every call, even with a connection at hand.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Opens connections.
pub(super) struct Dialer {
    lookup: Lookup,
    preference: Preference,
    trust: Option<Trust>,
    proxy: Option<Proxy>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

impl Connector for Dialer {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        Ok(Some(Attempt::with_current(|attempt| self.dial(details, attempt))?))
    }
}

impl Dialer {
    /// One that connects through `proxy`, if any, as `trust` says; without that, for plain http only.
    pub fn new(trust: Option<Trust>, proxy: Option<Proxy>) -> Self {
        Dialer { lookup: Lookup::default(), preference: Preference::default(), trust, proxy }
    }

    fn dial(&self, details: &ConnectionDetails, attempt: &Attempt) -> Result<Connection, Fault> {
        // The name of an IPv6 address stands in brackets in a URL.
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default_port = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(default_port);
        let wait = &attempt.connect_wait();

        let socket = match &self.proxy {
            None => self.reach(host, port, attempt, wait)?,
            Some(proxy) => {
                let socket = self.reach(proxy.host(), proxy.port(), attempt, wait)?;
                attempt.enter(Phase::Proxy);
                proxy.open(&socket, host, port, wait)?;
                attempt.tracer().step(format_args!("the proxy leads to {host}:{port}"));
                socket
            }
        };
        let tls = match &self.trust {
            Some(trust) if details.needs_tls() => {
                attempt.enter(Phase::Handshake);
                Some(TlsSession::establish(&socket, host, trust, wait)?)
            }
            _ => None,
        };
        attempt.enter(Phase::Send);
        Ok(Connection::new(socket, tls))
    }

    /// A connection to one of a host's addresses.
    fn reach(
        &self,
        host: &str,
        port: u16,
        attempt: &Attempt,
        wait: &Wait,
    ) -> Result<Socket, Fault> {
        attempt.enter(Phase::Lookup);
        let addresses = self.lookup.resolve(host, port, wait)?;
        attempt.enter(Phase::Connect);
        dial::connect(host, addresses, &self.preference, wait, attempt.tracer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base_url::BaseUrl;
    use crate::environment::Environment;

    #[test]
    fn debugging_a_dialer_shows_no_password_of_its_proxy() {
        let base = BaseUrl::parse("https://api.test", false).expect("a base URL");
        let url = Some("http://user:password@proxy.test:3128");
        let proxy = Proxy::choose(url, Environment::of_this_process(), &base, false);
        let proxy = proxy.expect("a proxy's URL");
        let dialer = Dialer::new(None, proxy);
        assert_eq!(format!("{dialer:?}"), "Dialer");
    }
}
