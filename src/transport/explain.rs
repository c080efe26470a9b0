//! What is wrong with a server's certificate or with TLS, for a person: what it is, and what to do.

use crate::error::in_one_line;
use crate::limits::MOST_HOSTS_SHOWN;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::fmt::Debug;
use time::OffsetDateTime;

/// What a certificate must be made with. What is refused besides is in docs/CERTIFICATES.md.
const REISSUE: &str = "have it re-issued with a key of RSA from 2048 bits, P-256, P-384 or Ed25519, and \
                       signatures with SHA-256 or SHA-384";

/// Why there is no TLS session with `host`.
#[cold]
pub(super) fn handshake(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(fault) => certificate(fault, host),
        other => format!("the TLS handshake with {host} failed: {}", session(other)),
    }
}

/// Why a session cannot be begun or go on.
#[cold]
pub(super) fn session(error: &Error) -> String {
    let text = match error {
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => {
            "what came back is not TLS: the port may be one for plain http:// or for another \
             protocol, check that of base_url"
        }
        Error::InvalidMessage(_) => return breach("with a message that cannot be read"),
        Error::PeerMisbehaved(why) => return breach(&in_words(why)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            return breach("with a message out of turn");
        }
        Error::DecryptError => return breach("with what cannot be decrypted"),
        Error::PeerSentOversizedRecord => return breach("with too large a record"),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor TLS 1.3, which alone are spoken here: have it \
             updated"
        }
        Error::PeerIncompatible(_)
        | Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => {
            "the server finds nothing in common with what is supported here: have it set up with TLS \
             1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20, and with a certificate whose key is \
             RSA from 2048 bits, P-256, P-384 or Ed25519, not P-521; or it wants a certificate of its \
             clients, and none is shown here"
        }
        Error::AlertReceived(alert) => return refused_by_server(*alert),
        Error::NoCertificatesPresented => "the server shows no certificate: have one set up",
        Error::FailedToGetCurrentTime => "this system does not tell the time: set its clock",
        Error::FailedToGetRandomBytes => "this system gives no random bytes",
        Error::InvalidCertificate(fault) => return certificate(fault, "the server"),
        Error::General(text) => return format!("this system says: {}", of_system(text)),
        _ => "for a reason without a name",
    };
    text.to_owned()
}

fn breach(how: &str) -> String {
    format!(
        "the server, or something on the way to it, breaks the rules of TLS, {how}: see whether another \
         network or an update of the server helps"
    )
}

/// Why an authority's certificate cannot be used.
#[cold]
pub(super) fn authority(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(reason)) => in_words(&reason.0),
        _ => "it is no X.509".to_owned(),
    }
}

/// What a server means by the alert with which it ends the session.
fn refused_by_server(alert: AlertDescription) -> String {
    use AlertDescription::*;
    let text = match alert {
        CertificateRequired
        | NoCertificate
        | BadCertificate
        | UnsupportedCertificate
        | CertificateUnknown
        | CertificateRevoked
        | CertificateExpired
        | UnknownCA
        | AccessDenied => {
            "the server wants a certificate of its clients, and none is shown here: have it set up to do \
             without"
        }
        UnrecognisedName => "the server does not know this host name: check base_url",
        InternalError => "the server has a fault of its own: its log may tell which",
        other => {
            let number = u8::from(other);
            return format!("the server refuses it by alert {number}: its log may tell why");
        }
    };
    text.to_owned()
}

