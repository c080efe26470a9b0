//! A request: what the operations say they want, and the one place that turns it into HTTP.

use crate::answer::json;
use crate::client::Client;
use crate::error::{Error, Outcome};
use crate::secret::{self, Wiped};
use bytes::Bytes;
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode, utf8_percent_encode,
};
use std::borrow::Cow;
use std::fmt::Write;
use ureq::http::uri::PathAndQuery;
use ureq::http::{self, HeaderValue, Method, Uri, header};
use zeroize::Zeroizing;

/// All but the unreserved characters of RFC 3986.
const NOT_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest item of a path: encoded, with the longest base URL, it still fits into a
/// connection's buffer.
const LONGEST_ITEM: usize = 4096;

/// One request to the service.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    method: Method,
    collection: &'static str,
    /// The item of the collection, a secret.
    item: Option<&'a str>,
    /// With its question mark, or empty.
    query: String,
    body: Option<Vec<u8>>,
}

impl<'a> Request<'a> {
    /// A request for a collection, such as `upload-tokens`.
    pub fn new(method: Method, collection: &'static str) -> Self {
        Request { method, collection, item: None, query: String::new(), body: None }
    }

    /// Narrows it down to one item of the collection, given as `parameter`.
    pub fn item(mut self, parameter: &str, item: &'a str) -> Result<Self, Error> {
        if item.len() > LONGEST_ITEM {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} is longer than {LONGEST_ITEM} bytes"
            )));
        }
        if !stays_in_its_place(item) {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} must not be empty or a dot segment, nor hold a slash, a backslash or a \
                 control character, not even percent-encoded"
            )));
        }
        self.item = Some(item);
        Ok(self)
    }

    /// Adds a parameter to the query. Names and values are our own and need no encoding.
    pub fn query(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        let separator = if self.query.is_empty() { '?' } else { '&' };
        // Writing to a string cannot fail.
        let _ = write!(self.query, "{separator}{name}={value}");
        self
    }

    /// Gives it a JSON body.
    pub fn json(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }

    /// The JSON body.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// The HTTP request to `client`'s service, without its body.
    pub fn to_http<B>(&self, client: &Client, body: B) -> Result<http::Request<B>, Error> {
        let base = client.base_url();
        // An item is a secret: wiped when the last copy goes.
        let target = Bytes::from_owner(Wiped(self.target(&base.prefix)));
        let path = PathAndQuery::from_maybe_shared(target)
            .map_err(|error| Error::internal(format_args!("cannot make a path: {error}")))?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(base.scheme.clone());
        parts.authority = Some(base.authority.clone());
        parts.path_and_query = Some(path);
        let uri = Uri::from_parts(parts)
            .map_err(|error| Error::internal(format_args!("cannot make a URL: {error}")))?;
        let mut request = http::Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = client.headers().clone();
        if self.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        Ok(request)
    }

    /// Path and query, below the path `prefix` of the base URL.
    fn target(&self, prefix: &str) -> Vec<u8> {
        // Room enough for all but an item that needs encoding: a call that is made often.
        let item = self.item.map_or(0, |item| 1 + item.len());
        let room = prefix.len() + 1 + self.collection.len() + item + self.query.len();
        let mut target = Vec::with_capacity(room);
        target.extend_from_slice(prefix.as_bytes());
        target.push(b'/');
        target.extend_from_slice(self.collection.as_bytes());
        if let Some(item) = self.item {
            target.push(b'/');
            for part in encode(item) {
                target.extend_from_slice(part.as_bytes());
            }
        }
        target.extend_from_slice(self.query.as_bytes());
        target
    }

    /// Whether doing it changes nothing at the service.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether doing it twice is the same as doing it once.
    pub fn is_repeatable(&self) -> bool {
        self.method != Method::POST
    }

    /// Whether it deletes: then finding nothing may mean that it has worked before.
    pub fn is_deletion(&self) -> bool {
        self.method == Method::DELETE
    }

    /// What a call with this request did, if its attempts came to `outcome`.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.is_read() { Outcome::NotApplied } else { outcome }
    }

    /// What a success shows to have been done that cannot be used, by as much of its body as has come:
    /// whoever stands between can say 200, but hardly as the service says what it has made.
    pub fn shown_by(&self, body: &[u8]) -> Outcome {
        let has_made = self.method == Method::POST && json::begins_object(body);
        self.outcome(if has_made { Outcome::Applied } else { Outcome::Unknown })
    }

    /// What `outcome` means for this request, for a person.
    pub fn consequence(&self, outcome: Outcome) -> &'static str {
        match (&self.method, outcome) {
            (&Method::GET, _) => "",
            (_, Outcome::NotApplied) => "; nothing was changed",
            (&Method::DELETE, _) => "; it may have been deleted, deleting it again does no harm",
            (_, Outcome::Unknown) => "; it may have been created, look before you create another",
            (_, Outcome::Applied) => "; it was created, look for it before you create another",
        }
    }

    /// The request in a few words, with no secret in them.
    pub fn describe(&self) -> String {
        let slash = if self.item.is_some() { "/" } else { "" };
        let item = self.item.map(secret::shorten).unwrap_or_default();
        format!("{} /{}{slash}{item}{}", self.method, self.collection, self.query)
    }

    /// Takes the secret item out of `text`, in which a service may have repeated it.
    pub fn hide_in(&self, text: String) -> String {
        match self.item {
            Some(item) => {
                // With room for all that encoding can make of it: what grows leaves copies behind.
                let mut encoded = Zeroizing::new(String::with_capacity(item.len() * 3));
                encoded.extend(encode(item));
                let short = secret::shorten(item);
                secret::hide_all(secret::hide(text, &encoded, &short), item, &short)
            }
            None => text,
        }
    }
}

