//! Sends requests and receives answers, by ureq.

use super::attempt::{Attempt, Phase};
use super::connection::Connection;
use super::dialer::{Dialer, NoResolver};
use crate::answer::body::Body;
use crate::limits::{LARGEST_HEAD, MOST_IDLE_CONNECTIONS};
use crate::transport::{Fault, Proxy, Trust};
use crate::wait::lock;
use std::sync::Mutex;
use std::time::Duration;
use ureq::AsSendBody;
use ureq::config::Config;
use ureq::http::{HeaderMap, Request, Response, StatusCode, Uri};
use ureq::unversioned::transport::{ConnectionDetails, Connector};

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
        let dialer = Dialer::new(trust, proxy);
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
#[cold]
fn fault(error: ureq::Error, attempt: &Attempt) -> Fault {
    let failed = |what: &dyn std::fmt::Display| {
        Fault::Failed(format!("failed while {}: {what}", attempt.phase().describe()))
    };
    match error {
        ureq::Error::Other(other) => match other.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => failed(&other),
        },
        // What is sent is read within ureq, and may fail with a fault of its own.
        ureq::Error::Io(error) => error.downcast().unwrap_or_else(Fault::Broken),
        ureq::Error::Protocol(error) => Fault::Unreadable(format!("not an HTTP answer: {error}")),
        ureq::Error::LargeResponseHeader(..) => {
            Fault::Unreadable(format!("the answer's head is larger than {LARGEST_HEAD} bytes"))
        }
        other => failed(&other),
    }
}

impl From<Fault> for ureq::Error {
    #[cold]
    fn from(fault: Fault) -> Self {
        ureq::Error::Other(Box::new(fault))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Tracer;
    use crate::transport::http::attempt::Reuse;
    use crate::transport::http::connection::tests::IS_PANIC_PLANTED;
    use crate::wait::Wait;
    use crate::wait::deadline::Deadline;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    fn attempt(deadline: Deadline) -> Attempt {
        let wait = Wait::new(deadline, None);
        Attempt::new(Instant::now(), wait, None, Reuse::Any, Tracer::off())
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
            let attempt = attempt(Deadline::after(Some(Duration::from_secs(60))));
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
        IS_PANIC_PLANTED.set(true);
        assert!(!call());
        assert!(!IS_PANIC_PLANTED.get());
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
        let attempt = attempt(Deadline::NEVER);
        attempt.enter(Phase::Wait);
        for error in [ureq::Error::Other("odd".into()), ureq::Error::ConnectionFailed] {
            let said = format!("failed while {}: ", Phase::Wait.describe());
            assert!(matches!(fault(error, &attempt), Fault::Failed(why) if why.starts_with(&said)));
        }
    }
}
