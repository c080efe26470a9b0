//! Connecting to whichever of a host's addresses answers first (RFC 8305, "happy eyeballs"): an
//! address that swallows what is sent to it costs a quarter of a second, not the time for all. The
//! attempts run side by side on the caller's thread, in one poll(2).

use super::Fault;
use super::socket::{Connecting, Socket};
use crate::limits::{MOST_ADDRESSES_AT_ONCE, MOST_ADDRESSES_SHOWN, MOST_ADDRESSES_TRIED};
use crate::os::socket::lacks_means;
use crate::trace::Tracer;
use crate::wait::deadline::Deadline;
use crate::wait::{Broken, Interruption, Wait, lock};
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long an address is tried before the next one is tried besides: what RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);
/// How long an address that answered goes before the system's choice.
const PREFERRED_FOR: Duration = Duration::from_secs(300);

/// The address that answered last, of the one host that a client or its proxy has, and until when it
/// is tried first. It is tried only if the host still has it.
#[derive(Debug, Default)]
pub(super) struct Preference(Mutex<Option<(SocketAddr, Instant)>>);

impl Preference {
    fn address(&self) -> Option<SocketAddr> {
        lock(&self.0).filter(|(_, until)| Instant::now() < *until).map(|(address, _)| address)
    }

    /// An address has answered. One that is preferred already is so no longer for that: now and then
    /// the system's choice gets its chance again.
    fn set(&self, address: SocketAddr) {
        if self.address() != Some(address) {
            *lock(&self.0) = Some((address, Instant::now() + PREFERRED_FOR));
        }
    }

    fn forget(&self) {
        *lock(&self.0) = None;
    }
}

/// A connection to one of `addresses`, which are those of `host`, best first.
pub(super) fn connect(
    host: &str,
    addresses: Vec<SocketAddr>,
    preference: &Preference,
    wait: &Wait,
    tracer: &Tracer,
) -> Result<Socket, Fault> {
    let has_choice = addresses.len() > 1;
    let mut race = Race {
        wait,
        tracer,
        preferred: if has_choice { preference.address() } else { None },
        last: None,
        to_try: addresses,
        may_try: MOST_ADDRESSES_TRIED,
        under_way: Vec::new(),
        most_at_once: MOST_ADDRESSES_AT_ONCE,
        next_at: wait.end(),
        failures: 0,
        why: String::new(),
    };
    let result = race.run();
    if has_choice {
        match &result {
            Ok((address, _)) => preference.set(*address),
            Err(Fault::Cancelled) => {}
            Err(_) => preference.forget(),
        }
    }
    match result {
        Ok((_, socket)) => Ok(socket),
        Err(Fault::NotConnected(why)) if has_choice => {
            Err(Fault::NotConnected(format!("cannot connect to {host}: {why}")))
        }
        Err(Fault::NotConnected(why)) => {
            Err(Fault::NotConnected(format!("cannot connect to {why}")))
        }
        Err(fault) => Err(fault),
    }
}

/// Which of `addresses` is tried next: at first the preferred one, if it is among them, or the first;
/// after that the first of another family than the last one, as long as there is one.
fn next(
    addresses: &[SocketAddr],
    preferred: Option<SocketAddr>,
    last: Option<SocketAddr>,
) -> Option<usize> {
    let suits = |address: &SocketAddr| match last {
        None => Some(*address) == preferred,
        Some(last) => address.is_ipv4() != last.is_ipv4(),
    };
    let first = if addresses.is_empty() { None } else { Some(0) };
    addresses.iter().position(suits).or(first)
}

/// Attempts at a host's addresses, until one is connected.
struct Race<'a> {
    wait: &'a Wait,
    tracer: &'a Tracer,
    preferred: Option<SocketAddr>,
    /// The one that was tried last.
    last: Option<SocketAddr>,
    to_try: Vec<SocketAddr>,
    /// How many of them may be tried.
    may_try: usize,
    under_way: Vec<(SocketAddr, Connecting)>,
    most_at_once: usize,
    /// When the next address is tried although none of those under way has failed.
    next_at: Deadline,
    failures: usize,
    /// Which failed, and why.
    why: String,
}

