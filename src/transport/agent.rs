//! The seam to ureq: the one file that knows its unversioned API (ureq is pinned exactly for it).
//!
//! ureq speaks HTTP and pools connections. Ours are the connections themselves: what opens them,
//! waits on them and gives them up follows the current [`Attempt`], not ureq's time-outs, which
//! would start a thread for every call.

use super::lookup::Lookup;
use super::socket::Socket;
use super::tls::TlsSession;
use super::{Fault, Proxy, SocketError, Trust};
use crate::attempt::{Attempt, Phase};
use crate::body::Body;
use crate::deadline::Deadline;
use crate::secret::wipe;
use std::fmt;
use std::time::{Duration, Instant};
use ureq::AsSendBody;
use ureq::config::Config;
use ureq::http::{HeaderMap, Request, Response, StatusCode, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroizing;

/// The largest head of an answer.
const LARGEST_HEAD: usize = 64 * 1024;
/// What a connection's buffers begin with. A request's head must fit into it (see `request.rs`
/// and `client.rs` for what bounds one); the input grows with an answer's head.
const BUFFER_SIZE: usize = 16 * 1024;
/// Idle connections that are kept: more threads than this at once is rare, and a connection less
/// costs a handshake, not an error.
const IDLE_CONNECTIONS: usize = 64;
/// How long an idle connection is kept: below what servers and NAT boxes commonly allow.
const IDLE_FOR: Duration = Duration::from_secs(15);

/// Sends requests over pooled connections.
pub(crate) struct Agent(ureq::Agent);

/// What agents are made with. Made once for a client: ureq reads the environment for it, even though
/// nothing of that is used.
pub(crate) struct AgentSettings(Config);

/// An answer whose body is yet to be read.
pub(crate) struct Exchange(Response<ureq::Body>);

impl AgentSettings {
    /// The settings of all agents.
    pub fn new() -> Self {
        let config = Config::builder()
            // Ours is asked by the dialer.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .max_response_header_size(LARGEST_HEAD)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE_FOR)
            .build();
        AgentSettings(config)
    }
}

impl Agent {
    /// An agent that connects through `proxy`, if any, as `trust` says; without that, for plain
    /// http only.
    pub fn new(settings: &AgentSettings, trust: Option<Trust>, proxy: Option<Proxy>) -> Self {
        let dialer = Dialer { lookup: Lookup::default(), trust, proxy };
        Agent(ureq::Agent::with_parts(settings.0.clone(), dialer, NoResolver))
    }

    /// Sends `request` and receives the head of its answer, as a part of `attempt`.
    pub fn exchange<B: AsSendBody>(
        &self,
        request: Request<B>,
        attempt: &Attempt,
    ) -> Result<Exchange, Fault> {
        let response =
            attempt.run(|| self.0.run(request)).map_err(|error| fault(error, attempt))?;
        attempt.enter(Phase::Read);
        Ok(Exchange(response))
    }
}

impl Exchange {
    /// The status that was answered.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// The headers that were answered.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The same, to be taken by who keeps them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.0.headers_mut()
    }

    /// Reads the body, or its first `limit` bytes and one more. What had come of it before a fault
    /// is returned besides.
    pub fn read_body(&mut self, limit: usize, attempt: &Attempt) -> (Body, Option<Fault>) {
        let told = self.0.body().content_length().unwrap_or(0);
        let reader = self.0.body_mut().as_reader();
        let (body, result) = attempt.run(|| Body::read(reader, limit + 1, told));
        let fault = result.err().map(|error| fault(error.into(), attempt));
        (body, fault)
    }
}

/// What one of ureq's errors says of the attempt.
fn fault(error: ureq::Error, attempt: &Attempt) -> Fault {
    let doing = attempt.phase().describe();
    match error {
        ureq::Error::Other(other) => match other.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::Broken(format!("failed while {doing}: {other}")),
        },
        ureq::Error::Io(error) => {
            Fault::Broken(format!("the connection broke while {doing}: {error}"))
        }
        ureq::Error::Protocol(error) => Fault::Unreadable(format!("not an HTTP answer: {error}")),
        ureq::Error::LargeResponseHeader(..) => {
            Fault::Unreadable(format!("the answer's head is larger than {LARGEST_HEAD} bytes"))
        }
        other => Fault::Broken(format!("failed while {doing}: {other}")),
    }
}