/// Whether an item of a path is one segment of it for whoever reads the path. On its way it may be
/// decoded, more than once, and what that makes of it be resolved or cut: DELETE of "../videos/x" would
/// arrive as that of a video, and DELETE of ".." as that of "/".
fn stays_in_its_place(item: &str) -> bool {
    // As all of the service's are.
    if item.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return !item.is_empty();
    }
    if item.contains(char::is_control) {
        return false;
    }
    let mut item = Cow::Borrowed(item.as_bytes());
    loop {
        let ends_early = |byte: &u8| matches!(byte, b';' | b'?' | b'#');
        let segment = item.split(ends_early).next().unwrap_or_default();
        let leads_away = |byte: &u8| matches!(byte, b'/' | b'\\' | 0x7f) || *byte < b' ';
        if matches!(segment, b"" | b"." | b"..") || item.iter().any(leads_away) {
            return false;
        }
        match Cow::from(percent_decode(&item)) {
            Cow::Borrowed(_) => return true,
            Cow::Owned(decoded) => item = Cow::Owned(decoded),
        }
    }
}

/// An item of a path as it is sent.
fn encode(item: &str) -> PercentEncode<'_> {
    utf8_percent_encode(item, NOT_UNRESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_is_one_segment_for_everybody_is_taken() {
        for item in [
            "to1tcmSFHeYY5KzyhOqVKMKb",
            "...",
            "..a",
            "a..",
            "a b?c#d;e",
            "100%",
            "%",
            "%zz",
            "%41",
            "%2541",
            "%C3%A9",
            "é\u{1f600}",
        ] {
            assert!(stays_in_its_place(item), "{item}");
        }
        assert!(stays_in_its_place(&"%25".repeat(1300)));
    }

    #[test]
    fn an_item_that_leads_away_from_its_place_is_not() {
        for item in [
            "",
            ".",
            "..",
            "/",
            "a/b",
            "../videos/x",
            "a\\b",
            "\\",
            "a\nb",
            "\u{1}",
            "\u{7f}",
            "\u{85}",
            "%2e",
            "%2E%2e",
            ".%2e",
            "%252e%252E",
            "%2f",
            "a%2Fb",
            "a%5cb",
            "a%0ab",
            "a%00",
            "a%7f",
            "..%252f",
            "%25252e%25252e",
            "..;x",
            ".;",
            ";x",
            "..?x",
            "?",
            "#",
            "..#",
            "..%3bx",
        ] {
            assert!(!stays_in_its_place(item), "{item:?}");
        }
        assert!(!stays_in_its_place(&format!("{}2f", "%25".repeat(1300))));
    }
}
