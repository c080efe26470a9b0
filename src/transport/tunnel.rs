//! The way through a proxy: HTTP's CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, with RFC 1929 for
//! user and password). Both are told the service's name, which is not looked up here, and are spoken to
//! over our own socket, so that deadline and cancel hold.

use super::Fault;
use super::proxy::{Credentials, Protocol, Proxy};
use super::socket::Socket;
use crate::error::Failure;
use crate::limits::LARGEST_PROXY_HEAD;
use crate::wait::{Broken, Wait};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use httparse::{EMPTY_HEADER, ParserConfig, Response, Status};
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// A connection to a proxy that does not lead further yet.
pub(super) struct Tunnel<'a> {
    pub proxy: &'a Proxy,
    pub socket: &'a Socket,
    pub wait: &'a Wait,
}

impl Tunnel<'_> {
    /// Has the proxy connect to `host` and `port`.
    pub fn open(&self, host: &str, port: u16) -> Result<(), Fault> {
        match self.proxy.protocol() {
            Protocol::Http => self.connect(host, port),
            Protocol::Socks5 => self.socks5(host, port),
        }
    }

    fn connect(&self, host: &str, port: u16) -> Result<(), Fault> {
        // The name of an IPv6 address stands in brackets here as in a URL.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut head =
            Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"));
        if let Some(credentials) = self.proxy.credentials() {
            let plain = Zeroizing::new(format!("{}:{}", *credentials.user, *credentials.password));
            let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
            head.push_str("Proxy-Authorization: Basic ");
            head.push_str(&encoded);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes())?;
        match self.receive_status()? {
            200..=299 => Ok(()),
            // Some say 401 where 407 is meant.
            status @ (401 | 407) => Err(self.refused(&match self.proxy.credentials() {
                Some(_) => format!("it does not accept the user and password ({status})"),
                None => format!("it asks for a user and password ({status})"),
            })),
            status => {
                let why = format!("it answered with status {status}");
                // What the service itself would not be asked again after.
                let is_temporary = Failure::Http(status).is_temporary();
                Err(if is_temporary { self.failed(&why) } else { self.refused(&why) })
            }
        }
    }

    fn socks5(&self, host: &str, port: u16) -> Result<(), Fault> {
        const VERSION: u8 = 5;
        const NO_AUTHENTICATION: u8 = 0;
        const USER_AND_PASSWORD: u8 = 2;
        const CONNECT: u8 = 1;

        let methods: &[u8] = match self.proxy.credentials() {
            Some(_) => &[NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => &[NO_AUTHENTICATION],
        };
        self.send(&[&[VERSION, methods.len() as u8], methods].concat())?;
        match (self.receive::<2>()?, self.proxy.credentials()) {
            ([VERSION, NO_AUTHENTICATION], _) => {}
            ([VERSION, USER_AND_PASSWORD], Some(credentials)) => self.log_in(credentials)?,
            ([VERSION, method], Some(_)) => {
                let why = format!("it accepts no user and password (method {method})");
                return Err(self.refused(&why));
            }
            ([VERSION, method], None) => {
                let why = format!("it asks for a user and password (method {method})");
                return Err(self.refused(&why));
            }
            _ => return Err(self.refused("it does not speak SOCKS5")),
        }

        let mut message = vec![VERSION, CONNECT, 0];
        match host.parse() {
            Ok(IpAddr::V4(ip)) => {
                message.push(1);
                message.extend(ip.octets());
            }
            Ok(IpAddr::V6(ip)) => {
                message.push(4);
                message.extend(ip.octets());
            }
            Err(_) => {
                let length = u8::try_from(host.len())
                    .map_err(|_| self.refused("the service's name is too long for SOCKS5"))?;
                message.extend([3, length]);
                message.extend(host.as_bytes());
            }
        }
        message.extend(port.to_be_bytes());
        self.send(&message)?;
        // Of a refusal some send no more than this.
        let [version, reply] = self.receive()?;
        if version != VERSION {
            return Err(self.refused("it does not speak SOCKS5"));
        }
        if reply != 0 {
            let why = format!("{} (reply {reply})", socks5_reason(reply));
            // What its rules or its abilities say, they will say again.
            return Err(match reply {
                2 | 7 | 8 => self.refused(&why),
                _ => self.failed(&why),
            });
        }
        // The address that the proxy connects from is of no interest, but stands in the way.
        let [_, address_type] = self.receive()?;
        match address_type {
            1 => self.receive::<6>().map(drop),
            4 => self.receive::<18>().map(drop),
            3 => {
                let [length] = self.receive::<1>()?;
                (0..u16::from(length) + 2).try_for_each(|_| self.receive::<1>().map(drop))
            }
            _ => Err(self.refused("it does not speak SOCKS5")),
        }
    }

    /// Tells a SOCKS5 proxy user and password.
    fn log_in(&self, credentials: &Credentials) -> Result<(), Fault> {
        let mut message = Zeroizing::new(vec![1]);
        for text in [&credentials.user, &credentials.password] {
            // At most 255 bytes, as was checked when the URL was read.
            message.push(text.len() as u8);
            message.extend_from_slice(text.as_bytes());
        }
        match self.send(&message).and_then(|()| self.receive()) {
            Ok([_, 0]) => Ok(()),
            Ok([_, status]) => {
                let why = format!("it does not accept the user and password (status {status})");
                Err(self.refused(&why))
            }
            // Which is how some refuse them.
            Err(Fault::NotConnected(_)) => {
                Err(self.refused("it closed the connection once it was told the user and password"))
            }
            Err(fault) => Err(fault),
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let sent = self.socket.send_all(bytes, self.wait);
        sent.map_err(|error| self.broke_off(error))
    }

    /// Receives just as many bytes: those that follow are no longer the proxy's.
    fn receive<const COUNT: usize>(&self) -> Result<[u8; COUNT], Fault> {
        let mut bytes = [0; COUNT];
        let mut filled = 0;
        while filled < COUNT {
            filled += self.receive_some(&mut bytes[filled..])?;
        }
        Ok(bytes)
    }

    fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let received = self.socket.receive(buffer, self.wait);
        match received.map_err(|error| self.broke_off(error))? {
            0 => Err(self.failed("it closed the connection")),
            count => Ok(count),
        }
    }

    /// Receives the head of an HTTP answer and returns its status. Nothing may follow it before
    /// this side has spoken.
    fn receive_status(&self) -> Result<u16, Fault> {
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let count = self.receive_some(&mut buffer)?;
            head.extend_from_slice(&buffer[..count]);
            loop {
                match read_head(&mut head) {
                    Ok(Status::Partial) => break,
                    // Only says that more will come.
                    Ok(Status::Complete((100 | 102..=199, length))) => drop(head.drain(..length)),
                    Ok(Status::Complete((200..=299, length))) if length < head.len() => {
                        return Err(self.refused("it sent more than it was asked for"));
                    }
                    Ok(Status::Complete((status, _))) => return Ok(status),
                    Err(_) => return Err(self.refused("it does not speak HTTP")),
                }
            }
            if head.len() > LARGEST_PROXY_HEAD {
                return Err(self.refused("its answer is too long"));
            }
        }
    }

    /// What would be refused the next time too: a wrong password tried again locks accounts.
    #[cold]
    fn refused(&self, why: &str) -> Fault {
        Fault::ProxyRefused(self.no_way(why))
    }

    /// What may go well the next time.
    #[cold]
    fn failed(&self, why: &str) -> Fault {
        Fault::NotConnected(self.no_way(why))
    }

    fn no_way(&self, why: &str) -> String {
        format!("{self} gives no way to the service: {why}")
    }

    #[cold]
    fn broke_off(&self, broken: Broken) -> Fault {
        Fault::while_connecting(broken, format_args!("the connection to {self} broke off"))
    }
}

