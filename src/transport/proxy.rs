//! Proxies on the way to the service: HTTP by CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, with
//! RFC 1929 for user and password). Both are told the service's name, which is not looked up here,
//! and are spoken to over our own socket, so that deadline and cancel hold.

use super::socket::Socket;
use super::{Fault, SocketError};
use crate::attempt::Attempt;
use crate::base_url::{BaseUrl, is_loopback, port_in};
use crate::deadline::Deadline;
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use std::env;
use std::net::IpAddr;
use ureq::http::Uri;
use zeroize::Zeroizing;

/// The largest head of a proxy's answer to CONNECT.
const LARGEST_HEAD: usize = 16 * 1024;

/// A proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    protocol: Protocol,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    Socks5,
}

#[derive(Clone)]
struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Proxy {
    /// The proxy that a client for `base` is configured to use: the one at `url`, none if that is
    /// "", or without it the environment's.
    pub fn choose(
        url: Option<&str>,
        base: &BaseUrl,
        may_be_seen: bool,
    ) -> Result<Option<Self>, Error> {
        // Plain http to this machine is safe only as long as it stays there.
        let would_leak =
            |proxy: &Proxy| !base.is_https() && !may_be_seen && !is_loopback(&proxy.host);
        match url {
            Some("") => Ok(None),
            Some(url) => {
                let proxy = Proxy::parse(url, "proxy_url")?;
                if would_leak(&proxy) {
                    return Err(Error::invalid_argument(
                        "proxy_url is on another machine, to which the credential would travel in \
                         the clear: use an https:// base_url, or set AV_CLIENT_ALLOW_PLAIN_HTTP",
                    ));
                }
                Ok(Some(proxy))
            }
            None => Ok(Proxy::from_environment(base)?.filter(|proxy| !would_leak(proxy))),
        }
    }

    /// The environment's proxy for `base`.
    fn from_environment(base: &BaseUrl) -> Result<Option<Self>, Error> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let excepted = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
        if is_excepted(&excepted, base.host(), base.port()) {
            return Ok(None);
        }
        let names: &[&str] = if base.is_https() {
            &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        } else if env::var_os("REQUEST_METHOD").is_some() {
            // A CGI program, in which HTTP_PROXY is whatever a request's Proxy header says.
            &["http_proxy", "ALL_PROXY", "all_proxy"]
        } else {
            &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        };
        for name in names {
            if let Some(url) = variable(name) {
                return Proxy::parse(&url, &format!("the environment variable {name}")).map(Some);
            }
        }
        Ok(None)
    }

    /// Checks a proxy's URL, which came from `source`. It is not quoted: it may hold a password.
    fn parse(url: &str, source: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Error::invalid_argument(format_args!("{source} {why}"));
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|_| refuse("is not a URL"))?;
        let protocol = match uri.scheme_str() {
            Some("http") => Protocol::Http,
            Some("socks5" | "socks5h") => Protocol::Socks5,
            _ => return Err(refuse("must begin with http://, socks5:// or socks5h://")),
        };
        let Some(authority) = uri.authority() else { return Err(refuse("has no host")) };
        let host = authority.host();
        let default_port = if protocol == Protocol::Http { 80 } else { 1080 };
        let port = port_in(authority, default_port);
        let (false, Some(port)) = (host.is_empty() || host.len() > 255, port) else {
            return Err(refuse("has no valid host and port"));
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(refuse("must have no path and no query"));
        }
        let credentials = match authority.as_str().rsplit_once('@') {
            Some((user_info, _)) => Some(Credentials::parse(user_info).ok_or_else(|| {
                refuse("has a user or password that is not UTF-8, has a control character or is longer than 255 bytes")
            })?),
            None => None,
        };
        Ok(Proxy { protocol, host: host.to_owned(), port, credentials })
    }

    /// Where it is.
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks the proxy, to which `socket` is connected, for the way to `host` and `port`.
    pub fn open(
        &self,
        socket: &Socket,
        host: &str,
        port: u16,
        attempt: &Attempt,
        deadline: Deadline,
    ) -> Result<(), Fault> {
        let way = Way { socket, attempt, deadline };
        match self.protocol {
            Protocol::Http => self.connect(&way, host, port),
            Protocol::Socks5 => self.socks5(&way, host, port),
        }
    }

    fn connect(&self, way: &Way<'_>, host: &str, port: u16) -> Result<(), Fault> {
        // The name of an IPv6 address stands in brackets here as in a URL.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut head =
            Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"));
        if let Some(credentials) = &self.credentials {
            let plain = Zeroizing::new(format!("{}:{}", *credentials.user, *credentials.password));
            let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
            head.push_str("Proxy-Authorization: Basic ");
            head.push_str(&encoded);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        way.send(head.as_bytes())?;
        match way.receive_head()? {
            200..=299 => Ok(()),
            // Some say 401 where 407 is meant.
            status @ (401 | 407) => Err(refused(&match self.credentials {
                Some(_) => format!("it does not accept the user and password ({status})"),
                None => format!("it asks for a user and password ({status})"),
            })),
            status => Err(refused(&format!("it answered with status {status}"))),
        }
    }

    fn socks5(&self, way: &Way<'_>, host: &str, port: u16) -> Result<(), Fault> {
        const VERSION: u8 = 5;
        const NO_AUTHENTICATION: u8 = 0;
        const USER_AND_PASSWORD: u8 = 2;
        const CONNECT: u8 = 1;

        let methods: &[u8] = match self.credentials {
            Some(_) => &[NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => &[NO_AUTHENTICATION],
        };
        way.send(&[&[VERSION, methods.len() as u8], methods].concat())?;
        match (way.receive::<2>()?, &self.credentials) {
            ([VERSION, NO_AUTHENTICATION], _) => {}
            ([VERSION, USER_AND_PASSWORD], Some(credentials)) => {
                let mut message = Zeroizing::new(vec![1]);
                for text in [&credentials.user, &credentials.password] {
                    // At most 255 bytes, as was checked when the URL was read.
                    message.push(text.len() as u8);
                    message.extend_from_slice(text.as_bytes());
                }
                way.send(&message)?;
                if way.receive::<2>()?[1] != 0 {
                    return Err(refused("it does not accept the user and password"));
                }
            }
            ([VERSION, _], Some(_)) => {
                return Err(refused("it accepts no user and password"));
            }
            ([VERSION, _], None) => return Err(refused("it asks for a user and password")),
            _ => return Err(refused("it does not speak SOCKS5")),
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
                    .map_err(|_| refused("the service's name is too long for SOCKS5"))?;
                message.extend([3, length]);
                message.extend(host.as_bytes());
            }
        }
        message.extend(port.to_be_bytes());
        way.send(&message)?;
        let [version, reply, _, address_type] = way.receive::<4>()?;
        if version != VERSION {
            return Err(refused("it does not speak SOCKS5"));
        }
        if reply != 0 {
            return Err(refused(socks5_reason(reply)));
        }
        // The address that the proxy connects from is of no interest, but stands in the way.
        match address_type {
            1 => way.receive::<6>().map(drop),
            4 => way.receive::<18>().map(drop),
            3 => {
                let [length] = way.receive::<1>()?;
                (0..u16::from(length) + 2).try_for_each(|_| way.receive::<1>().map(drop))
            }
            _ => Err(refused("it does not speak SOCKS5")),
        }
    }
}

