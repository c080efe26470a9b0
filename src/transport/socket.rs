//! A non-blocking TCP socket that waits no longer than its attempt may, and what else is asked of
//! the platform directly. Unsafe code below the C boundary is here, in `process/mark.rs`,
//! `wake/futex.rs` and `privileges.rs` alone: the files to look at for another platform.
//!
//! Sockets wait in poll(2) alone: a receive time-out would begin anew with each byte, which is not a
//! deadline. They are non-blocking, and every call says so once more by a flag of its own: if the host
//! closes descriptors that it does not know, as closefrom(3) does, ours may by now be a blocking socket
//! of the host's, and even then a call must end in time. (What no flag helps against: such a call may
//! send to that socket, and the end of a connection closes it.)
#![allow(unsafe_code)]

use super::{Interruption, SocketError};
use crate::transport::http::attempt::Attempt;
use crate::wait::cancel::{Cancel, SLICE};
use crate::wait::deadline::Deadline;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::thread;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("this platform has not been tried: see README.md, Platforms");

/// A connected, non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Sends some of `bytes`, at least one, and returns how many.
    pub fn send(
        &self,
        bytes: &[u8],
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<usize, SocketError> {
        loop {
            match self.send_ready(bytes) {
                Ok(0) if !bytes.is_empty() => {
                    return Err(SocketError::Io(ErrorKind::WriteZero.into()));
                }
                Ok(count) => {
                    attempt.wrote();
                    return Ok(count);
                }
                Err(error) => self.wait_after(error, libc::POLLOUT, attempt, deadline)?,
            }
        }
    }

    /// Sends all of `bytes`.
    pub fn send_all(
        &self,
        bytes: &[u8],
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<(), SocketError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = self.send(rest, attempt, deadline)?;
            rest = &rest[sent..];
        }
        Ok(())
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(
        &self,
        buffer: &mut [u8],
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<usize, SocketError> {
        // Asking first whether there is something costs less than a read in vain: right after a
        // request there practically never is.
        self.wait_for(libc::POLLIN, attempt, deadline)?;
        loop {
            match self.receive_with(buffer, 0) {
                Ok(count) => return Ok(count),
                Err(error) => self.wait_after(error, libc::POLLIN, attempt, deadline)?,
            }
        }
    }

    /// Receives what is there without waiting; `None` if nothing is.
    pub fn receive_ready(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.receive_with(buffer, 0) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the peer has neither closed nor sent anything that nobody asked for.
    pub fn is_quiet(&self) -> bool {
        let peeked = self.receive_with(&mut [0], libc::MSG_PEEK);
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether the peer has sent something that is still to be received.
    pub fn has_input(&self) -> bool {
        self.receive_with(&mut [0], libc::MSG_PEEK).is_ok_and(|count| count > 0)
    }

    /// send(2), without waiting. A connection that is gone is an error, never SIGPIPE.
    fn send_ready(&self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: `bytes` is valid for the length that is told, for the length of the call.
        let count = unsafe {
            libc::send(
                self.0.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }

    /// recv(2) with `flags`, without waiting.
    fn receive_with(&self, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
        // SAFETY: `buffer` is valid for writes of the length that is told, for the length of the
        // call.
        let count = unsafe {
            libc::recv(
                self.0.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_DONTWAIT | flags,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }

    fn wait_for(
        &self,
        events: libc::c_short,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<(), SocketError> {
        let mut ready = [entry(Some(self.0.as_fd()), events), NOBODY];
        wait(&mut ready, deadline, attempt.cancel())
    }

    /// Waits after an error that only says "not yet", and returns any other.
    fn wait_after(
        &self,
        error: io::Error,
        events: libc::c_short,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<(), SocketError> {
        match error.kind() {
            ErrorKind::WouldBlock => self.wait_for(events, attempt, deadline),
            ErrorKind::Interrupted => Ok(()),
            _ => Err(SocketError::Io(error)),
        }
    }
}

/// A socket on its way to an address. (std can connect with a time-out only socket by socket and
/// blocking, out of reach of a cancel.)
#[derive(Debug)]
pub(super) struct Connecting(TcpStream);

impl Connecting {
    /// Sets a socket on its way to `address`.
    pub fn begin(address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => libc::AF_INET,
            SocketAddr::V6(_) => libc::AF_INET6,
        };
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: socket(2) takes no pointers.
        let descriptor = unsafe { libc::socket(family, kind, 0) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was opened just above, and nobody else owns it.
        let stream = unsafe { TcpStream::from_raw_fd(descriptor) };

        let result = match address {
            SocketAddr::V4(address) => {
                let name = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                    sin_zero: [0; 8],
                };
                connect_to(&stream, &name)
            }
            SocketAddr::V6(address) => {
                let name = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                connect_to(&stream, &name)
            }
        };
        match result {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Ok(Connecting(stream)),
        }
    }

    /// Waits until one of `all` is connected or has failed, and tells which: the first, if there are
    /// more. `finish` tells how it went.
    pub fn wait_for_one<'a>(
        all: impl Iterator<Item = &'a Connecting>,
        deadline: Deadline,
        cancel: Option<&Cancel>,
    ) -> Result<usize, SocketError> {
        let mut ready: Vec<_> =
            all.map(|it| entry(Some(it.0.as_fd()), libc::POLLOUT)).chain([NOBODY]).collect();
        wait(&mut ready, deadline, cancel)?;
        // The last entry is the bell's, which is no end of `wait`.
        Ok(ready.iter().position(|entry| entry.revents != 0).unwrap_or(0))
    }

    /// The socket, now that it was waited for.
    pub fn finish(self) -> io::Result<Socket> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        // A request is one small write that must not wait for more to come.
        self.0.set_nodelay(true)?;
        Ok(Socket(self.0))
    }
}

/// Waits until `until`, unless `cancel` is triggered first.
pub(crate) fn pause(until: Deadline, cancel: Option<&Cancel>) -> Result<(), Interruption> {
    match wait(&mut [NOBODY], until, cancel) {
        Err(SocketError::Interrupted(Interruption::Cancelled)) => Err(Interruption::Cancelled),
        // That poll(2) fails without a descriptor to look at takes a lack of memory.
        _ => Ok(()),
    }
}

/// What poll(2) passes over.
const NOBODY: libc::pollfd = libc::pollfd { fd: -1, events: 0, revents: 0 };

fn entry(descriptor: Option<BorrowedFd<'_>>, events: libc::c_short) -> libc::pollfd {
    descriptor.map_or(NOBODY, |it| libc::pollfd { fd: it.as_raw_fd(), events, revents: 0 })
}

/// Waits until one of `entries` is ready or has failed, which its `revents` tell then. The last of
/// them is kept free for the bell of `cancel`.
fn wait(
    entries: &mut [libc::pollfd],
    deadline: Deadline,
    cancel: Option<&Cancel>,
) -> Result<(), SocketError> {
    let sockets = entries.len() - 1;
    let mut bell = cancel.and_then(Cancel::descriptor);
    loop {
        if let Some(cancel) = cancel {
            cancel.check()?;
        }
        let left = match deadline.remaining() {
            Some(left) if left.is_zero() => return Err(Interruption::TimedOut.into()),
            left if cancel.is_some() && bell.is_none() => {
                Some(left.map_or(SLICE, |left| left.min(SLICE)))
            }
            left => left,
        };
        // Rounded up, so as not to spin through the last millisecond.
        let timeout = left.map_or(-1, |left| {
            i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        });
        entries[sockets] = entry(bell, libc::POLLIN);
        let count = (sockets + usize::from(bell.is_some())) as libc::nfds_t;
        // SAFETY: `entries` holds at least `count` valid entries for the length of the call. Which
        // descriptors they name is of no matter to memory.
        match unsafe { libc::poll(entries.as_mut_ptr(), count, timeout) } {
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != ErrorKind::Interrupted {
                    return Err(SocketError::Io(error));
                }
            }
            0 => {}
            _ if entries[..sockets].iter().any(|entry| entry.revents != 0) => {
                // What is ready and cancelled at once is cancelled.
                return cancel.map_or(Ok(()), |cancel| Ok(cancel.check()?));
            }
            // Rung, but not for this process's handle, or not a bell any more: then it is of no use
            // here.
            _ if cancel.is_some_and(|it| it.check().is_ok()) => bell = None,
            _ => {}
        }
    }
}

/// connect(2) to a `sockaddr_in` or `sockaddr_in6`.
fn connect_to<Name>(stream: &TcpStream, name: &Name) -> io::Result<()> {
    // SAFETY: `name` is a whole socket address of the size that is told, and outlives the call.
    let result = unsafe {
        libc::connect(
            stream.as_raw_fd(),
            std::ptr::from_ref(name).cast(),
            size_of::<Name>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A descriptor that becomes readable when it is rung, and stays so.
///
/// It is a timer, and to ring it is to set it: that can neither block nor write anything, whatever the
/// host may have opened under the bell's number after it has closed it. (A write to an eventfd would
/// go into the host's file or pipe then.)
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    /// A bell that has not been rung.
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: timerfd_create(2) takes no pointers.
        let descriptor = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was opened just above, and nobody else owns it.
        Ok(Bell(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Makes it readable.
    pub fn ring(&self) {
        let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 1 };
        let time = libc::itimerspec { it_interval: never, it_value: at_once };
        // SAFETY: `time` is valid for the length of the call, and the time before is not asked for.
        // It fails only for what is no timer.
        unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &time, std::ptr::null_mut()) };
    }

    /// What becomes readable.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Starts a thread on which no signal of the host's is ever handled.
pub(super) fn spawn_without_signals(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    // SAFETY: a signal set is plain data, for which all zeros is a value.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { std::mem::zeroed() };
    // SAFETY: both sets are valid for the length of the calls. A thread begins with its maker's
    // mask, which is put back below.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let thread = thread::Builder::new().name(name.into()).spawn(work);
    // SAFETY: as above; the set is the one that was in force.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
    thread.map(drop)
}
