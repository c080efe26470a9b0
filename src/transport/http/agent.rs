//! The seam to ureq: the one file that knows its unversioned API (ureq is pinned exactly for it).
//!
//! ureq speaks HTTP and pools connections. Ours are the connections themselves: what opens them,
//! waits on them and gives them up follows the current [`Attempt`], not ureq's time-outs, which
//! would start a thread for every call.

use super::head::{self, Mended};
use crate::answer::body::Body;
use crate::limits::{BUFFER_SIZE, LARGEST_HEAD, MOST_IDLE_CONNECTIONS};
use crate::secret::wipe;
use crate::transport::dial::{self, Preference};
use crate::transport::http::attempt::{Attempt, Phase};
use crate::transport::lookup::Lookup;
use crate::transport::socket::Socket;
use crate::transport::tls::TlsSession;
use crate::transport::{Fault, Proxy, SocketError, Trust};
use crate::wait::cancel::lock;
use crate::wait::deadline::Deadline;
use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use ureq::AsSendBody;
use ureq::config::Config;
use ureq::http::{HeaderMap, Request, Response, StatusCode, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroizing;

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
            .max_idle_connections(MOST_IDLE_CONNECTIONS)
            .max_idle_connections_per_host(MOST_IDLE_CONNECTIONS)
            .max_idle_age(IDLE_FOR)
            .build();
        AgentSettings(config)
    }
}

impl Agent {
    /// An agent that connects through `proxy`, if any, as `trust` says; without that, for plain
    /// http only.
    pub fn new(settings: &AgentSettings, trust: Option<Trust>, proxy: Option<Proxy>) -> Self {
        let dialer =
            Dialer { lookup: Lookup::default(), preference: Preference::default(), trust, proxy };
        Agent(ureq::Agent::with_parts(settings.0.clone(), dialer, NoResolver))
    }

    /// Sends `request` and receives the head of its answer, as a part of `attempt`.
    pub fn exchange<B: AsSendBody>(
        &self,
        request: Request<B>,
        attempt: &Attempt,
    ) -> Result<Exchange, Fault> {
        let result = attempt.run(|| self.0.run(request));
        let result = match (result, attempt.take_unread()) {
            (Err(ureq::Error::Protocol(_)), Some(unread)) => self.read_mended(*unread, attempt),
            (result, _) => result,
        };
        let response = result.map_err(|error| fault(error, attempt))?;
        attempt.enter(Phase::Read);
        Ok(Exchange(response))
    }

    /// Reads the answer on a connection whose head ureq has refused, once more and with that mended.
    /// For ureq this is a request of its own, to an agent of its own, which sends nothing; so the
    /// connection is closed afterwards.
    fn read_mended(
        &self,
        unread: Connection,
        attempt: &Attempt,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let connector = Unread(Mutex::new(Some(unread)));
        let agent = ureq::Agent::with_parts(self.0.config().clone(), connector, NoResolver);
        let mut request = Request::new(());
        *request.uri_mut() = Uri::from_static("http://mended/");
        attempt.run(|| agent.run(request))
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
        // What is sent is read within ureq, and may fail with a fault of its own.
        ureq::Error::Io(error) => match error.downcast::<Fault>() {
            Ok(fault) => fault,
            Err(error) => Fault::Broken(format!("the connection broke while {doing}: {error}")),
        },
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

/// Hands out the one connection whose answer is yet to be read.
#[derive(Debug)]
struct Unread(Mutex<Option<Connection>>);

impl Connector for Unread {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        Ok(lock(&self.0).take())
    }
}

/// Opens connections.
struct Dialer {
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
            socket: Arc::new(socket),
            tls,
            buffers: ConnectionBuffers::new(),
            last_used: Instant::now(),
            used: true,
            is_answered_early: false,
            heads: Heads::AsTheyCome,
        })
    }

    /// A connection to one of a host's addresses.
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
        dial::connect(host, addresses, &self.preference, attempt, deadline)
    }
}

/// An open connection, in use or in ureq's pool.
pub(crate) struct Connection {
    /// Shared with nobody but, for a moment, with what takes its place to be read once more.
    socket: Arc<Socket>,
    tls: Option<TlsSession>,
    buffers: ConnectionBuffers,
    last_used: Instant,
    /// Whether it was used since it was last looked at. ureq looks when it takes a connection back
    /// and when it gives it out; the second look, right before use, is the one that tells.
    used: bool,
    /// Whether the peer stopped taking the request and has answered: what is left of it is not sent.
    /// (Over TLS what can be read may be a mere ticket, so there the write's error stands.)
    is_answered_early: bool,
    heads: Heads,
}

/// What becomes of the head of a connection's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    /// ureq reads it as it comes.
    AsTheyCome,
    /// It was refused, and is to be mended before ureq sees it again.
    ToBeMended,
    /// That was done.
    Mended,
}

impl Connection {
    /// Whether the request that ureq sends was sent before: ureq does so for the second time.
    fn is_sent(&self) -> bool {
        self.heads != Heads::AsTheyCome
    }