/// What is wrong with a certificate.
fn certificate(fault: &CertificateError, host: &str) -> String {
    use CertificateError::*;
    let (what, remedy) = match fault {
        NotValidForName => return not_for(host, &[]),
        NotValidForNameContext { presented, .. } => return not_for(host, presented),
        ExpiredContext { time, not_after } => (
            &*format!(
                "expired on {}, and this machine's clock says {}",
                date(*not_after),
                date(*time)
            ),
            "have it renewed, or set the clock",
        ),
        NotValidYetContext { time, not_before } => (
            &*format!(
                "is not valid yet but from {}, and this machine's clock says {}",
                date(*not_before),
                date(*time)
            ),
            "check the clock",
        ),
        UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. } => (
            &*format!(
                "or that of an issuer is signed by {}, which is not supported",
                algorithm(signature_algorithm_id)
            ),
            REISSUE,
        ),
        UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            public_key_algorithm_id,
        } => (
            &*format!(
                "or that of an issuer is signed by {} with a key of {}, which is not supported",
                algorithm(signature_algorithm_id),
                algorithm(public_key_algorithm_id)
            ),
            REISSUE,
        ),
        BadSignature => (
            "or its handshake has a signature that is wrong, or made by an RSA key of fewer than 2048 bits \
             or more than 8192, which is not supported",
            REISSUE,
        ),
        UnknownIssuer => (
            "is from an issuer that is not trusted here",
            "if you trust it, name its certificate in ca_file; or the server leaves out those between \
             the issuer and its own",
        ),
        InvalidPurpose | InvalidPurposeContext { .. } => (
            "is not meant for servers",
            "have it re-issued with serverAuth in its extendedKeyUsage",
        ),
        Expired => ("has expired", "have it renewed"),
        NotValidYet => ("is not valid yet", "check this machine's clock"),
        BadEncoding => ("is not well-formed", "have it re-issued"),
        Revoked => ("was revoked by its issuer", "have another one issued"),
        // What a system says that judges by itself is a sentence. All else is webpki's error, whose type rustls
        // does not hand on, and is a name.
        Other(reason) => match reason.0.to_string() {
            text if text.contains(' ') => (
                &*format!("is refused by this system, which says: {}", of_system(&text)),
                "see to that, or, if you trust its issuer, name that one's certificate in ca_file",
            ),
            name => of_webpki(&name),
        },
        _ => ("is refused for a reason without a name", "have it re-issued"),
    };
    format!("the certificate of {host} {what}: {remedy}")
}

/// What the system itself says, in its user's language. The names in it may be those of the certificate.
fn of_system(text: &str) -> String {
    const LONGEST: usize = 300;
    in_one_line(text).chars().take(LONGEST).collect()
}

/// The same of a fault that is known by its name alone.
fn of_webpki(name: &str) -> (&'static str, &'static str) {
    match name {
        "CaUsedAsEndEntity" => (
            "is one of an authority, not of a server",
            "a self-signed one must be made with CA:FALSE",
        ),
        "EndEntityUsedAsCa" => {
            ("was issued by one that is not an authority's", "have that re-issued with CA:TRUE")
        }
        "UnsupportedCriticalExtension" => (
            "or that of an issuer has an extension that is marked critical and is not supported, such as \
             certificate policies",
            "have it re-issued without, or not marked so",
        ),
        "UnsupportedCertVersion" => {
            ("or that of an issuer is of X.509's version 1 or 2", "have it re-issued as version 3")
        }
        "NameConstraintViolation" => (
            "is refused, for its issuer may not issue for such a name, or has constraints on directory \
             names, which are not supported",
            "have it issued by another, or without those",
        ),
        "PathLenConstraintViolated" | "MaximumPathDepthExceeded" => {
            ("has too many issuers above it", "have it issued by one nearer to the root")
        }
        _ => ("or that of an issuer has a form that is not supported", "have it re-issued"),
    }
}

/// A certificate is for other hosts: `presented`, as webpki writes them for programmers.
fn not_for(host: &str, presented: &[String]) -> String {
    let names: Vec<String> = presented.iter().filter_map(|name| host_name(name)).collect();
    let others = match names.len() {
        0 => ", it names none at all as subjectAltName".to_owned(),
        count if count > MOST_HOSTS_SHOWN => {
            format!(
                ", but for {} and {} others",
                names[..MOST_HOSTS_SHOWN].join(", "),
                count - MOST_HOSTS_SHOWN
            )
        }
        _ => format!(", but for {}", names.join(", ")),
    };
    format!(
        "the certificate was not made out for {host}{others}: check the host of base_url, or have the \
         certificate re-issued with it as subjectAltName"
    )
}

/// A host that a certificate is for, as OpenSSL shows it; none, if what is presented is no host. It holds
/// what hosts are made of and no more, for whoever made the certificate may have written anything.
fn host_name(presented: &str) -> Option<String> {
    const LONGEST: usize = 255;
    let (kind, name) = match presented.split_once('(')? {
        ("DnsName", name) => ("DNS:", name),
        ("IpAddress", name) => ("IP:", name),
        _ => return None,
    };
    let is_of_host =
        |character: &char| character.is_ascii_alphanumeric() || "-_.*:".contains(*character);
    Some(kind.chars().chain(name.chars().filter(is_of_host).take(LONGEST)).collect())
}

/// A day, as certificates tell it.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(date) => format!("{}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
        Err(_) => "a day out of all reach".into(),
    }
}