impl Race<'_> {
    fn run(&mut self) -> Result<(SocketAddr, Socket), Fault> {
        loop {
            let has_more = self.try_next();
            if self.under_way.is_empty() {
                if !has_more {
                    return Err(Fault::NotConnected(self.explain()));
                }
                continue;
            }
            let sockets = self.under_way.iter().map(|(_, socket)| socket);
            let next_at = if has_more { self.next_at } else { Deadline::NEVER };
            match Connecting::wait_for_one(sockets, &self.wait.or_earlier(next_at)) {
                Ok(ready) => {
                    let (address, socket) = self.under_way.remove(ready);
                    match socket.finish() {
                        Ok(socket) => {
                            self.trace_winner(address);
                            return Ok((address, socket));
                        }
                        Err(error) => self.note_failure(address, &error),
                    }
                }
                Err(Broken::Interrupted(Interruption::TimedOut))
                    if !self.wait.end().has_passed() => {}
                Err(Broken::Interrupted(interruption)) => return Err(interruption.into()),
                // The wait itself failed, for all of them.
                Err(Broken::Io(error)) => {
                    for (address, _) in std::mem::take(&mut self.under_way) {
                        self.note_failure(address, &error);
                    }
                }
            }
        }
    }

    /// Sets out for the next address, if there is one, and settles when the one after it follows.
    /// Returns whether there are more.
    fn try_next(&mut self) -> bool {
        let Some(at) = next(&self.to_try, self.preferred, self.last) else { return false };
        if self.may_try == 0 {
            return false;
        }
        if self.under_way.len() >= self.most_at_once {
            // The one that has had the most time makes room.
            let (oldest, _) = self.under_way.remove(0);
            self.note_failure(oldest, &ErrorKind::TimedOut.into());
        }
        let address = self.to_try[at];
        match Connecting::begin(address) {
            Err(error) if lacks_means(&error) && !self.under_way.is_empty() => {
                // As many as there are descriptors for: in the end, one after the other.
                self.most_at_once = self.under_way.len();
            }
            result => {
                self.to_try.remove(at);
                self.may_try -= 1;
                self.last = Some(address);
                match result {
                    Ok(socket) => self.under_way.push((address, socket)),
                    Err(error) => self.note_failure(address, &error),
                }
            }
        }
        self.next_at = if self.under_way.len() < self.most_at_once {
            Deadline::after(Some(HEAD_START))
        } else {
            // What is to make room gets all the time that can be spared.
            self.wait.end().share(2)
        };
        self.may_try > 0 && !self.to_try.is_empty()
    }

    fn note_failure(&mut self, address: SocketAddr, error: &io::Error) {
        self.tracer.step(format_args!("no connection to {address}: {error}"));
        if self.failures < MOST_ADDRESSES_SHOWN {
            let joint = if self.failures == 0 { "" } else { "; " };
            // Writing to a string does not fail.
            let _ = write!(self.why, "{joint}{address}: {error}");
        }
        self.failures += 1;
    }

    fn trace_winner(&self, winner: SocketAddr) {
        for (address, _) in &self.under_way {
            self.tracer.step(format_args!("{address} has not answered yet, and is given up"));
        }
        self.tracer.step(format_args!("connected to {winner}"));
    }

    /// Why there is no connection, in one line.
    fn explain(&mut self) -> String {
        if self.failures > MOST_ADDRESSES_SHOWN {
            let _ = write!(self.why, "; and {} more", self.failures - MOST_ADDRESSES_SHOWN);
        }
        std::mem::take(&mut self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    /// The order in which they are tried, by their texts.
    fn order(texts: &[&str], preferred: Option<&str>) -> Vec<String> {
        let mut left = addresses(texts);
        let preferred = preferred.map(|text| addresses(&[text])[0]);
        let mut last = None;
        let mut ordered = Vec::new();
        while let Some(at) = next(&left, preferred, last) {
            let address = left.remove(at);
            last = Some(address);
            ordered.push(address.to_string());
        }
        ordered
    }

    #[test]
    fn the_families_take_turns_beginning_with_that_of_the_first() {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"];
        let expected = ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"];
        assert_eq!(order(&given, None), expected);
        let given = ["127.0.0.1:1", "127.0.0.2:1", "[::1]:1"];
        let expected = ["127.0.0.1:1", "[::1]:1", "127.0.0.2:1"];
        assert_eq!(order(&given, None), expected);
    }

    #[test]
    fn an_address_that_fails_at_once_makes_way_for_the_next() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let good = listener.local_addr().expect("an address");
        // To everybody in the network, which a connection cannot lead to.
        let bad = SocketAddr::from(([255, 255, 255, 255], 9));
        assert!(Connecting::begin(bad).is_err());
        let (preference, wait) = (Preference::default(), Wait::new(Deadline::NEVER, None));
        let tracer = Tracer::off();
        let connected = connect("name.test", vec![bad, good], &preference, &wait, &tracer);
        assert!(connected.is_ok(), "{connected:?}");
        assert_eq!(preference.address(), Some(good));
        let failed = connect("name.test", vec![bad, bad], &preference, &wait, &tracer);
        let is_told = |why: &str| why.matches("255.255.255.255:9: ").count() == 2;
        assert!(matches!(&failed, Err(Fault::NotConnected(why)) if is_told(why)), "{failed:?}");
    }

    #[test]
    fn the_preferred_address_goes_first_if_the_host_still_has_it() {
        let given = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "127.0.0.2:1"];
        let expected = ["127.0.0.2:1", "[::1]:1", "127.0.0.1:1", "[::2]:1"];
        assert_eq!(order(&given, Some("127.0.0.2:1")), expected);
        assert_eq!(order(&given, Some("[::9]:1")), order(&given, None));
    }

    #[test]
    fn a_preference_lasts_for_some_minutes_and_does_not_grow_by_being_followed() {
        let preference = Preference::default();
        let [one, other] = [1, 2].map(|last| SocketAddr::from(([127, 0, 0, last], 1)));
        assert_eq!(preference.address(), None);
        preference.set(one);
        let until = lock(&preference.0).expect("a preference").1;
        assert!(until > Instant::now() + PREFERRED_FOR - Duration::from_secs(60));
        preference.set(one);
        assert_eq!(*lock(&preference.0), Some((one, until)));
        preference.set(other);
        assert_eq!(preference.address(), Some(other));
        *lock(&preference.0) = Some((other, Instant::now()));
        assert_eq!(preference.address(), None);
        preference.forget();
        assert_eq!(*lock(&preference.0), None);
    }
}