/// The proxy as messages name it.
impl fmt::Display for Tunnel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}", self.proxy)
    }
}

/// What a SOCKS5 reply says (RFC 1928, 6).
fn socks5_reason(reply: u8) -> &'static str {
    match reply {
        1 => "it failed",
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached or has no address",
        5 => "the service refuses the connection",
        6 => "the connection took too long",
        7 | 8 => "it does not understand the request",
        _ => "it gave no known reason",
    }
}

/// The status and the length of an HTTP answer's head, once that is there. A refusal is known by its
/// first line, and what speaks another protocol may be by its first byte: it might say no more.
fn read_head(head: &mut [u8]) -> httparse::Result<(u16, usize)> {
    let mut config = ParserConfig::default();
    config
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_space_before_first_header_name(true)
        .ignore_invalid_headers_in_responses(true);
    without_control_characters(head);
    let mut headers = vec![EMPTY_HEADER; 64];
    loop {
        let mut response = Response::new(&mut headers);
        match (config.parse_response(&mut response, head), response.code) {
            // They are not read, but stand in the way.
            (Err(httparse::Error::TooManyHeaders), _) => {}
            (Ok(Status::Partial), Some(status @ 300..)) => {
                return Ok(Status::Complete((status, head.len())));
            }
            (parsed, status) => {
                let status = status.unwrap_or_default();
                return parsed.map(|parsed| match parsed {
                    Status::Complete(length) => Status::Complete((status, length)),
                    Status::Partial => Status::Partial,
                });
            }
        }
        headers = vec![EMPTY_HEADER; headers.len() * 2];
    }
}