impl From<Fault> for ureq::Error {
    fn from(fault: Fault) -> Self {
        ureq::Error::Other(Box::new(fault))
    }
}

/// Leaves looking up names to the dialer: ureq asks for every call, even with a connection at hand.
#[derive(Debug)]
struct NoResolver;

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
struct Dialer {
    lookup: Lookup,
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
    fn dial(&self, details: &ConnectionDetails, attempt: &Attempt) -> Result<Connection, Fault> {
        // The name of an IPv6 address stands in brackets in a URL.
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default_port = if details.needs_tls() { 443 } else { 80 };
        let port = details.uri.port_u16().unwrap_or(default_port);
        let deadline = attempt.connect_deadline();

        let socket = match &self.proxy {
            None => self.reach(host, port, attempt, deadline)?,
            Some(proxy) => {
                let socket = self.reach(proxy.host(), proxy.port(), attempt, deadline)?;
                attempt.enter(Phase::Proxy);
                proxy.open(&socket, host, port, attempt, deadline)?;
                attempt.trace(format_args!("the proxy leads to {host}:{port}"));
                socket
            }
        };
        let tls = match &self.trust {
            Some(trust) if details.needs_tls() => {
                attempt.enter(Phase::Handshake);
                Some(TlsSession::establish(&socket, host, trust, attempt, deadline)?)
            }
            _ => None,
        };
        attempt.enter(Phase::Send);
        Ok(Connection {
            socket,
            tls,
            buffers: ConnectionBuffers::new(),
            last_used: Instant::now(),
            used: true,
            is_answered_early: false,
        })
    }