/// What algorithms and curves are called.
const ALGORITHMS: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.4", "RSA and MD5"),
    ("1.2.840.113549.1.1.5", "RSA and SHA-1"),
    ("1.2.840.113549.1.1.10", "RSA-PSS with unusual parameters"),
    ("1.2.840.113549.1.1.11", "RSA and SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA and SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA and SHA-512"),
    ("1.2.840.113549.1.1.14", "RSA and SHA-224"),
    ("1.2.840.10045.4.1", "ECDSA and SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA and SHA-224"),
    ("1.2.840.10045.4.3.2", "ECDSA and SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA and SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA and SHA-512"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

/// The name of an algorithm, or its number: the content of a DER `AlgorithmIdentifier`, of which that of
/// a key on a curve names the curve besides.
fn algorithm(id: &[u8]) -> String {
    const ELLIPTIC: &str = "1.2.840.10045.2.1";
    let (number, rest) = object_identifier(id);
    let number = if number == ELLIPTIC { object_identifier(rest).0 } else { number };
    match ALGORITHMS.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None if number.is_empty() => "an algorithm that is not told".to_owned(),
        None => format!("the algorithm {number}"),
    }
}

/// The object identifier at the beginning of `der`, in its usual form, and what follows it; "" if there
/// is none.
fn object_identifier(der: &[u8]) -> (String, &[u8]) {
    let [0x06, length, rest @ ..] = der else { return (String::new(), der) };
    let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
    let mut number = String::new();
    let mut part = 0_u64;
    for byte in bytes {
        part = part << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if number.is_empty() {
            // The first two are one.
            let first = (part / 40).min(2);
            number = format!("{first}.{}", part - first * 40);
        } else {
            number += &format!(".{part}");
        }
        part = 0;
    }
    (number, rest)
}

