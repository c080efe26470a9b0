//! A TLS session over a socket, which waits no longer than it may in every phase.

use super::socket::{Socket, Step};
use super::{Fault, Trust, explain};
use crate::limits::MOST_ENCRYPTED_AHEAD;
use crate::wait::{Broken, Wait};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConnection};
use std::io::{self, IoSlice, Read, Write};

/// How many times it is read what an idle connection has sent of TLS's own messages.
const MOST_UNASKED_READS: usize = 8;

/// The most that a record holds, and that it adds, whatever the cipher. (RFC 5246, 6.2; RFC 5288, 3)
const RECORD: usize = 16 * 1024;
const LARGEST_OVERHEAD: usize = 5 + 8 + 16;

/// One established TLS session.
#[derive(Debug)]
pub(crate) struct TlsSession {
    session: ClientConnection,
    /// How many bytes it has encrypted at most that are still to be sent.
    unsent: usize,
}

impl TlsSession {
    /// Agrees on TLS with `host`, whose certificate must be valid for that name.
    pub fn establish(
        socket: &Socket,
        host: &str,
        trust: &Trust,
        wait: &Wait,
    ) -> Result<Self, Fault> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Fault::TlsRefused(format!("{host} is no name that TLS can verify")))?;
        let mut session = ClientConnection::new(trust.config(), name)
            .map_err(|error| Fault::TlsRefused(explain::handshake(&error, host)))?;
        let mut wire = Wire { socket, wait, broken: None };
        while session.is_handshaking() || session.wants_write() {
            wire.flush_session(&mut session).map_err(broke_off)?;
            if session.is_handshaking() && wire.fill_session(&mut session, host)? == 0 {
                return Err(Fault::NotConnected(
                    "the TLS handshake broke off: the server closed the connection".into(),
                ));
            }
        }
        // One record is begun before that is reached, and what is added to each counts as well.
        session.set_buffer_limit(Some(2 * MOST_ENCRYPTED_AHEAD));
        Ok(TlsSession { session, unsent: 0 })
    }

    /// Sends all of `bytes`.
    pub fn send(&mut self, socket: &Socket, bytes: &[u8], wait: &Wait) -> Result<(), Fault> {
        let mut wire = Wire { socket, wait, broken: None };
        let mut rest = bytes;
        while !rest.is_empty() {
            // Takes at least a record's worth: the session's buffer is emptied after each turn.
            rest = &rest[self.encrypt(rest)?..];
            wire.flush_session(&mut self.session)?;
        }
        Ok(())
    }

    /// Sends what there is room for, without waiting: many records at once, of which some are encrypted
    /// ahead.
    pub fn send_ready(&mut self, socket: &Socket, bytes: &[u8]) -> Result<Step, Fault> {
        let mut step = Step::default();
        while step.taken < bytes.len() && self.unsent < MOST_ENCRYPTED_AHEAD {
            let rest = &bytes[step.taken..];
            let taken = self.encrypt(&rest[..rest.len().min(RECORD)])?;
            step.taken += taken;
            step.worth += taken + LARGEST_OVERHEAD;
            self.unsent += taken + LARGEST_OVERHEAD;
        }
        let mut room = Room { socket, offered: 0 };
        step.sent = self.session.write_tls(&mut room).map_err(Fault::Broken)?;
        step.is_full = step.sent < room.offered;
        self.unsent = match self.session.wants_write() {
            true => self.unsent.saturating_sub(step.sent),
            false => 0,
        };
        Ok(step)
    }

    /// Takes some of `bytes` to be sent encrypted, and tells how many.
    fn encrypt(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        match self.session.writer().write(bytes) {
            Ok(taken) if taken > 0 => Ok(taken),
            // Trying that again would go on for ever.
            _ => Err(Fault::Failed("the TLS session takes no more to send".into())),
        }
    }

    /// Whether anything is encrypted that is still to be sent.
    pub fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    /// Receives what is there without waiting; 0 means that the peer has closed. `None` if nothing is
    /// there but TLS's own messages, such as the tickets for a later resumption.
    pub fn receive_ready(
        &mut self,
        socket: &Socket,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, Fault> {
        for _ in 0..MOST_UNASKED_READS {
            if let Some(count) = self.read_decrypted(buffer)? {
                return Ok(Some(count));
            }
            match self.session.read_tls(&mut Ready(socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(Fault::Broken(error)),
            }
            self.session.process_new_packets().map_err(refused_or_broken)?;
        }
        self.read_decrypted(buffer)
    }

    /// Reads what has been received and decrypted, if anything has.
    fn read_decrypted(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Fault> {
        match self.session.reader().read(buffer) {
            Ok(count) => Ok(Some(count)),
            // A server that closes without saying so. What it may have cut off is found out by the
            // length that it told, and by the JSON, which shows its own end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Some(0)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(Fault::Failed(format!("the TLS session broke: {error}"))),
        }
    }

    /// Receives into `buffer`; 0 means that the peer has closed.
    pub fn receive(
        &mut self,
        socket: &Socket,
        buffer: &mut [u8],
        wait: &Wait,
    ) -> Result<usize, Fault> {
        let mut wire = Wire { socket, wait, broken: None };
        loop {
            if let Some(count) = self.read_decrypted(buffer)? {
                return Ok(count);
            }
            self.session.read_tls(&mut wire).map_err(|error| wire.reason(error))?;
            self.session.process_new_packets().map_err(refused_or_broken)?;
            // Answers to what was received, such as a key update.
            wire.flush_session(&mut self.session)?;
        }
    }

    /// Whether the peer has neither closed nor sent anything but TLS's own messages, such as the
    /// tickets for a later resumption.
    pub fn is_quiet(&mut self, socket: &Socket) -> bool {
        let mut ready = Ready(socket);
        // Whoever sends more than this without being asked is not quiet.
        for _ in 0..MOST_UNASKED_READS {
            // First for what came in one go with the last answer, and is decrypted already.
            match self.session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
            match self.session.read_tls(&mut ready) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}

/// The socket as rustls wants it, with what it may wait and its true error remembered.
struct Wire<'a> {
    socket: &'a Socket,
    wait: &'a Wait,
    broken: Option<Broken>,
}

impl Wire<'_> {
    /// Sends what the session has ready.
    fn flush_session(&mut self, session: &mut ClientConnection) -> Result<(), Broken> {
        while session.wants_write() {
            session.write_tls(self).map_err(|error| self.reason(error))?;
        }
        Ok(())
    }

    /// Takes in what the peer sends during the handshake; 0 means that it has closed.
    fn fill_session(&mut self, session: &mut ClientConnection, host: &str) -> Result<usize, Fault> {
        let count = session.read_tls(self).map_err(|error| broke_off(self.reason(error)))?;
        if let Err(error) = session.process_new_packets() {
            // The peer should learn why, but its silence or absence is no news here.
            let _ = self.flush_session(session);
            return Err(Fault::TlsRefused(explain::handshake(&error, host)));
        }
        Ok(count)
    }

    /// The socket's own error behind the one that came through rustls.
    #[cold]
    fn reason(&mut self, error: io::Error) -> Broken {
        self.broken.take().unwrap_or(Broken::Io(error))
    }

    fn keep(&mut self, result: Result<usize, Broken>) -> io::Result<usize> {
        result.map_err(|broken| {
            self.broken = Some(broken);
            io::ErrorKind::Other.into()
        })
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.socket.receive(buffer, self.wait);
        self.keep(result)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.socket.send(bytes, self.wait);
        self.keep(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What there is room for now, without waiting: nothing is no error.
struct Room<'a> {
    socket: &'a Socket,
    offered: usize,
}

impl Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, records: &[IoSlice<'_>]) -> io::Result<usize> {
        self.offered = records.iter().map(|record| record.len()).sum();
        self.socket.send_ready_vectored(records)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is there to be read now, without waiting.
struct Ready<'a>(&'a Socket);

impl Read for Ready<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive_ready(buffer)?.ok_or(io::ErrorKind::WouldBlock.into())
    }
}

/// The handshake broke off.
#[cold]
fn broke_off(broken: Broken) -> Fault {
    Fault::while_connecting(broken, "the TLS handshake broke off")
}

/// What it means that an established session fails. In TLS 1.3 a server that wants a certificate of
/// its clients says so only once they believe the handshake to be over.
#[cold]
fn refused_or_broken(error: rustls::Error) -> Fault {
    match error {
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Fault::TlsRefused(explain::handshake(&error, "the server"))
        }
        other => Fault::Failed(format!("the TLS session broke: {}", explain::session(&other))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::trace::Tracer;
    use crate::transport::dial::{self, Preference};
    use crate::wait::deadline::Deadline;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};
    use std::net::TcpListener;
    use std::sync::Arc;

    /// Trust in an authority, and the settings of a server with a certificate of it for this machine.
    pub(in crate::transport) fn trust_and_server() -> (Trust, ServerConfig) {
        let key = || KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
        let server_key = key();
        let server = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()])
            .and_then(|server| server.signed_by(&server_key, &authority))
            .expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(server_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], key)
            .expect("a server's settings");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), authority.pem()).expect("a file's contents");
        let trust = Trust::new(file.path().to_str(), Environment::of_this_process());
        (trust.expect("an authority"), config)
    }

    #[test]
    fn a_session_that_takes_nothing_to_send_is_a_fault_and_no_endless_loop() {
        let (trust, server) = trust_and_server();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a connection");
            let mut session = ServerConnection::new(Arc::new(server)).expect("a session");
            while session.complete_io(&mut socket).is_ok_and(|(read, _)| read > 0) {}
        });

        let (wait, preference) = (Wait::new(Deadline::NEVER, None), Preference::default());
        let socket = dial::connect("localhost", vec![address], &preference, &wait, &Tracer::off());
        let socket = socket.expect("a connection");
        let session = TlsSession::establish(&socket, "localhost", &trust, &wait);
        let mut session = session.expect("a session");
        session.send(&socket, b"some", &wait).expect("room");
        session.session.set_buffer_limit(Some(0));
        let result = session.send(&socket, b"more", &wait);
        assert!(matches!(&result, Err(Fault::Failed(why)) if why.contains("TLS")), "{result:?}");
        drop((socket, session));
        server.join().expect("the server ends");
    }
}