    /// A connection to the first of a host's addresses that takes it.
    fn reach(
        &self,
        host: &str,
        port: u16,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<Socket, Fault> {
        attempt.enter(Phase::Lookup);
        let addresses = self.lookup.resolve(host, port, attempt, deadline)?;
        attempt.enter(Phase::Connect);
        let mut last = Fault::NotConnected(format!("{host} has no address"));
        for (tried, address) in addresses.iter().enumerate() {
            // An address that swallows packets must leave time for the next.
            let left = (addresses.len() - tried) as u32;
            match Socket::connect(*address, attempt, deadline.share(left.min(2))) {
                Ok(socket) => {
                    attempt.trace(format_args!("connected to {address}"));
                    return Ok(socket);
                }
                Err(error) => {
                    last = error.while_connecting(format_args!("cannot connect to {address}"));
                    attempt.trace(format_args!("no connection to {address}: {last}"));
                }
            }
            if deadline.has_passed() || matches!(last, Fault::Cancelled) {
                break;
            }
        }
        Err(last)
    }
}

/// An open connection, in use or in ureq's pool.
struct Connection {
    socket: Socket,
    tls: Option<TlsSession>,
    buffers: ConnectionBuffers,
    last_used: Instant,
    /// Whether it was used since it was last looked at. ureq looks when it takes a connection back
    /// and when it gives it out; the second look, right before use, is the one that tells.
    used: bool,
    /// Whether the peer stopped taking the request and has answered: what is left of it is not sent.
    /// (Over TLS what can be read may be a mere ticket, so there the write's error stands.)
    is_answered_early: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = &mut self.buffers.output[..amount];
        self.used = true;
        let result = Attempt::with_current(|attempt| {
            attempt.enter(Phase::Send);
            match &mut self.tls {
                Some(tls) => tls.send(&self.socket, output, attempt)?,
                None if self.is_answered_early => {}
                None => match self.socket.send_all(output, attempt, attempt.deadline()) {
                    Ok(()) => {}
                    // The service refuses before it has read all, and says why.
                    Err(SocketError::Io(_)) if self.socket.has_input() => {
                        self.is_answered_early = true;
                    }
                    Err(error) => return Err(error.while_exchanging(attempt).into()),
                },
            }
            // All that was asked for is sent: what is left is to wait.
            attempt.enter(Phase::Wait);
            Ok(())
        });
        wipe(output);
        result
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        // A head, or the line before a chunk, that does not end: ureq limits the first alone.
        if self.buffers.input().len() > LARGEST_HEAD {
            let what = format!("not an HTTP answer: {LARGEST_HEAD} bytes that mean nothing yet");
            return Err(Fault::Unreadable(what).into());
        }
        let input = self.buffers.input_append_buf();
        let received = Attempt::with_current(|attempt| {
            let received = match &mut self.tls {
                Some(tls) => tls.receive(&self.socket, input, attempt)?,
                None => self
                    .socket
                    .receive(input, attempt, attempt.deadline())
                    .map_err(|error| error.while_exchanging(attempt))?,
            };
            if received > 0 {
                attempt.received();
            }
            Ok::<usize, Fault>(received)
        })?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    fn is_open(&mut self) -> bool {
        if self.is_answered_early {
            return false;
        }
        if std::mem::take(&mut self.used) {
            self.last_used = Instant::now();
            return true;
        }
        if !Attempt::with_current(|attempt| attempt.reuse().allows(self.last_used)) {
            return false;
        }
        match &mut self.tls {
            Some(tls) => tls.is_quiet(&self.socket),
            None => self.socket.is_quiet(),
        }
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// A connection's buffers. What is sent holds the credential, and both ways go tokens: what has been sent or
/// consumed is wiped.
struct ConnectionBuffers {
    output: Zeroizing<Vec<u8>>,
    input: Zeroizing<Vec<u8>>,
    filled: usize,
    consumed: usize,
    progress: bool,
}

impl ConnectionBuffers {
    fn new() -> Self {
        ConnectionBuffers {
            output: Zeroizing::new(vec![0; BUFFER_SIZE]),
            input: Zeroizing::new(vec![0; BUFFER_SIZE]),
            filled: 0,
            consumed: 0,
            progress: false,
        }
    }

    /// Makes room behind the input: by moving it to the front, or else by growing. `await_input`
    /// bounds how far.
    fn make_room(&mut self) {
        if self.consumed == self.filled {
            (self.consumed, self.filled) = (0, 0);
        } else if self.filled == self.input.len() {
            if self.consumed > 0 {
                self.input.copy_within(self.consumed..self.filled, 0);
                let moved = self.filled - self.consumed;
                wipe(&mut self.input[moved..self.filled]);
                (self.consumed, self.filled) = (0, moved);
            } else {
                let size = self.input.len() * 2;
                self.input.resize(size, 0);
            }
        }
    }
}

impl Buffers for ConnectionBuffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        let end = self.consumed + amount;
        wipe(&mut self.input[self.consumed..end]);
        self.consumed = end;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Reuse;
    use crate::base_url::BaseUrl;
    use crate::trace::Tracer;

    #[test]
    fn what_ureq_may_fail_with_that_is_not_known_here_says_what_was_being_done() {
        let never = Deadline::after(None);
        let attempt = Attempt::new(Instant::now(), never, None, None, Reuse::Any, Tracer::off());
        attempt.enter(Phase::Wait);
        for error in [ureq::Error::Other("odd".into()), ureq::Error::ConnectionFailed] {
            let said = format!("failed while {}: ", Phase::Wait.describe());
            assert!(matches!(fault(error, &attempt), Fault::Broken(why) if why.starts_with(&said)));
        }
    }

    #[test]
    fn debugging_a_dialer_shows_no_password_of_its_proxy() {
        let base = BaseUrl::parse("https://api.test", false).expect("a base URL");
        let proxy = Proxy::choose(Some("http://user:password@proxy.test:3128"), &base, false);
        let proxy = proxy.expect("a proxy's URL");
        let dialer = Dialer { lookup: Lookup::default(), trust: None, proxy };
        assert_eq!(format!("{dialer:?}"), "Dialer");
    }
}
