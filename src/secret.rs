//! Secrets: kept in memory that is wiped, and out of everything that is shown.

use crate::error::Error;
use crate::limits::{ENCODED, LONGEST_CREDENTIAL};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};
use ureq::http::HeaderValue;
use zeroize::{Zeroize, Zeroizing};

/// What is shorter is no secret, and hiding it would garble what is said.
const SHORTEST_HIDDEN: usize = 4;

/// Memory that is wiped before it is freed.
pub(crate) struct Wiped(pub Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Wipes memory, of which there may be much: in pieces that the C library fills by registers, since the
/// processor's instruction for more takes its time to begin.
pub(crate) fn wipe<T>(memory: &mut [T])
where
    [T]: Zeroize,
{
    const PIECE: usize = 2000;
    for piece in memory.chunks_mut(PIECE) {
        piece.zeroize();
    }
}

/// What a client identifies itself with.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// An account's API key, sent as HTTP Basic.
    ApiKey(&'a str),
    /// An access token got from the service by other means, sent as Bearer.
    AccessToken(&'a str),
}

/// A checked credential: its wiped-on-drop text, to be found in what must not show it, and the
/// header that carries it.
pub(crate) struct Secret {
    text: Zeroizing<String>,
    encoded: Zeroizing<String>,
}

impl Secret {
    /// Checks a credential.
    pub fn new(credential: Credential<'_>) -> Result<Self, Error> {
        let (parameter, text) = match credential {
            Credential::ApiKey(key) => ("api_key", key),
            Credential::AccessToken(token) => ("access_token", token),
        };
        let refuse = |why: &str| Err(Error::invalid_argument(format_args!("{parameter} {why}")));
        if text.is_empty() {
            return refuse("is empty");
        }
        if text.len() > LONGEST_CREDENTIAL {
            return refuse(&format!("is longer than {LONGEST_CREDENTIAL} bytes"));
        }
        let encoded = match credential {
            Credential::ApiKey(key) => {
                if key.contains(':') || key.chars().any(char::is_control) {
                    return refuse("holds a colon or a control character");
                }
                basic(key)
            }
            Credential::AccessToken(token) => {
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return refuse("holds a space, a control character or a non-ASCII character");
                }
                Zeroizing::new(token.to_owned())
            }
        };
        Ok(Secret { text: Zeroizing::new(text.to_owned()), encoded })
    }

    /// The value of the `Authorization` header, in memory that is wiped when the last copy goes.
    pub fn authorization(&self, credential: Credential<'_>) -> Result<HeaderValue, Error> {
        let scheme = match credential {
            Credential::ApiKey(_) => "Basic ",
            Credential::AccessToken(_) => "Bearer ",
        };
        let mut value = Zeroizing::new(Vec::with_capacity(scheme.len() + self.encoded.len()));
        value.extend_from_slice(scheme.as_bytes());
        value.extend_from_slice(self.encoded.as_bytes());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(value))
            .map_err(|_| Error::internal("the credential does not fit into a header"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Takes the credential out of `text`, in which a service may have repeated it.
    pub fn hide_in(&self, text: String) -> String {
        // Without the colon at its end, the key's encoding has at least the same whole groups.
        let groups = self.text.len() / 3 * 4;
        let text = hide(text, &self.encoded, "[credential]");
        let text = hide(text, &self.encoded[..groups.min(self.encoded.len())], "[credential]");
        hide_all(text, &self.text, "[credential]")
    }
}

/// A part of a request's target that must not be shown. It can be sent, shortened and looked for, but
/// neither printed nor debugged.
#[derive(Clone, Copy)]
pub(crate) struct Sensitive<'a>(&'a str);

impl<'a> Sensitive<'a> {
    /// Takes `text` for a secret, in the caller's memory.
    pub fn new(text: &'a str) -> Self {
        Sensitive(text)
    }

    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// The secret as it is sent in a target.
    pub fn encoded(self) -> PercentEncode<'a> {
        encode(self.0)
    }

    /// The secret as it may be shown.
    pub fn shortened(self) -> String {
        shorten(self.0)
    }

    /// Takes it out of `text`, in which a service may have repeated it, encoded or not.
    pub fn hide_in(self, text: String) -> String {
        // With room for all that encoding can make of it: what grows leaves copies behind.
        let mut encoded = Zeroizing::new(String::with_capacity(self.len() * ENCODED));
        encoded.extend(self.encoded());
        let short = self.shortened();
        hide_all(hide(text, &encoded, &short), self.0, &short)
    }
}

/// A part of a request's target as it is sent, be it of the path or of the query.
pub(crate) fn encode(text: &str) -> PercentEncode<'_> {
    /// All but the unreserved characters of RFC 3986.
    const NOT_UNRESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, NOT_UNRESERVED)
}

