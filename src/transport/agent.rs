//! The seam to ureq: the one file that knows its unversioned API (ureq is pinned exactly for it).
//!
//! ureq speaks HTTP and pools connections. Ours are the connections themselves: what opens them,
//! waits on them and gives them up follows the current [`Attempt`], not ureq's time-outs, which
//! would start a thread for every call.

use super::lookup::Lookup;
use super::socket::Socket;
use super::tls::TlsSession;
use super::{Fault, Trust};
use crate::attempt::{Attempt, Phase};
use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::{HeaderMap, Request, Response, StatusCode, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{AsSendBody, Body};
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

/// An answer whose body is yet to be read.
pub(crate) struct Exchange(Response<Body>);

impl Agent {
    /// An agent that connects as `trust` says; without one, for plain http only.
    pub fn new(trust: Option<Trust>) -> Self {
        let config = Config::builder()
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
        let dialer = Dialer { lookup: Lookup::default(), trust };
        Agent(ureq::Agent::with_parts(config, dialer, NoResolver))
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

    /// Reads the body, or its first `limit` bytes and one more. What had come of it before a fault
    /// is returned besides.
    pub fn read_body(&mut self, limit: usize, attempt: &Attempt) -> (Vec<u8>, Option<Fault>) {
        let told = self.0.body().content_length().unwrap_or(0);
        // One byte more than told, so that the end is found without growing.
        let expected = usize::try_from(told).unwrap_or(usize::MAX).min(limit) + 1;
        let mut body = Vec::with_capacity(expected);
        let reader = self.0.body_mut().as_reader();
        let result = attempt.run(|| reader.take(limit as u64 + 1).read_to_end(&mut body));
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

        attempt.enter(Phase::Lookup);
        let addresses = self.lookup.resolve(host, port, deadline)?;

        attempt.enter(Phase::Connect);
        let mut last = Fault::NotConnected(format!("{host} has no address"));
        for (tried, address) in addresses.iter().enumerate() {
            // An address that swallows packets must leave time for the next.
            let left = (addresses.len() - tried) as u32;
            match Socket::connect(*address, deadline.share(left.min(2))) {
                Ok(socket) => {
                    let tls = self.secure(&socket, host, details, attempt)?;
                    attempt.enter(Phase::Send);
                    return Ok(Connection {
                        socket,
                        tls,
                        buffers: ConnectionBuffers::new(),
                        used: true,
                    });
                }
                Err(error) => {
                    last = error.while_connecting(format_args!("cannot connect to {address}"));
                }
            }
            if deadline.has_passed() {
                break;
            }
        }
        Err(last)
    }

    fn secure(
        &self,
        socket: &Socket,
        host: &str,
        details: &ConnectionDetails,
        attempt: &Attempt,
    ) -> Result<Option<TlsSession>, Fault> {
        let Some(trust) = &self.trust else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(None);
        }
        attempt.enter(Phase::Handshake);
        TlsSession::establish(socket, host, trust, attempt, attempt.connect_deadline()).map(Some)
    }
}

/// An open connection, in use or in ureq's pool.
struct Connection {
    socket: Socket,
    tls: Option<TlsSession>,
    buffers: ConnectionBuffers,
    /// Whether it was used since it was last looked at. ureq looks when it takes a connection back
    /// and when it gives it out; the second look, right before use, is the one that tells.
    used: bool,
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
        let output = &self.buffers.output[..amount];
        self.used = true;
        Attempt::with_current(|attempt| {
            attempt.enter(Phase::Send);
            match &mut self.tls {
                Some(tls) => tls.send(&self.socket, output, attempt)?,
                None => {
                    let mut rest = output;
                    while !rest.is_empty() {
                        let sent = self
                            .socket
                            .send(rest, attempt, attempt.deadline())
                            .map_err(|error| error.while_exchanging(attempt))?;
                        rest = &rest[sent..];
                    }
                }
            }
            // All that was asked for is sent: what is left is to wait.
            attempt.enter(Phase::Wait);
            Ok(())
        })
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let input = self.buffers.input_append_buf();
        let received = Attempt::with_current(|attempt| match &mut self.tls {
            Some(tls) => tls.receive(&self.socket, input, attempt),
            None => self
                .socket
                .receive(input, attempt.deadline())
                .map_err(|error| error.while_exchanging(attempt)),
        })?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    fn is_open(&mut self) -> bool {
        if std::mem::take(&mut self.used) {
            return true;
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

/// A connection's buffers. What was sent holds the credential: it is wiped with the connection.
struct ConnectionBuffers {
    output: Zeroizing<Vec<u8>>,
    input: Vec<u8>,
    filled: usize,
    consumed: usize,
    progress: bool,
}

impl ConnectionBuffers {
    fn new() -> Self {
        ConnectionBuffers {
            output: Zeroizing::new(vec![0; BUFFER_SIZE]),
            input: vec![0; BUFFER_SIZE],
            filled: 0,
            consumed: 0,
            progress: false,
        }
    }

    /// Makes room behind the input: by moving it to the front, or else by growing. What bounds the
    /// growth is that ureq gives up on a head that is too large, and consumes a body as it comes.
    fn make_room(&mut self) {
        if self.consumed == self.filled {
            (self.consumed, self.filled) = (0, 0);
        } else if self.filled == self.input.len() {
            if self.consumed > 0 {
                self.input.copy_within(self.consumed..self.filled, 0);
                self.filled -= self.consumed;
                self.consumed = 0;
            } else {
                self.input.resize(self.input.len() * 2, 0);
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
        self.consumed += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.progress
    }
}