    /// Receives some of what the peer sends; false once it has closed.
    fn receive_some(&mut self) -> Result<bool, Fault> {
        // A head, or the line before a chunk, that does not end: ureq limits the first alone.
        if self.buffers.input().len() > LARGEST_HEAD {
            let what = format!("not an HTTP answer: {LARGEST_HEAD} bytes that mean nothing yet");
            return Err(Fault::Unreadable(what));
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

    /// Receives a whole head and mends it.
    fn receive_mended_head(&mut self) -> Result<(), Fault> {
        self.heads = Heads::Mended;
        loop {
            match head::mend(self.buffers.input()) {
                Mended::Incomplete if self.receive_some()? => {}
                Mended::Incomplete => {
                    let closed = SocketError::Io(ErrorKind::UnexpectedEof.into());
                    return Err(Attempt::with_current(|it| closed.while_exchanging(it)));
                }
                // ureq says once more why.
                Mended::Hopeless => return Ok(()),
                Mended::Whole { length, head } => {
                    self.buffers.replace_input(length, &head);
                    return Ok(());
                }
            }
        }
    }

    /// Whether the peer has kept the connection open and sent nothing more.
    fn can_be_used(&mut self) -> bool {
        #[cfg(test)]
        tests::panic_if_planted();
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
}

/// ureq drops a connection whose answer it cannot read: it is left to the attempt, for the agent to
/// read it once more.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_sent() || self.buffers.input().is_empty() {
            return;
        }
        Attempt::with_current_if_any(|attempt| {
            if attempt.phase() == Phase::Wait {
                attempt.leave_unread(Connection {
                    socket: self.socket.clone(),
                    tls: self.tls.take(),
                    buffers: std::mem::take(&mut self.buffers),
                    last_used: self.last_used,
                    used: true,
                    is_answered_early: self.is_answered_early,
                    heads: Heads::ToBeMended,
                });
            }
        });
    }
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
        if self.is_sent() {
            return Ok(());
        }
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
        if self.heads == Heads::ToBeMended {
            self.receive_mended_head()?;
            return Ok(true);
        }
        Ok(self.receive_some()?)
    }

    fn is_open(&mut self) -> bool {
        // ureq holds the lock of its pool, which a panic would leave poisoned: no call of the client
        // would ever get a connection again.
        catch_unwind(AssertUnwindSafe(|| self.can_be_used())).unwrap_or(false)
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// A connection's buffers. What is sent holds the credential, and both ways go tokens: what has been sent or
/// consumed is wiped.
#[derive(Default)]
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

    /// Puts `bytes` in the place of the first `length` bytes of the input.
    fn replace_input(&mut self, length: usize, bytes: &[u8]) {
        let rest = &self.input()[length..];
        let input = [bytes, rest].concat();
        (self.consumed, self.filled) = (0, input.len());
        self.input = Zeroizing::new(input);
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
    use crate::base_url::BaseUrl;
    use crate::environment::Environment;
    use crate::trace::Tracer;
    use crate::transport::http::attempt::Reuse;
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    thread_local! {
        /// Whether this thread's next look at a connection panics.
        static IS_PLANTED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn panic_if_planted() {
        assert!(!IS_PLANTED.take(), "planted");
    }

    /// A peer that answers each request so, byte by byte, and keeps the connection.
    fn answer_all(listener: TcpListener, answer: &'static [u8]) {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut byte = [0];
                while let Ok(1) = connection.read(&mut byte) {
                    seen.extend(byte);
                    if seen.ends_with(b"\r\n\r\n") {
                        seen.clear();
                        for byte in answer {
                            connection.write_all(&[*byte]).expect("the client reads");
                        }
                    }
                }
            });
        }
    }

    /// Makes calls that are answered so, and tells of each whether it was on a connection that was
    /// there before.
    fn caller(answer: &'static [u8]) -> impl Fn() -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        std::thread::spawn(move || answer_all(listener, answer));
        let agent = Agent::new(&AgentSettings::new(), None, None);
        move || {
            let within = Deadline::after(Some(Duration::from_secs(60)));
            let attempt =
                Attempt::new(Instant::now(), within, None, None, Reuse::Any, Tracer::off());
            let request = Request::get(&url).body(()).expect("a request");
            let mut exchange = agent.exchange(request, &attempt).expect("an answer");
            let (body, fault) = exchange.read_body(100, &attempt);
            assert!(fault.is_none() && *body == *b"{}");
            attempt.is_on_pooled_connection()
        }
    }

    #[test]
    fn a_panic_while_ureq_holds_its_pool_leaves_the_client_usable() {
        let call = caller(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(!call());
        assert!(call());
        IS_PLANTED.set(true);
        assert!(!call());
        assert!(!IS_PLANTED.get());
        assert!(call());
    }

    #[test]
    fn an_odd_head_that_comes_bit_by_bit_is_read_and_its_connection_closed() {
        let call = caller(
            b"HTTP/1.1 103 Early\r\nX Y: z\r\n\r\n\
              HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
        );
        assert!(!call());
        assert!(!call());
    }

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
        let url = Some("http://user:password@proxy.test:3128");
        let proxy = Proxy::choose(url, Environment::of_this_process(), &base, false);
        let proxy = proxy.expect("a proxy's URL");
        let dialer = Dialer {
            lookup: Lookup::default(),
            preference: Preference::default(),
            trust: None,
            proxy,
        };
        assert_eq!(format!("{dialer:?}"), "Dialer");
    }
}
