//! Where the service is: a base URL, checked once when a client is made.

use crate::error::Error;
use crate::limits::LONGEST_BASE_URL;
use std::net::IpAddr;
use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};

/// The production service (source: the service's reference, "Authentication").
pub const PRODUCTION: &str = "https://ws.api.video";

/// A checked base URL: scheme, host and port, and a path prefix without a trailing slash.
#[derive(Debug)]
pub(crate) struct BaseUrl {
    pub scheme: Scheme,
    pub authority: Authority,
    pub prefix: String,
}

impl BaseUrl {
    /// Checks `url`, which may be plain http only to this machine unless `allow_plain_http`.
    pub fn parse(url: &str, allow_plain_http: bool) -> Result<Self, Error> {
        let refuse = |why: &str| Error::invalid_argument(format_args!("base_url {why}"));
        if url.len() > LONGEST_BASE_URL {
            return Err(refuse(&format!("is longer than {LONGEST_BASE_URL} bytes")));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("holds a space, a control character or a non-ASCII character"));
        }
        if url.contains(['?', '#']) {
            return Err(refuse("must have no query and no fragment"));
        }
        let parts = url
            .parse::<Uri>()
            .map_err(|error| refuse(&format!("is not a URL: {error}")))?
            .into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(refuse("must be a whole URL, such as https://ws.api.video"));
        };
        if scheme != Scheme::HTTPS && scheme != Scheme::HTTP {
            return Err(refuse("must begin with https:// (or http://)"));
        }
        if authority.as_str().contains('@') {
            return Err(refuse("must hold no user name or password"));
        }
        if authority.host().is_empty() || port_in(&authority, 80).is_none() {
            return Err(refuse("has no valid host and port"));
        }
        if scheme == Scheme::HTTP && !allow_plain_http && !is_loopback(authority.host()) {
            return Err(refuse(
                "is plain http:// to another machine, where anyone on the way could read the \
                 credential: use https://, or set AV_CLIENT_ALLOW_PLAIN_HTTP",
            ));
        }
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        Ok(BaseUrl { scheme, authority, prefix: path.trim_end_matches('/').to_owned() })
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        let default = if self.is_https() { 443 } else { 80 };
        // That it is a port was checked when the URL was read.
        port_in(&self.authority, default).unwrap_or(default)
    }

    /// The value of the `Host` header: the host, and the port unless it is the scheme's own.
    pub fn host_header(&self) -> String {
        let default = if self.is_https() { 443 } else { 80 };
        match self.port() {
            port if port == default => self.host().to_owned(),
            port => format!("{}:{port}", self.host()),
        }
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }
}

/// The port in an authority, or `default` if it has none; `None` if what it has is no port.
/// (`Authority::port` keeps silent about what is no number.)
pub(crate) fn port_in(authority: &Authority, default: u16) -> Option<u16> {
    let host_and_port = authority.as_str().rsplit('@').next()?;
    let rest = host_and_port.strip_prefix(authority.host())?;
    if rest.is_empty() {
        return Some(default);
    }
    port_of(rest.strip_prefix(':')?)
}

/// The port that `digits` are; `None` if they are none.
pub(crate) fn port_of(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port| is_number && port > 0)
}

/// Whether a host, as it stands in a URL, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        BaseUrl::parse(url, false).expect_err(url).to_string()
    }

    #[test]
    fn the_path_prefix_is_kept_and_a_trailing_slash_is_irrelevant() {
        for (url, prefix) in [
            ("https://ws.api.video", ""),
            ("https://ws.api.video/", ""),
            ("https://proxy.example/video", "/video"),
            ("https://proxy.example:8443/a/b//", "/a/b"),
        ] {
            assert_eq!(BaseUrl::parse(url, false).expect(url).prefix, prefix, "{url}");
        }
    }

    #[test]
    fn plain_http_goes_to_loopback_only_unless_allowed() {
        for url in [
            "http://localhost:1",
            "http://LOCALHOST",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:8080/x",
        ] {
            assert!(BaseUrl::parse(url, false).is_ok(), "{url}");
        }
        for url in [
            "http://example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[::2]",
        ] {
            assert!(refusal(url).contains("AV_CLIENT_ALLOW_PLAIN_HTTP"), "{url}");
            assert!(BaseUrl::parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_usable_base_url_is_refused_by_name() {
        for url in [
            "",
            "/",
            "ws.api.video",
            "ftp://ws.api.video",
            "https://",
            "https:///x",
            "https://:443",
            "https://user@ws.api.video",
            "https://user:pass@ws.api.video",
            "https://ws.api.video?x",
            "https://ws.api.video/#x",
            "https://ws.api.video/a b",
            "https://ws.api.video/\r\nX: y",
            "https://ws.api.video:0",
            "https://ws.api.video:65536",
            "https://ws.api.video:x",
            "https://ws.api.video:",
            "https://wés.api.video",
            "https://[::1",
        ] {
            assert!(refusal(url).contains("base_url"), "{url}");
        }
        assert!(refusal(&format!("https://ws.api.video/{}", "x".repeat(3000))).contains("longer"));
    }
}
