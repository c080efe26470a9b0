//! Certificates in PEM form, as files are met that hold them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// The mark that some editors put before a text in UTF-8, and `cat` then puts in the middle.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The certificates in `text`, each as it can be read, or what is wrong with it, for a person.
pub(super) fn certificates(text: &[u8]) -> Vec<Result<CertificateDer<'static>, &'static str>> {
    let text = with_usual_labels(text);
    CertificateDer::pem_slice_iter(&text)
        .map(|certificate| match certificate {
            Ok(certificate) => Ok(without_appendix(certificate)),
            Err(Error::MissingSectionEnd { .. }) => Err("is not PEM: it ends too early"),
            Err(Error::IllegalSectionStart { .. }) => Err("is not PEM: a BEGIN line is damaged"),
            Err(_) => Err("is not PEM: what should be base64 is not"),
        })
        .collect()
}

/// A text in which every certificate is labelled CERTIFICATE, at the beginning of a line: OpenSSL knows
/// two other labels.
fn with_usual_labels(text: &[u8]) -> Vec<u8> {
    let mut usual = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii_start();
        let edges: [&[u8]; 2] = [b"-----BEGIN ", b"-----END "];
        let labels: [&[u8]; 2] = [b"TRUSTED CERTIFICATE-----", b"X509 CERTIFICATE-----"];
        let edge = edges.into_iter().find(|edge| line.starts_with(edge)).unwrap_or_default();
        let rest = &line[edge.len()..];
        if !edge.is_empty() && labels.iter().any(|label| rest.starts_with(label)) {
            usual.extend_from_slice(edge);
            usual.extend_from_slice(b"CERTIFICATE-----\n");
        } else {
            usual.extend_from_slice(line);
        }
    }
    usual
}

/// A certificate without what OpenSSL appends to trusted ones: what it is trusted for.
fn without_appendix(certificate: CertificateDer<'static>) -> CertificateDer<'static> {
    match length_of(&certificate) {
        Some(length) if length < certificate.len() => certificate[..length].to_vec().into(),
        _ => certificate,
    }
}

/// How long a DER sequence says that it is, with what says so.
fn length_of(der: &[u8]) -> Option<usize> {
    match *der {
        // 0x80 would be one without a length.
        [0x30, short @ ..=0x7f, ..] => Some(2 + usize::from(short)),
        [0x30, 0x81, one, ..] => Some(3 + usize::from(one)),
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    }
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
    fn a_sequence_tells_its_length_in_three_forms() {
        assert_eq!(length_of(&[0x30, 0x7f, 0]), Some(129));
        assert_eq!(length_of(&[0x30, 0x81, 0xff]), Some(258));
        assert_eq!(length_of(&[0x30, 0x82, 1, 2]), Some(262));
        for der in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], &[0x31, 1, 0], &[0x30, 0x82, 1]] {
            assert_eq!(length_of(der), None, "{der:?}");
        }
    }
}
