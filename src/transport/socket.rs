//! A non-blocking TCP socket that waits no longer than its attempt may, and what else is asked of
//! the platform directly. Unsafe code below the C boundary is here, in `process/mark.rs` and in
//! `wake/futex.rs` alone: the files to look at for another platform.
//!
//! Sockets stay non-blocking for life and wait in poll(2): a receive time-out would begin anew
//! with each byte, which is not a deadline.
#![allow(unsafe_code)]

use super::{Interruption, SocketError};
use crate::attempt::Attempt;
use crate::cancel::{Cancel, SLICE};
use crate::deadline::Deadline;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::thread;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("this platform has not been tried: see README.md, Platforms");

/// A connected, non-blocking socket.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Connects to `address`.
    pub fn connect(
        address: SocketAddr,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<Self, SocketError> {
        let stream = begin_connecting(address)?;
        wait(Some(stream.as_fd()), libc::POLLOUT, deadline, attempt.cancel())?;
        if let Some(error) = stream.take_error()? {
            return Err(SocketError::Io(error));
        }
        // A request is one small write that must not wait for more to come.
        stream.set_nodelay(true)?;
        Ok(Socket(stream))
    }

    /// Sends some of `bytes`, at least one, and returns how many.
    pub fn send(
        &self,
        bytes: &[u8],
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<usize, SocketError> {
        loop {
            // std sends with MSG_NOSIGNAL: a connection that is gone is an error, never SIGPIPE.
            match (&self.0).write(bytes) {
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
        wait(Some(self.0.as_fd()), libc::POLLIN, deadline, attempt.cancel())?;
        loop {
            match (&self.0).read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) => self.wait_after(error, libc::POLLIN, attempt, deadline)?,
            }
        }
    }

    /// Receives what is there without waiting; `None` if nothing is.
    pub fn receive_ready(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.0).read(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the peer has neither closed nor sent anything that nobody asked for.
    pub fn is_quiet(&self) -> bool {
        matches!(self.0.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether the peer has sent something that is still to be received.
    pub fn has_input(&self) -> bool {
        self.0.peek(&mut [0]).is_ok_and(|count| count > 0)
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
            ErrorKind::WouldBlock => wait(Some(self.0.as_fd()), events, deadline, attempt.cancel()),
            ErrorKind::Interrupted => Ok(()),
            _ => Err(SocketError::Io(error)),
        }
    }
}

/// Waits until `until`, unless `cancel` is triggered first.
pub(crate) fn pause(until: Deadline, cancel: Option<&Cancel>) -> Result<(), Interruption> {
    match wait(None, 0, until, cancel) {
        Err(SocketError::Interrupted(Interruption::Cancelled)) => Err(Interruption::Cancelled),
        // That poll(2) fails without a descriptor to look at takes a lack of memory.
        _ => Ok(()),
    }
}

/// Waits until one of `events` is ready on `socket`, or it has failed.
fn wait(
    socket: Option<BorrowedFd<'_>>,
    events: libc::c_short,
    deadline: Deadline,
    cancel: Option<&Cancel>,
) -> Result<(), SocketError> {
    let entry = |descriptor: Option<BorrowedFd<'_>>, events| libc::pollfd {
        // A negative descriptor is passed over.
        fd: descriptor.map_or(-1, |descriptor| descriptor.as_raw_fd()),
        events,
        revents: 0,
    };
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
        let mut ready = [entry(socket, events), entry(bell, libc::POLLIN)];
        let count = if bell.is_some() { 2 } else { 1 };
        // SAFETY: `ready` holds `count` valid entries for the length of the call, and their
        // descriptors are kept open by the borrows of them.
        match unsafe { libc::poll(ready.as_mut_ptr(), count, timeout) } {
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != ErrorKind::Interrupted {
                    return Err(SocketError::Io(error));
                }
            }
            _ if ready[0].revents != 0 => {
                // What is ready and cancelled at once is cancelled.
                return cancel.map_or(Ok(()), |cancel| Ok(cancel.check()?));
            }
            // Rung, but not for this process's handle: then it is of no use here.
            _ if ready[1].revents != 0 && cancel.is_some_and(|it| it.check().is_ok()) => {
                bell = None;
            }
            _ => {}
        }
    }
}

/// A non-blocking socket on its way to `address`. (std can connect with a time-out only socket by
/// socket and blocking, out of reach of a cancel.)
fn begin_connecting(address: SocketAddr) -> io::Result<TcpStream> {
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
        _ => Ok(stream),
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
#[derive(Debug)]
pub(crate) struct Bell(File);

impl Bell {
    /// A bell that has not been rung.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd(2) takes no pointers.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was opened just above, and nobody else owns it.
        Ok(Bell(unsafe { File::from_raw_fd(descriptor) }))
    }

    /// Makes it readable.
    pub fn ring(&self) {
        // Fails only once it has been rung more often than a 64-bit number can count.
        let _ = (&self.0).write_all(&1_u64.to_ne_bytes());
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