impl Credentials {
    /// `user` or `user:password`, percent-encoded.
    fn parse(user_info: &str) -> Option<Self> {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let decode = |text: &str| {
            let text = Zeroizing::new(percent_decode_str(text).decode_utf8().ok()?.into_owned());
            (text.len() <= 255 && !text.chars().any(char::is_control)).then_some(text)
        };
        Some(Credentials { user: decode(user)?, password: decode(password)? })
    }
}

fn refused(why: &str) -> Fault {
    Fault::NotConnected(format!("the proxy gives no way to the service: {why}"))
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

/// A connection to a proxy that does not lead further yet.
struct Way<'a> {
    socket: &'a Socket,
    attempt: &'a Attempt,
    deadline: Deadline,
}

impl Way<'_> {
    fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        self.socket.send_all(bytes, self.attempt, self.deadline).map_err(broke_off)
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
        match self.socket.receive(buffer, self.attempt, self.deadline).map_err(broke_off)? {
            0 => Err(refused("it closed the connection")),
            count => Ok(count),
        }
    }

    /// Receives the head of an HTTP answer and returns its status. Nothing may follow it before
    /// this side has spoken.
    fn receive_head(&self) -> Result<u16, Fault> {
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let count = self.receive_some(&mut buffer)?;
            head.extend_from_slice(&buffer[..count]);
            if !head.contains(&b'\n') && head.len() <= LARGEST_HEAD {
                continue;
            }
            // What speaks another protocol may wait for an answer for ever: its first line is enough.
            let status = status_of(&head).ok_or_else(|| refused("it does not speak HTTP"))?;
            match head.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) {
                Some(end) if end < head.len() && (200..300).contains(&status) => {
                    return Err(refused("it sent more than it was asked for"));
                }
                Some(_) => return Ok(status),
                None if head.len() > LARGEST_HEAD => return Err(refused("its answer is too long")),
                None => {}
            }
        }
    }
}

