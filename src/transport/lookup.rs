//! Host names to addresses. A name is looked up on a thread of its own, since getaddrinfo(3) can
//! neither be given a deadline nor be broken off; threads that ask for the same name share one
//! lookup, and its result is kept for a short while, so that a warm call starts no thread.

use super::Fault;
use crate::os::thread::spawn_without_signals;
use crate::os::wake::Wake;
use crate::wait::waiter::Condition;
use crate::wait::{Wait, lock};
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
    names: Arc<Mutex<HashMap<String, Arc<Resolution>>>>,
}

/// What one lookup comes to, for all who wait for it.
#[derive(Debug, Default)]
struct Resolution {
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

/// A lookup that a thread is to settle: nobody is left waiting for it if the thread dies.
struct Asked(Arc<Resolution>);

impl Lookup {
    /// The addresses of `host`, a name or an IP literal (bare or in brackets), best first.
    pub fn resolve(&self, host: &str, port: u16, wait: &Wait) -> Result<Vec<SocketAddr>, Fault> {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let resolution = self
            .ask(host)
            .map_err(|error| Fault::NotConnected(format!("cannot start a thread: {error}")))?;
        let addresses = resolution.addresses(host, wait)?;
        Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    /// The lookup of `host` that is still believed or still awaited, or one that is begun now.
    fn ask(&self, host: &str) -> io::Result<Arc<Resolution>> {
        let mut names = lock(&self.names);
        if let Some(resolution) = names.get(host)
            && resolution.is_worth_waiting_for()
        {
            return Ok(resolution.clone());
        }
        let resolution = Arc::new(Resolution::default());
        let (host, for_thread) = (host.to_owned(), resolution.clone());
        names.insert(host.clone(), resolution.clone());
        let asked = Asked(for_thread);
        let work = {
            let host = host.clone();
            move || {
                #[cfg(test)]
                tests::panic_if_planted(&host);
                asked.settle((host.as_str(), 0).to_socket_addrs());
            }
        };
        spawn_without_signals("apivideo-lookup", None, Box::new(work)).inspect_err(|_| {
            names.remove(&host);
        })?;
        Ok(resolution)
    }
}

/// Why a lookup failed. The C library calls a name unknown if it could open neither its files nor a
/// socket: whether there is a descriptor to be had tells.
fn reason(error: io::Error) -> io::Error {
    Wake::new().err().unwrap_or(error)
}

impl Resolution {
    /// Whether it is under way, or came to an end a short while ago.
    fn is_worth_waiting_for(&self) -> bool {
        match &*lock(&self.state) {
            State::Awaited => true,
            State::Found(_, at) => at.elapsed() < BELIEVED_FOR,
            State::Failed(_) => false,
        }
    }

    fn settle(&self, state: State) {
        *lock(&self.state) = state;
        self.arrived.notify_all();
    }

    /// What is found of `host`, once that is known.
    fn addresses(&self, host: &str, wait: &Wait) -> Result<Vec<IpAddr>, Fault> {
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
            state = self.arrived.wait(&self.state, state, wait)?;
        }
    }
}

impl Asked {
    /// The system's answer has come.
    fn settle(self, resolution: io::Result<std::vec::IntoIter<SocketAddr>>) {
        self.0.settle(match resolution {
            Ok(addresses) => {
                State::Found(addresses.map(|address| address.ip()).collect(), Instant::now())
            }
            Err(error) => State::Failed(reason(error).to_string()),
        });
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let is_open = matches!(*lock(&self.0.state), State::Awaited);
        if is_open {
            self.0.settle(State::Failed("the lookup broke off".into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::deadline::Deadline;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A name at whose lookup the thread panics, as long as that is planted.
    const FATAL: &str = "localhost";
    static IS_PLANTED: AtomicBool = AtomicBool::new(false);

    pub(super) fn panic_if_planted(host: &str) {
        assert!(host != FATAL || !IS_PLANTED.load(Ordering::Relaxed), "planted");
    }

    fn now() -> Wait {
        Wait::new(Deadline::after(Some(Duration::ZERO)), None)
    }

    #[test]
    fn an_ip_literal_is_its_own_address_and_takes_no_lookup() {
        let lookup = Lookup::default();
        for (host, address) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("::1", "[::1]:80"),
            ("[2001:db8::1]", "[2001:db8::1]:80"),
        ] {
            // There is no time for a lookup.
            let found = lookup.resolve(host, 80, &now()).expect("an address");
            assert_eq!(found, [address.parse().expect("an address")], "{host}");
        }
        assert!(lock(&lookup.names).is_empty());
    }

    /// A lookup that knows of `name.test` what it was told at `time`.
    fn lookup_that_knows(time: Instant) -> Lookup {
        let lookup = Lookup::default();
        let resolution = Resolution::default();
        *lock(&resolution.state) = State::Found(vec![[192, 0, 2, 1].into()], time);
        lock(&lookup.names).insert("name.test".into(), Arc::new(resolution));
        lookup
    }

    #[test]
    fn what_was_found_is_believed_for_its_time_and_not_looked_up_again() {
        let found = lookup_that_knows(Instant::now()).resolve("name.test", 443, &now());
        assert_eq!(found.expect("an address"), [([192, 0, 2, 1], 443).into()]);
    }

    #[test]
    fn what_was_found_too_long_ago_is_looked_up_again() {
        let long_ago = Instant::now().checked_sub(BELIEVED_FOR);
        let lookup = lookup_that_knows(long_ago.expect("a clock that has run so long"));
        // That takes time, of which there is none.
        let found = lookup.resolve("name.test", 443, &now());
        assert!(!found.is_ok_and(|found| found == [([192, 0, 2, 1], 443).into()]));
    }

    #[test]
    fn a_name_without_an_address_is_a_fault_that_names_it() {
        let resolution = Resolution::default();
        *lock(&resolution.state) = State::Found(Vec::new(), Instant::now());
        let fault = resolution.addresses("empty.test", &now());
        let is_told = |why: &str| why == "empty.test has no address";
        assert!(matches!(&fault, Err(Fault::NotConnected(why)) if is_told(why)), "{fault:?}");
    }

    #[test]
    fn a_lookup_that_dies_fails_all_who_wait_and_is_made_anew_for_who_asks_next() {
        let lookup = Lookup::default();
        let resolve = || lookup.resolve(FATAL, 80, &Wait::new(Deadline::NEVER, None));
        IS_PLANTED.store(true, Ordering::Relaxed);
        std::thread::scope(|scope| {
            // Without a deadline: whoever is forgotten hangs.
            for waiting in [(); 4].map(|()| scope.spawn(resolve)) {
                let result = waiting.join().expect("no panic of ours");
                let is_told = |why: &str| why == "cannot look up localhost: the lookup broke off";
                assert!(
                    matches!(&result, Err(Fault::NotConnected(why)) if is_told(why)),
                    "{result:?}"
                );
            }
        });
        IS_PLANTED.store(false, Ordering::Relaxed);
        assert!(resolve().is_ok_and(|addresses| !addresses.is_empty()));
    }

    #[test]
    fn a_lookup_that_never_begins_fails_all_who_wait() {
        let resolution = Arc::new(Resolution::default());
        drop(Asked(resolution.clone()));
        assert!(matches!(&*lock(&resolution.state), State::Failed(why) if !why.is_empty()));
    }
}
