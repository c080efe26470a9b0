//! Connecting to whichever of a host's addresses answers first (RFC 8305, "happy eyeballs"): an
//! address that swallows what is sent to it costs a quarter of a second, not the time for all. The
//! attempts run side by side on the caller's thread, in one poll(2).

use super::socket::{Connecting, Socket};
use super::{Fault, Interruption, SocketError};
use crate::attempt::Attempt;
use crate::cancel::lock;
use crate::deadline::Deadline;
use std::collections::VecDeque;
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long an address is tried before the next one is tried besides: what RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);
/// How many are tried side by side.
const MOST_AT_ONCE: usize = 8;
/// How many are tried at all.
const MOST_TRIED: usize = 32;
/// How many of those that failed a message names.
const MOST_NAMED: usize = 8;
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
    attempt: &Attempt,
    deadline: Deadline,
) -> Result<Socket, Fault> {
    let has_choice = addresses.len() > 1;
    let preferred = if has_choice { preference.address() } else { None };
    let mut race = Race {
        host,
        attempt,
        deadline,
        to_try: in_order(addresses, preferred),
        under_way: Vec::new(),
        most_at_once: MOST_AT_ONCE,
        next_at: deadline,
        failed: Vec::new(),
    };
    match race.run() {
        Ok((address, socket)) => {
            if has_choice {
                preference.set(address);
            }
            Ok(socket)
        }
        Err(fault) => {
            if !matches!(fault, Fault::Cancelled) {
                preference.forget();
            }
            Err(fault)
        }
    }
}

/// The order in which addresses are tried: the families in turn, beginning with that of the first, and
/// before all the preferred one.
fn in_order(addresses: Vec<SocketAddr>, preferred: Option<SocketAddr>) -> VecDeque<SocketAddr> {
    let begins_with_ipv4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == begins_with_ipv4);
    let mut ordered = VecDeque::with_capacity(one.len() + other.len());
    for at in 0..one.len().max(other.len()) {
        ordered.extend([one.get(at), other.get(at)].into_iter().flatten());
    }
    if let Some(at) = ordered.iter().position(|&address| Some(address) == preferred) {
        ordered.remove(at);
        ordered.extend(preferred);
        ordered.rotate_right(1);
    }
    ordered.truncate(MOST_TRIED);
    ordered
}

/// Attempts at a host's addresses, until one is connected.
struct Race<'a> {
    host: &'a str,
    attempt: &'a Attempt,
    deadline: Deadline,
    to_try: VecDeque<SocketAddr>,
    under_way: Vec<(SocketAddr, Connecting)>,
    most_at_once: usize,
    /// When the next address is tried although none of those under way has failed.
    next_at: Deadline,
    failed: Vec<(SocketAddr, io::Error)>,
}

impl Race<'_> {
    fn run(&mut self) -> Result<(SocketAddr, Socket), Fault> {
        loop {
            self.try_next();
            if self.under_way.is_empty() {
                if self.to_try.is_empty() {
                    return Err(Fault::NotConnected(self.explain()));
                }
                continue;
            }
            let until = if self.to_try.is_empty() {
                self.deadline
            } else {
                self.deadline.or_earlier(self.next_at)
            };
            let sockets = self.under_way.iter().map(|(_, socket)| socket);
            match Connecting::wait_for_one(sockets, until, self.attempt.cancel()) {
                Ok(ready) => {
                    let (address, socket) = self.under_way.remove(ready);
                    match socket.finish() {
                        Ok(socket) => {
                            self.trace_winner(address);
                            return Ok((address, socket));
                        }
                        Err(error) => self.note_failure(address, error),
                    }
                }
                Err(SocketError::Interrupted(Interruption::TimedOut))
                    if !self.deadline.has_passed() => {}
                Err(error) => return Err(error.while_connecting("cannot wait for a connection")),
            }
        }
    }

    /// Sets out for the next address, if there is one, and settles when the one after it follows.
    fn try_next(&mut self) {
        let Some(address) = self.to_try.pop_front() else { return };
        if self.under_way.len() >= self.most_at_once {
            // The one that has had the most time makes room.
            let (oldest, _) = self.under_way.remove(0);
            self.note_failure(oldest, ErrorKind::TimedOut.into());
        }
        match Connecting::begin(address) {
            Ok(socket) => self.under_way.push((address, socket)),
            Err(error) if lacks_means(&error) && !self.under_way.is_empty() => {
                // As many as there are descriptors for: in the end, one after the other.
                self.most_at_once = self.under_way.len();
                self.to_try.push_front(address);
            }
            Err(error) => self.note_failure(address, error),
        }
        self.next_at = if self.under_way.len() < self.most_at_once {
            Deadline::after(Some(HEAD_START))
        } else {
            // What is to make room gets all the time that can be spared.
            self.deadline.share(2)
        };
    }

    fn note_failure(&mut self, address: SocketAddr, error: io::Error) {
        self.attempt.trace(format_args!("no connection to {address}: {error}"));
        self.failed.push((address, error));
    }

    fn trace_winner(&self, winner: SocketAddr) {
        for (address, _) in &self.under_way {
            self.attempt.trace(format_args!("{address} has not answered yet, and is given up"));
        }
        self.attempt.trace(format_args!("connected to {winner}"));
    }

    /// Why there is no connection, in one line.
    fn explain(&self) -> String {
        if let [(address, error)] = self.failed.as_slice() {
            return format!("cannot connect to {address}: {error}");
        }
        let mut text = format!("cannot connect to {}", self.host);
        for (at, (address, error)) in self.failed.iter().take(MOST_NAMED).enumerate() {
            let joint = if at == 0 { ": " } else { "; " };
            // Writing to a string does not fail.
            let _ = write!(text, "{joint}{address}: {error}");
        }
        if self.failed.len() > MOST_NAMED {
            let _ = write!(text, "; and {} more", self.failed.len() - MOST_NAMED);
        }
        text
    }
}

/// Whether it is this machine that has no room for one connection more.
fn lacks_means(error: &io::Error) -> bool {
    let lacks = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|code| lacks.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn the_families_take_turns_beginning_with_that_of_the_first() {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"];
        let expected = ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"];
        assert_eq!(in_order(addresses(&given), None), addresses(&expected));
        let given = ["127.0.0.1:1", "127.0.0.2:1", "[::1]:1"];
        let expected = ["127.0.0.1:1", "[::1]:1", "127.0.0.2:1"];
        assert_eq!(in_order(addresses(&given), None), addresses(&expected));
    }

    #[test]
    fn the_preferred_address_goes_first_if_the_host_still_has_it() {
        let given = addresses(&["[::1]:1", "[::2]:1", "127.0.0.1:1"]);
        let preferred = given[1];
        let expected = addresses(&["[::2]:1", "[::1]:1", "127.0.0.1:1"]);
        assert_eq!(in_order(given.clone(), Some(preferred)), expected);
        let gone = addresses(&["[::9]:1"])[0];
        assert_eq!(in_order(given.clone(), Some(gone)), in_order(given, None));
    }

    #[test]
    fn so_many_addresses_are_tried_and_the_preferred_one_among_them() {
        let given: Vec<SocketAddr> =
            (0..100).map(|last| SocketAddr::from(([127, 0, 0, last], 1))).collect();
        let ordered = in_order(given.clone(), Some(given[99]));
        assert_eq!(ordered.len(), MOST_TRIED);
        assert_eq!((ordered[0], ordered[1]), (given[99], given[0]));
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
