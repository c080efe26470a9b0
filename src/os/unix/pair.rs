//! A pair of sockets by which one thread wakes another that waits in poll(2).

use crate::os::platform::stream;
use crate::os::poll::{AsPollable, Pollable};
use socket2::{Domain, Socket, Type};
use std::io;

/// Something that becomes readable when it is set off, and stays so.
///
/// It is no pipe: whatever the host may have opened under its number after it has closed it, to send fails for
/// a file, where to write would go into it, and never blocks.
#[derive(Debug)]
pub(crate) struct Wake {
    reader: Socket,
    writer: Socket,
}

impl Wake {
    /// One that has not been set off.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
        Ok(Wake { reader, writer })
    }

    /// Makes it readable. A signal handler may do so.
    pub fn set_off(&self) {
        // It fails if there is no room, which is as good: then there is something to be read.
        let _ = self.writer.send_with_flags(b"x", stream::SENDING);
    }
}

impl AsPollable for Wake {
    fn as_pollable(&self) -> Pollable<'_> {
        self.reader.as_pollable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::poll::{Entry, poll};
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    fn is_readable(wake: &Wake) -> bool {
        let mut entries = [Entry::readable(wake)];
        poll(&mut entries, Some(Duration::ZERO)).expect("a valid descriptor");
        entries[0].is_readable()
    }

    #[test]
    fn it_is_readable_once_it_is_set_off_and_stays_so() {
        let wake = Wake::new().expect("two descriptors");
        assert!(!is_readable(&wake));
        wake.set_off();
        assert!(is_readable(&wake) && is_readable(&wake));
    }

    #[test]
    fn to_set_it_off_never_blocks() {
        let wake = Wake::new().expect("two descriptors");
        // Far more than there is room for.
        (0..1 << 16).for_each(|_| wake.set_off());
        assert!(is_readable(&wake));
    }

    #[test]
    fn nothing_goes_into_a_file_that_has_come_in_its_place() {
        let file = tempfile::tempfile().expect("a file");
        let in_its_place = |file: File| Socket::from(OwnedFd::from(file));
        let reader = in_its_place(file.try_clone().expect("a descriptor"));
        let writer = in_its_place(file.try_clone().expect("a descriptor"));
        Wake { reader, writer }.set_off();
        assert_eq!(file.metadata().expect("what is told of it").len(), 0);
    }
}
