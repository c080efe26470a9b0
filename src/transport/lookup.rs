//! Host names to addresses. A name is looked up on a thread of its own, since getaddrinfo(3) can
//! neither be given a deadline nor be broken off; threads that ask for the same name share one
//! lookup, and its result is kept for a short while, so that a warm call starts no thread.

use super::socket::{Bell, spawn_without_signals};
use super::{Fault, SocketError};
use crate::attempt::Attempt;
use crate::cancel::lock;
use crate::deadline::Deadline;
use crate::wake::Condition;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a looked-up name is believed. The system tells no time to live; half a minute is what
/// keeps a fail-over by name short.
const BELIEVED_FOR: Duration = Duration::from_secs(30);

/// The looked-up names of one client.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    names: Arc<Mutex<HashMap<String, Arc<Answer>>>>,
}

/// The answer to one lookup, for all who wait for it.
#[derive(Debug, Default)]
struct Answer {
    state: Mutex<State>,
    arrived: Condition,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Awaited,
    Found(Vec<IpAddr>, Instant),
    Failed(String),
}

impl Lookup {
    /// The addresses of `host`, a name or an IP literal (bare or in brackets), best first.
    pub fn resolve(
        &self,
        host: &str,
        port: u16,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<Vec<SocketAddr>, Fault> {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let answer = self
            .ask(host)
            .map_err(|error| SocketError::Io(error).while_connecting("cannot start a thread"))?;
        let addresses = answer.wait(host, attempt, deadline)?;
        Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    /// The answer about `host`, still believed or still awaited, or that of a lookup begun now.
    fn ask(&self, host: &str) -> io::Result<Arc<Answer>> {
        let mut names = lock(&self.names);
        if let Some(answer) = names.get(host)
            && answer.is_worth_waiting_for()
        {
            return Ok(answer.clone());
        }
        let answer = Arc::new(Answer::default());
        let (host, for_thread) = (host.to_owned(), answer.clone());
        names.insert(host.clone(), answer.clone());
        let work = {
            let host = host.clone();
            move || for_thread.settle((host.as_str(), 0).to_socket_addrs())
        };
        spawn_without_signals("apivideo-lookup", work).inspect_err(|_| {
            names.remove(&host);
        })?;
        Ok(answer)
    }
}

/// Why a lookup failed. The C library calls a name unknown if it could open neither its files nor a
/// socket: whether there is a descriptor to be had tells.
fn reason(error: io::Error) -> io::Error {
    Bell::new().err().unwrap_or(error)
}

impl Answer {
    /// Whether the answer is on its way, or came a short while ago.
    fn is_worth_waiting_for(&self) -> bool {
        match &*lock(&self.state) {
            State::Awaited => true,
            State::Found(_, at) => at.elapsed() < BELIEVED_FOR,
            State::Failed(_) => false,
        }
    }

    /// The system's answer has come.
    fn settle(&self, answer: io::Result<std::vec::IntoIter<SocketAddr>>) {
        *lock(&self.state) = match answer {
            Ok(addresses) => {
                State::Found(addresses.map(|address| address.ip()).collect(), Instant::now())
            }
            Err(error) => State::Failed(reason(error).to_string()),
        };
        self.arrived.notify_all();
    }

    fn wait(
        &self,
        host: &str,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<Vec<IpAddr>, Fault> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Found(addresses, _) if addresses.is_empty() => {
                    return Err(Fault::NotConnected(format!("{host} has no address")));
                }
                State::Found(addresses, _) => return Ok(addresses.clone()),
                State::Failed(error) => {
                    return Err(Fault::NotConnected(format!("cannot look up {host}: {error}")));
                }
                State::Awaited => {}
            }
            state = self.arrived.wait(&self.state, state, deadline, attempt.cancel())?;
        }
    }
}