/// Puts something harmless in the place of control characters: a reason may hold anything.
fn without_control_characters(head: &mut [u8]) {
    for at in 0..head.len() {
        let is_line_end = match head[at] {
            b'\r' => head.get(at + 1).is_none_or(|&next| next == b'\n'),
            byte => byte == b'\n',
        };
        if head[at].is_ascii_control() && !is_line_end {
            head[at] = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(head: &str) -> Option<Option<u16>> {
        match read_head(&mut head.as_bytes().to_vec()) {
            Ok(Status::Complete((status, length))) if length == head.len() => Some(Some(status)),
            Ok(Status::Complete(_)) => None,
            Ok(Status::Partial) => Some(None),
            Err(_) => None,
        }
    }

    #[test]
    fn an_answers_head_is_read_in_many_forms() {
        let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(500));
        for head in [
            "HTTP/1.1 200 Connection established\r\n\r\n",
            "HTTP/1.0 200 OK\n\n",
            "HTTP/1.1 200\r\n\r\n",
            "HTTP/1.1 200 \n\n",
            "HTTP/1.1  200  OK\r\n\r\n",
            "HTTP/1.1 200 \u{1}\u{1b}[31m\u{0}\rétabli\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: folded\r\n\tline\r\n more\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\nspaced name: y\r\n: z\r\nX: \u{0}\r\n\r\n",
            "HTTP/1.1 200 OK\r\n leading: space\r\n\r\n",
            "HTTP/1.1 200 OK\nX: y\r\nZ:\n\r\n",
            &many_headers,
        ] {
            assert_eq!(status_of(head), Some(Some(200)), "{head:?}");
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_first_line_and_a_success_once_it_is_whole() {
        assert_eq!(status_of("HTTP/1.1 407 Proxy"), Some(Some(407)));
        assert_eq!(status_of("HTTP/1.1 302 Found\r\nLocation: x"), Some(Some(302)));
        for head in
            ["", "HT", "HTTP/1.1 40", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n\r"]
        {
            assert_eq!(status_of(head), Some(None), "{head:?}");
        }
    }

    #[test]
    fn another_protocol_is_known_by_how_it_begins() {
        for head in [
            "S",
            "SSH-2.0-x\r\n",
            "\u{15}\u{3}",
            "\u{5}",
            "HTTP/2 200\r\n",
            "HTTP/1.1 abc\r\n",
            "ICY 200",
        ] {
            assert_eq!(status_of(head), None, "{head:?}");
        }
    }
}
