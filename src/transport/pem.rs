//! Certificates in PEM form, as files are met that hold them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// The mark that some editors put before a text in UTF-8, and `cat` then puts in the middle.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The certificates in `text`, each as it can be read, or what is wrong with it, for a person. Those that
/// OpenSSL would not trust for servers, as the file itself says, are left out.
pub(super) fn certificates(text: &[u8]) -> Vec<Result<CertificateDer<'static>, &'static str>> {
    let text = with_usual_labels(text);
    CertificateDer::pem_slice_iter(&text)
        .filter_map(|certificate| match certificate {
            Ok(certificate) => without_appendix(certificate).map(Ok),
            Err(Error::MissingSectionEnd { .. }) => Some(Err("is not PEM: it ends too early")),
            Err(Error::IllegalSectionStart { .. }) => {
                Some(Err("is not PEM: a BEGIN line is damaged"))
            }
            Err(_) => Some(Err("is not PEM: what should be base64 is not")),
        })
        .collect()
}

/// A text in which every certificate is labelled CERTIFICATE, on a line without white space around it:
/// OpenSSL knows two other labels.
fn with_usual_labels(text: &[u8]) -> Vec<u8> {
    let mut usual = Vec::with_capacity(text.len());
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
        let edges: [&[u8]; 2] = [b"-----BEGIN ", b"-----END "];
        let labels: [&[u8]; 2] = [b"TRUSTED CERTIFICATE-----", b"X509 CERTIFICATE-----"];
        let edge = edges.into_iter().find(|edge| line.starts_with(edge)).unwrap_or_default();
        let rest = &line[edge.len()..];
        if !edge.is_empty() && labels.iter().any(|label| rest.starts_with(label)) {
            usual.extend_from_slice(edge);
            usual.extend_from_slice(b"CERTIFICATE-----");
        } else {
            usual.extend_from_slice(line);
        }
        usual.push(b'\n');
    }
    usual
}

/// A certificate without what OpenSSL appends to trusted ones: what it is trusted for. None, if that is
/// not for servers.
fn without_appendix(certificate: CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    match first_of(&certificate) {
        Some((_, _, appendix)) if !appendix.is_empty() => {
            let length = certificate.len() - appendix.len();
            is_for_servers(appendix).then(|| certificate[..length].to_vec().into())
        }
        _ => Some(certificate),
    }
}

/// What OpenSSL's CertAux says: a list of purposes that it is for, if there is one, and in \[0\] one of
/// those that it is not for.
fn is_for_servers(appendix: &[u8]) -> bool {
    const FOR: u8 = 0x30;
    const NOT_FOR: u8 = 0xa0;
    let mut is_for = true;
    let mut lists = first_of(appendix).map_or(&[][..], |(_, content, _)| content);
    while let Some((tag, purposes, rest)) = first_of(lists) {
        match tag {
            FOR => is_for = names_servers(purposes),
            NOT_FOR if names_servers(purposes) => return false,
            _ => {}
        }
        lists = rest;
    }
    is_for
}

/// Whether serverAuth or anyExtendedKeyUsage is among the purposes.
fn names_servers(mut purposes: &[u8]) -> bool {
    const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
    const ANY: &[u8] = &[0x55, 0x1d, 0x25, 0];
    while let Some((_, purpose, rest)) = first_of(purposes) {
        if purpose == SERVER || purpose == ANY {
            return true;
        }
        purposes = rest;
    }
    false
}

