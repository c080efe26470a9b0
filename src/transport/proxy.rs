//! Which proxy is on the way to the service: what the configuration says, or else the environment.

use super::socket::Socket;
use super::tunnel::Tunnel;
use super::{Fault, no_proxy};
use crate::base_url::{BaseUrl, is_loopback, port_in};
use crate::environment::Environment;
use crate::error::Error;
use crate::os::environment::NAMES_HAVE_CASE;
use crate::wait::Wait;
use percent_encoding::percent_decode_str;
use std::fmt;
use ureq::http::Uri;
use zeroize::Zeroizing;

/// A proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    protocol: Protocol,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Socks5,
}

/// What a proxy asks for; each at most 255 bytes.
#[derive(Clone)]
pub(super) struct Credentials {
    pub user: Zeroizing<String>,
    pub password: Zeroizing<String>,
}

impl Proxy {
    /// The proxy that a client for `base` is configured to use: the one at `url`, none if that is
    /// "", or without it the environment's.
    pub fn choose(
        url: Option<&str>,
        environment: Environment,
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
            None => {
                let proxy = Proxy::from_environment(environment, base)?;
                Ok(proxy.filter(|proxy| !would_leak(proxy)))
            }
        }
    }

    /// The environment's proxy for `base`, as curl would find it.
    fn from_environment(environment: Environment, base: &BaseUrl) -> Result<Option<Self>, Error> {
        let excepted = environment.first_of(&["no_proxy", "NO_PROXY"])?;
        if excepted.is_some_and(|list| no_proxy::names(&list.value, base.host(), base.port())) {
            return Ok(None);
        }
        let names: &[&str] = if base.is_https() {
            &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        } else if !environment.is_of_cgi() {
            &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        } else if NAMES_HAVE_CASE {
            &["http_proxy", "all_proxy", "ALL_PROXY"]
        } else {
            &["all_proxy", "ALL_PROXY"]
        };
        let Some(variable) = environment.first_of(names)? else { return Ok(None) };
        let source = format!("the environment variable {}", variable.name);
        Proxy::parse(&variable.value, &source).map(Some)
    }

    /// Checks a proxy's URL, which came from `source`. It is not quoted: it may hold a password.
    fn parse(url: &str, source: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Error::invalid_argument(format_args!("{source} {why}"));
        if url.bytes().any(|byte| byte == b' ' || byte.is_ascii_control()) {
            return Err(refuse("holds a space, a line end or a control character"));
        }
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        // What follows a # would be passed over, and a password's beginning be taken for a port.
        let uri: Option<Uri> = if url.contains('#') { None } else { with_scheme.parse().ok() };
        let uri = uri.ok_or_else(|| {
            refuse(
                "is not a URL (characters of a user or password that mean something in one must \
                 be percent-encoded)",
            )
        })?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let protocol = if is("http") {
            Protocol::Http
        } else if is("socks5") || is("socks5h") {
            Protocol::Socks5
        } else {
            return Err(refuse(if is("https") {
                "is an https:// URL, and no proxy is spoken to over TLS: use http://, by which what goes \
                 to the service is encrypted all the same"
            } else {
                "must begin with http://, socks5:// or socks5h://"
            }));
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

    /// How it is spoken to.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What it is told if it asks.
    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Asks the proxy, to which `socket` is connected, for the way to `host` and `port`.
    pub fn open(&self, socket: &Socket, host: &str, port: u16, wait: &Wait) -> Result<(), Fault> {
        Tunnel { proxy: self, socket, wait }.open(host, port)
    }
}

/// Where it is, and no more: messages name it.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_tells_protocol_place_and_credentials() {
        let proxy = Proxy::parse("socks5h://us%40er:p%3Aw@proxy.example", "x").expect("a proxy");
        assert_eq!(
            (proxy.protocol, proxy.host(), proxy.port()),
            (Protocol::Socks5, "proxy.example", 1080)
        );
        let credentials = proxy.credentials.expect("credentials");
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("us@er", "p:w"));
        let proxy = Proxy::parse("HTTP://[::1]:3128/", "x").expect("a proxy");
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
            "http://p#f",
            "http://user:12#hunter2@p",
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
}
