//! NO_PROXY: which hosts are reached without a proxy.

use crate::base_url::port_of;
use std::net::IpAddr;

/// Whether `list`, as NO_PROXY holds it, names a host. Between commas and white space stand names,
/// which also name what is below them (with or without a leading "." or "*."), addresses, networks as
/// 10.0.0.0/8, each for all ports or with one; or "*", for all hosts.
pub(super) fn names(list: &str, host: &str, port: u16) -> bool {
    let host = Host::of(host);
    list.split(|character: char| character == ',' || character.is_ascii_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| is_named(entry, &host, port))
}

/// A host as it is compared.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    fn of(text: &str) -> Self {
        match text.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => Host::Address(address.to_canonical()),
            Err(_) => Host::Name(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase()),
        }
    }
}

fn is_named(entry: &str, host: &Host, port: u16) -> bool {
    let (entry, is_for_port) = match entry.rsplit_once(':') {
        // Not the last part of a bare IPv6 address. What is no port is the port of nothing.
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
            (name, port_of(digits) == Some(port))
        }
        _ => (entry, true),
    };
    is_for_port
        && match (host, entry.split_once('/')) {
            _ if entry == "*" => true,
            (Host::Address(address), Some((network, length))) => {
                is_within(*address, network, length).unwrap_or(false)
            }
            (Host::Address(_), None) => Host::of(entry) == *host,
            (Host::Name(_), Some(_)) => false,
            (Host::Name(name), None) => is_below(name, entry),
        }
}

/// Whether `name` is `domain`, or a name in it.
fn is_below(name: &str, domain: &str) -> bool {
    let Host::Name(domain) = Host::of(domain) else { return false };
    let domain = domain.trim_start_matches("*.").trim_start_matches('.');
    let above = name.strip_suffix(domain);
    !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Whether an address is in a network of `length` leading bits; `None` if that is no network.
fn is_within(address: IpAddr, network: &str, length: &str) -> Option<bool> {
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    let length = length.parse::<u32>().ok().filter(|_| is_number)?;
    let written = network.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
    let network = written.to_canonical();
    // Of an IPv4 network that is written as IPv6.
    let length = if network == written { length } else { length.checked_sub(96)? };
    let (width, differing) = match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (32, u128::from(one.to_bits() ^ other.to_bits())),
        (IpAddr::V6(one), IpAddr::V6(other)) => (128, one.to_bits() ^ other.to_bits()),
        _ => return Some(false),
    };
    let host_bits = u32::checked_sub(width, length)?;
    Some(differing.checked_shr(host_bits).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_itself_and_what_is_below_it() {
        for list in [
            "*",
            "ws.api.video",
            "api.video",
            ".api.video",
            "*.api.video",
            "WS.API.VIDEO",
            "api.video.",
            ".api.video.",
            "a, b ,api.video",
            "a b api.video",
            "a\tapi.video\n",
            ",,api.video,",
        ] {
            assert!(names(list, "ws.api.video", 443), "{list}");
            assert!(names(list, "WS.api.video.", 443), "{list}");
        }
        for list in [
            "",
            ",",
            ".",
            "*.",
            "..",
            "video.example",
            "s.api.video",
            "x.ws.api.video",
            "127.0.0.1",
            "0.0.0.0/0",
            "::/0",
            "*api.video",
        ] {
            assert!(!names(list, "ws.api.video", 443), "{list}");
            assert!(!names(list, "ws.api.video.", 443), "{list}");
        }
    }

    #[test]
    fn an_entry_with_a_port_is_for_that_port_alone() {
        for entry in ["api.video:443", "api.video.:443", "*:443", ".video:0443"] {
            assert!(names(entry, "ws.api.video", 443), "{entry}");
            assert!(!names(entry, "ws.api.video", 80), "{entry}");
        }
        for entry in ["api.video:80", "api.video:https", "api.video:+443", "api.video:", ":443"] {
            assert!(!names(entry, "ws.api.video", 443), "{entry}");
        }
        assert!(names("[::1]:80", "[::1]", 80) && !names("[::1]:81", "[::1]", 80));
        assert!(names("127.0.0.1:80", "127.0.0.1", 80) && !names("127.0.0.1:81", "127.0.0.1", 80));
    }

    #[test]
    fn addresses_are_compared_as_such() {
        for entry in ["::1", "[::1]", "0:0:0:0:0:0:0:1", "0000::0001", "::1/128"] {
            assert!(names(entry, "[::1]", 80), "{entry}");
            assert!(names(entry, "[0:0::1]", 80), "{entry}");
        }
        assert!(names("fd00::AB", "[fd00::ab]", 80));
        assert!(names("::ffff:127.0.0.1", "127.0.0.1", 80));
        assert!(names("127.0.0.1", "[::ffff:127.0.0.1]", 80));
        for entry in ["0.0.1", "1", ".1", "::2", "localhost", "[::1]x"] {
            assert!(!names(entry, "127.0.0.1", 80), "{entry}");
            assert!(!names(entry, "[::1]", 80), "{entry}");
        }
    }

    #[test]
    fn networks_are_those_of_the_leading_bits() {
        for network in
            ["10.0.0.0/8", "10.1.2.3/32", "10.1.2.99/24", "0.0.0.0/0", "::ffff:10.0.0.0/104"]
        {
            assert!(names(network, "10.1.2.3", 80), "{network}");
            assert!(names(network, "[::ffff:10.1.2.3]", 80), "{network}");
        }
        for network in ["fd00::/8", "fd12:3456::/32", "fd12:3456::1/128", "::/0", "[fd00::]/8"] {
            assert!(names(network, "[fd12:3456::1]", 80), "{network}");
        }
        for entry in [
            "10.1.2.0/25x",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-8",
            "10.0.0.0/+8",
            "10.0.0/8",
            "11.0.0.0/8",
            "10.1.2.4/32",
            "10.128.0.0/9",
            "fd00::/8",
            "x/8",
        ] {
            assert!(!names(entry, "10.1.2.3", 80), "{entry}");
        }
        assert!(!names("fd00::/129", "[fd00::1]", 80) && !names("fe00::/8", "[fd00::1]", 80));
    }
}
