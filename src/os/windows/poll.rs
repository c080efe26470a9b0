//! select: waiting until one of several sockets is ready. WSAPoll does not tell of a connection that has
//! failed before Windows 10 of 2020.

use super::sleep::milliseconds;
use std::io;
use std::marker::PhantomData;
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket};
use std::thread;
use std::time::Duration;
use windows_sys::Win32::Networking::WinSock::{FD_SET, SOCKET, SOCKET_ERROR, TIMEVAL, select};

/// What can be waited for.
pub(in crate::os) type Pollable<'socket> = BorrowedSocket<'socket>;

/// What has such a thing.
pub(crate) trait AsPollable {
    fn as_pollable(&self) -> Pollable<'_>;
}

impl AsPollable for socket2::Socket {
    fn as_pollable(&self) -> Pollable<'_> {
        self.as_socket()
    }
}

/// A socket, what it is waited for, and once that is over, whether it is ready.
pub(crate) struct Entry<'socket> {
    socket: Option<SOCKET>,
    reads: bool,
    writes: bool,
    is_readable: bool,
    is_ready: bool,
    lent: PhantomData<BorrowedSocket<'socket>>,
}

impl<'socket> Entry<'socket> {
    /// No socket: it is never ready.
    pub(crate) const NONE: Self = Entry::new(None, false, false);

    const fn new(socket: Option<SOCKET>, reads: bool, writes: bool) -> Self {
        Entry { socket, reads, writes, is_readable: false, is_ready: false, lent: PhantomData }
    }

    /// Waits for something to receive, or for the end.
    pub fn readable(socket: &'socket impl AsPollable) -> Self {
        Entry::new(Some(socket.as_pollable().as_raw_socket() as SOCKET), true, false)
    }

    /// Waits for room to send, or for a connection.
    pub fn writable(socket: &'socket impl AsPollable) -> Self {
        Entry::new(Some(socket.as_pollable().as_raw_socket() as SOCKET), false, true)
    }

    /// Waits for either.
    pub fn readable_or_writable(socket: &'socket impl AsPollable) -> Self {
        Entry::new(Some(socket.as_pollable().as_raw_socket() as SOCKET), true, true)
    }

    /// Whether there is something to receive, the end, or a failure.
    pub fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether it is ready, or has failed.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }
}

/// Waits until one of `entries` is ready or has failed, or `timeout` has passed; `None` is for ever. It may
/// return early, with none that is ready. No more sockets than a set has room for are waited for at once.
pub(crate) fn poll(entries: &mut [Entry<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let set = |wanted: fn(&Entry<'_>) -> bool| {
        let mut set = FD_SET { fd_count: 0, fd_array: [0; 64] };
        let sockets = entries.iter().filter(|entry| wanted(entry)).filter_map(|entry| entry.socket);
        for (place, socket) in set.fd_array.iter_mut().zip(sockets) {
            *place = socket;
            set.fd_count += 1;
        }
        set
    };
    let mut readable = set(|entry| entry.reads);
    let mut writable = set(|entry| entry.writes);
    // Where it is told that a connection could not be made.
    let mut failed = set(|entry| entry.writes);
    if readable.fd_count == 0 && writable.fd_count == 0 {
        // select refuses to wait for nothing.
        thread::sleep(timeout.unwrap_or(Duration::MAX));
        entries.iter_mut().for_each(|entry| (entry.is_readable, entry.is_ready) = (false, false));
        return Ok(());
    }
    let until = timeout.map(|time| {
        let milliseconds = i32::try_from(milliseconds(time)).unwrap_or(i32::MAX);
        TIMEVAL { tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000 }
    });
    let until = until.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the sets hold as many sockets as they tell, and they and the time outlive the call. The number
    // in front is of no meaning here.
    let count = unsafe { select(0, &raw mut readable, &raw mut writable, &raw mut failed, until) };
    if count == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    let is_in = |set: &FD_SET, socket| set.fd_array[..set.fd_count as usize].contains(&socket);
    for entry in entries {
        let socket = entry.socket;
        let is_told = |set| socket.is_some_and(|socket| is_in(set, socket));
        let has_failed = entry.writes && is_told(&failed);
        entry.is_readable = has_failed || entry.reads && is_told(&readable);
        entry.is_ready = entry.is_readable || entry.writes && is_told(&writable);
    }
    Ok(())
}