/// As [`hide`], and nothing at all of a text that holds the secret percent-encoded in whatever way.
fn hide_all(text: String, secret: &str, shown: &str) -> String {
    let text = hide(text, secret, shown);
    let decoded = Zeroizing::new(percent_decode_str(&text).decode_utf8_lossy().into_owned());
    if secret.len() >= SHORTEST_HIDDEN && decoded.contains(secret) {
        return format!("(not shown: it holds {shown})");
    }
    text
}

/// `text` with `shown` in the place of `secret`.
fn hide(text: String, secret: &str, shown: &str) -> String {
    if secret.len() < SHORTEST_HIDDEN || !text.contains(secret) {
        return text;
    }
    Zeroizing::new(text).replace(secret, shown)
}

/// `base64(key + ":")`, written once into memory that does not move.
fn basic(key: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(key.len() + 1));
    plain.extend_from_slice(key.as_bytes());
    plain.push(b':');
    let mut encoded = vec![0; plain.len().div_ceil(3) * 4];
    let length = STANDARD.encode_slice(plain.as_slice(), &mut encoded).unwrap_or(0);
    encoded.truncate(length);
    // Base64 is ASCII.
    let text = String::from_utf8(encoded).unwrap_or_else(|error| {
        error.into_bytes().zeroize();
        String::new()
    });
    Zeroizing::new(text)
}

/// A secret as it may be shown: its first 4 and last 2 characters, none of a short one.
fn shorten(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 16 {
        return "…".into();
    }
    let first: String = secret.chars().take(4).collect();
    let last: String = secret.chars().skip(count - 2).collect();
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(credential: Credential<'_>) -> String {
        let value = Secret::new(credential).and_then(|it| it.authorization(credential));
        value.expect("a valid credential").to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn an_api_key_becomes_basic_with_an_empty_password() {
        assert_eq!(authorization(Credential::ApiKey("ké y")), "Basic a8OpIHk6");
    }

    #[test]
    fn an_access_token_is_sent_as_it_is() {
        assert_eq!(authorization(Credential::AccessToken("a.b-c")), "Bearer a.b-c");
    }

    #[test]
    fn a_repeated_credential_is_hidden_in_both_its_forms() {
        let secret = Secret::new(Credential::ApiKey("my-secret-key")).expect("a valid key");
        let encoded = STANDARD.encode("my-secret-key:");
        let shown = secret.hide_in(format!("key my-secret-key, header Basic {encoded}"));
        assert_eq!(shown, "key [credential], header Basic [credential]");
        let shown = secret.hide_in(STANDARD.encode("my-secret-key"));
        assert!(shown.starts_with("[credential]") && shown.len() < 20, "{shown}");
    }

    #[test]
    fn a_credential_that_is_repeated_percent_encoded_hides_the_text() {
        let secret = Secret::new(Credential::ApiKey("my/secret+key")).expect("a valid key");
        for said in ["https://x/?k=my%2Fsecret%2Bkey", "my%2fsecret%2bkey", "m%79/secret+key"] {
            let shown = secret.hide_in(said.into());
            assert_eq!(shown, "(not shown: it holds [credential])", "{said}");
        }
        assert_eq!(secret.hide_in("100 %".into()), "100 %");
    }

    #[test]
    fn what_is_too_short_for_a_secret_garbles_nothing() {
        let secret = Secret::new(Credential::ApiKey("k")).expect("a valid key");
        assert_eq!(secret.hide_in("not known".into()), "not known");
    }

    #[test]
    fn a_shortened_secret_shows_at_most_six_characters() {
        assert_eq!(shorten("to1tcmSFHeYY5KzyhOqVKMKb"), "to1t…Kb");
        assert_eq!(shorten("short-one-of-15"), "…");
        assert_eq!(shorten("été45678901234éà"), "été4…éà");
        assert_eq!(shorten(""), "…");
    }
}