/// What a value is called in the program, in words: `SelectedUnofferedPsk` is "selected unoffered psk".
fn in_words(value: &dyn Debug) -> String {
    let mut words = String::new();
    // Not what is within it.
    for character in format!("{value:?}").chars().take_while(char::is_ascii_alphanumeric) {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::{ExtendedKeyPurpose, OtherError, PeerMisbehaved};
    use std::sync::Arc;
    use std::time::Duration;

    /// An error of webpki's, which only its name is known of.
    #[derive(Debug)]
    enum OfWebpki {
        CaUsedAsEndEntity,
        EndEntityUsedAsCa,
        UnsupportedCriticalExtension,
        UnsupportedCertVersion,
        NameConstraintViolation,
        MaximumPathDepthExceeded,
        PathLenConstraintViolated,
        MalformedExtensions,
        #[expect(dead_code, reason = "shown by Debug")]
        TrailingData(u8),
    }

    impl std::fmt::Display for OfWebpki {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{self:?}")
        }
    }

    impl std::error::Error for OfWebpki {}

    /// What a system says that judges by itself.
    fn of_a_system(says: &str) -> CertificateError {
        let error: Box<dyn std::error::Error + Send + Sync> = says.into();
        CertificateError::Other(OtherError(error.into()))
    }

    fn day(number: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(number * 86400))
    }

    fn of_certificates() -> Vec<CertificateError> {
        let (time, not_after, not_before) = (day(20000), day(19000), day(u64::MAX / 86400));
        let server = ServerName::try_from("example.com").expect("a name");
        let other = |error: OfWebpki| CertificateError::Other(OtherError(Arc::new(error)));
        let mut all = vec![
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::ExpiredContext { time, not_after },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext { time, not_before },
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::ExpiredRevocationListContext { time, next_update: not_after },
            CertificateError::BadSignature,
            #[allow(deprecated)]
            CertificateError::UnsupportedSignatureAlgorithm,
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
            CertificateError::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ServerAuth,
                presented: vec![ExtendedKeyPurpose::Other(vec![1, 2])],
            },
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
            other(OfWebpki::CaUsedAsEndEntity),
            other(OfWebpki::EndEntityUsedAsCa),
            other(OfWebpki::UnsupportedCriticalExtension),
            other(OfWebpki::UnsupportedCertVersion),
            other(OfWebpki::NameConstraintViolation),
            other(OfWebpki::MaximumPathDepthExceeded),
            other(OfWebpki::PathLenConstraintViolated),
            other(OfWebpki::MalformedExtensions),
            other(OfWebpki::TrailingData(1)),
        ];
        // As webpki writes them; what a name consists of is as the certificate says.
        let names = [
            "DnsName(\"a.test\")",
            "DnsName(\"a\"()\n{[  b.test\")",
            "IpAddress(10.0.0.1)",
            "IpAddress([invalid: 0a])",
            "UniformResourceIdentifier(\"https://a.test\")",
            "DirectoryName",
            "Unsupported(0x80)",
        ];
        let names = names.map(String::from);
        let presented = names.iter().map(|name| vec![name.clone()]).chain([vec![], names.to_vec()]);
        for presented in presented {
            let expected = server.clone();
            all.push(CertificateError::NotValidForNameContext { expected, presented });
        }
        for id in [&[][..], &[6, 3, 0x2b, 0x65], &[6, 200, 1], &[0xff; 5]] {
            all.push(CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: id.into(),
                supported_algorithms: vec![],
            });
            all.push(CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: id.into(),
                public_key_algorithm_id: id.into(),
            });
        }
        all
    }

    #[test]
    fn whatever_goes_wrong_is_told_in_words_and_names_the_host() {
        let mut all: Vec<Error> =
            of_certificates().into_iter().map(Error::InvalidCertificate).collect();
        all.extend((0..=255).map(|alert| Error::AlertReceived(alert.into())));
        all.extend([
            Error::InappropriateMessage {
                expect_types: vec![rustls::ContentType::Handshake],
                got_type: rustls::ContentType::ApplicationData,
            },
            Error::InappropriateHandshakeMessage {
                expect_types: vec![rustls::HandshakeType::ServerHello],
                got_type: rustls::HandshakeType::Finished,
            },
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MissingData("ServerHello")),
            Error::InvalidMessage(InvalidMessage::DuplicateExtension(7)),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(None)),
            Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedPsk),
            Error::General("some text".into()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::Other(OtherError(Arc::new(OfWebpki::TrailingData(1)))),
        ]);
        for error in &all {
            let told = handshake(error, "host.test");
            let session = session(error);
            assert!(told.contains("host.test") && !session.is_empty(), "{told}");
            for text in [told, session, authority(error)] {
                let is_dump = text.contains(['{', '[', '(', '"']) || text.contains("::");
                assert!(!is_dump && !text.contains("  "), "{text}");
            }
        }
    }

    #[test]
    fn what_the_system_says_is_kept() {
        let says = "A certificate chain could not be built. (os error -2146762486)";
        let told = certificate(&of_a_system(says), "host.test");
        assert!(
            told.starts_with("the certificate of host.test is refused by this system"),
            "{told}"
        );
        assert!(told.contains(says) && told.ends_with("ca_file"), "{told}");
        let told = handshake(&Error::General(says.into()), "host.test");
        assert!(told.contains("with host.test failed: this system says: A cert"), "{told}");
        // Where a certificate's own names are in it, too.
        let told =
            certificate(&of_a_system("\u{201c}a\n\u{1b}[2Jb\u{202e}\u{201d} is bad"), "host.test");
        assert!(told.contains("\u{201c}a  [2Jb \u{201d} is bad: see to that"), "{told}");
        assert!(certificate(&of_a_system(&"a ".repeat(70_000)), "host.test").len() < 1000);
        let told = certificate(&CertificateError::Revoked, "host.test");
        assert!(told.contains("was revoked by its issuer: "), "{told}");
    }

    #[test]
    fn names_that_a_certificate_is_for_are_told_but_not_all_of_many() {
        let presented = |count| (0..count).map(|i| format!("DnsName(\"h{i}.test\")")).collect();
        let told = |count| {
            let presented: Vec<_> = presented(count);
            not_for("host.test", &presented)
        };
        assert!(told(0).contains("names none"), "{}", told(0));
        assert!(told(2).contains("but for DNS:h0.test, DNS:h1.test:"), "{}", told(2));
        assert!(told(9).contains("DNS:h2.test and 6 others:"), "{}", told(9));
        let of_no_host = ["Unsupported(0x80)".to_owned(), "DirectoryName".to_owned()];
        assert!(not_for("host.test", &of_no_host).contains("names none"));
        let of_one = [&of_no_host[..], &presented(1)].concat();
        assert!(not_for("host.test", &of_one).contains("but for DNS:h0.test:"));
        let long = [format!("DnsName(\"{}\")", "a".repeat(70_000))];
        assert!(not_for("host.test", &long).len() < 1000);
    }

    #[test]
    fn an_algorithm_is_told_by_its_name_or_else_its_number() {
        let rows: &[(&[u8], &str)] = &[
            (&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0], "RSA and SHA-1"),
            (&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], "ECDSA and SHA-512"),
            (&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23], "P-521"),
            (&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 5, 0], "an algorithm that is not told"),
            (&[6, 3, 0x88, 0x37, 3], "the algorithm 2.999.3"),
            (&[6, 1, 0x27], "the algorithm 0.39"),
        ];
        for (id, name) in rows {
            assert_eq!(algorithm(id), *name);
        }
    }

    #[test]
    fn days_are_told_as_certificates_have_them() {
        assert_eq!(date(day(20000)), "2024-10-04");
        assert_eq!(date(UnixTime::since_unix_epoch(Duration::MAX)), "a day out of all reach");
    }
}