/// The first element of `der`: its tag, what it holds, and what follows it.
fn first_of(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, length, rest) = match der {
        // 0x80 would be one without a length.
        [tag, short @ ..=0x7f, rest @ ..] => (tag, usize::from(*short), rest),
        [tag, 0x81, one, rest @ ..] => (tag, usize::from(*one), rest),
        [tag, 0x82, high, low, rest @ ..] => {
            (tag, usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence that holds one byte.
    const DER: &[u8] = &[0x30, 1, 7];

    fn read(text: &str) -> Result<Vec<Vec<u8>>, &'static str> {
        let certificates = certificates(text.as_bytes()).into_iter();
        certificates.map(|certificate| Ok(certificate?.to_vec())).collect()
    }

    #[test]
    fn a_certificate_is_found_in_every_form_in_which_files_hold_one() {
        // MAEH is the sequence, MAEHMAA= the same with an empty one behind it.
        for text in [
            "-----BEGIN CERTIFICATE-----\nMAEH\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\r\nMAEH\r\n-----END CERTIFICATE-----\r\n",
            "-----BEGIN CERTIFICATE-----\rMAEH\r-----END CERTIFICATE-----",
            "\u{feff}-----BEGIN CERTIFICATE-----\nMAEH\n-----END CERTIFICATE-----",
            "-----BEGIN X509 CERTIFICATE-----\nMAEH\n-----END X509 CERTIFICATE-----\n",
            "-----BEGIN TRUSTED CERTIFICATE-----\r\nMAEHMAA=\r\n-----END TRUSTED CERTIFICATE-----\r\n",
            "-----BEGIN TRUSTED CERTIFICATE-----\rMAEHMAA=\r-----END TRUSTED CERTIFICATE-----",
            "-----BEGIN CERTIFICATE----- \t\r\nMAEH\t\r\n-----END CERTIFICATE-----\t\r\n",
            "# Ours\n  -----BEGIN CERTIFICATE-----\n  MA\n  EH \n  -----END CERTIFICATE-----\n# end",
        ] {
            assert_eq!(read(text), Ok(vec![DER.to_vec()]), "{text:?}");
        }
        let one = "\u{feff}-----BEGIN CERTIFICATE-----\nMAEH\n-----END CERTIFICATE-----\n";
        let two = format!("{one}between\n-----BEGIN X-----\nx\n-----END X-----\n{one}");
        assert_eq!(read(&two), Ok(vec![DER.to_vec(), DER.to_vec()]));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_bytes() {
        for (text, why) in [
            ("-----BEGIN CERTIFICATE-----\nMAEH\n", "ends too early"),
            ("-----BEGIN CERTIFICATE\nMAEH\n-----END CERTIFICATE-----\n", "BEGIN line"),
            ("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", "base64"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(why), "{told}");
        }
        for text in ["", "-----BEGIN PRIVATE KEY-----\nMAEH\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(read(text), Ok(vec![]), "{text:?}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_does_not_hide_the_others() {
        let text = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n\
                    -----BEGIN CERTIFICATE-----\nMAEH\n-----END CERTIFICATE-----\n";
        let found = certificates(text.as_bytes());
        assert!(matches!(&found[..], [Err(_), Ok(der)] if der.as_ref() == DER), "{found:?}");
    }

    #[test]
    fn what_is_not_trusted_for_servers_is_left_out() {
        const SERVER: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        const MAIL: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4];
        const ANY: &[u8] = &[6, 4, 0x55, 0x1d, 0x25, 0];
        fn list(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
            let content = parts.concat();
            [&[tag, u8::try_from(content.len()).expect("a short one")][..], &content].concat()
        }
        let name = list(0x0c, &[b"alias"]);
        for (appendix, is_taken) in [
            (list(0x30, &[]), true),
            (list(0x30, &[&name]), true),
            (list(0x30, &[&list(0x30, &[SERVER]), &name]), true),
            (list(0x30, &[&list(0x30, &[MAIL, SERVER])]), true),
            (list(0x30, &[&list(0x30, &[ANY])]), true),
            (list(0x30, &[&list(0xa0, &[MAIL]), &name]), true),
            (list(0x30, &[&list(0x30, &[MAIL])]), false),
            (list(0x30, &[&list(0x30, &[])]), false),
            (list(0x30, &[&list(0xa0, &[MAIL, SERVER])]), false),
            (list(0x30, &[&list(0xa0, &[ANY])]), false),
            (list(0x30, &[&list(0x30, &[SERVER]), &list(0xa0, &[SERVER])]), false),
        ] {
            let whole = CertificateDer::from([DER, &appendix].concat());
            let expected = is_taken.then(|| CertificateDer::from(DER));
            assert_eq!(without_appendix(whole), expected, "{appendix:x?}");
        }
    }

    #[test]
    fn an_element_tells_its_length_in_three_forms() {
        for (header, length) in
            [(&[0x30, 0x7f][..], 127), (&[4, 0x81, 0xff], 255), (&[0xa0, 0x82, 1, 2], 258)]
        {
            let content = vec![7; length];
            let der = [header, &content, b"rest"].concat();
            assert_eq!(first_of(&der), Some((header[0], &content[..], &b"rest"[..])));
            assert_eq!(first_of(&der[..header.len() + length - 1]), None);
        }
        for der in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], &[0x30, 0x82, 1]] {
            assert_eq!(first_of(der), None, "{der:?}");
        }
    }
}