/// The status in the first line of an HTTP answer.
fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next()?.strip_prefix("HTTP/1.")?;
    words.next()?.parse().ok()
}

fn broke_off(error: SocketError) -> Fault {
    error.while_connecting("the connection to the proxy broke off")
}

/// Whether a list as NO_PROXY holds it names a host: by its own name or that of a domain it is in,
/// with or without a leading dot, or by "*"; with a port for that port alone.
fn is_excepted(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let is_address = host.parse::<IpAddr>().is_ok();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let (name, entry_port) = match entry.rsplit_once(':') {
            // Not the last part of a bare IPv6 address.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                // What is no port is the port of nothing.
                (name, Some(port.parse().unwrap_or(0)))
            }
            _ => (entry.as_str(), None),
        };
        let name = name.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.');
        entry_port.is_none_or(|entry_port: u16| entry_port == port)
            && (name == "*"
                || host == name
                || !is_address && host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_names_hosts_domains_and_ports() {
        for list in [
            "*",
            "ws.api.video",
            "api.video",
            ".api.video",
            "*.api.video",
            "WS.API.VIDEO",
            "a, b ,api.video",
            "a b api.video",
            "api.video:443",
        ] {
            assert!(is_excepted(list, "ws.api.video", 443), "{list}");
        }
        for list in
            ["", ",", "video.example", "s.api.video", "api.video:80", "127.0.0.1", "x.ws.api.video"]
        {
            assert!(!is_excepted(list, "ws.api.video", 443), "{list}");
        }
        assert!(is_excepted("::1", "[::1]", 80));
        assert!(is_excepted("[::1]:80", "[::1]", 80));
        assert!(!is_excepted("[::1]:81", "[::1]", 80));
        assert!(is_excepted("127.0.0.1", "127.0.0.1", 80));
        assert!(!is_excepted("0.0.1", "127.0.0.1", 80));
        assert!(!is_excepted("localhost:http", "localhost", 80));
    }

    #[test]
    fn a_proxy_url_tells_protocol_place_and_credentials() {
        let proxy = Proxy::parse("socks5h://us%40er:p%3Aw@proxy.example", "x").expect("a proxy");
        assert_eq!(
            (proxy.protocol, proxy.host(), proxy.port()),
            (Protocol::Socks5, "proxy.example", 1080)
        );
        let credentials = proxy.credentials.expect("credentials");
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("us@er", "p:w"));
        let proxy = Proxy::parse("[::1]:3128", "x").expect("a proxy");
        assert_eq!((proxy.protocol, proxy.host(), proxy.port()), (Protocol::Http, "::1", 3128));
        assert!(proxy.credentials.is_none());
    }

    #[test]
    fn a_bad_proxy_url_is_refused_without_being_quoted() {
        for url in [
            "https://proxy",
            "ftp://user:hunter2@p",
            "http://",
            "http://p:0",
            "http://p:65536",
            "http://p/path",
            "http://p?q",
            "http://user:%ff@p",
            "http://u:%0d%0a@p",
            ":",
            "http://p:x",
        ] {
            let Err(error) = Proxy::parse(url, "proxy_url") else { panic!("{url} was accepted") };
            assert!(error.to_string().contains("proxy_url"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status_of(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status_of(b"HTTP/1.0 407\r\n"), Some(407));
        assert_eq!(status_of(b"SSH-2.0-x\r\n"), None);
        assert_eq!(status_of(b""), None);
    }
}
