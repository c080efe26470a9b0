//! A request: what the operations say they want, and the one place that turns it into HTTP.

use crate::client::Client;
use crate::error::{Error, Outcome};
use crate::secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;
use ureq::http::uri::PathAndQuery;
use ureq::http::{self, HeaderValue, Method, Uri, header};

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
    /// Path and query below the base URL, encoded.
    target: String,
    /// The same as it may be shown.
    shown: String,
    /// The secret item of the path, as given and as encoded.
    item: Option<(&'a str, String)>,
    body: Option<Vec<u8>>,
}

impl<'a> Request<'a> {
    /// A request for a collection, such as `upload-tokens`.
    pub fn new(method: Method, collection: &'static str) -> Self {
        let target = format!("/{collection}");
        Request { method, shown: target.clone(), target, item: None, body: None }
    }

    /// Narrows it down to one item of the collection, given as `parameter`.
    pub fn item(mut self, parameter: &str, item: &'a str) -> Result<Self, Error> {
        // A path of dots would be resolved away on its way: DELETE of ".." is DELETE of "/".
        if matches!(item, "" | "." | "..") {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} must not be empty, \".\" or \"..\""
            )));
        }
        if item.len() > LONGEST_ITEM {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} is longer than {LONGEST_ITEM} bytes"
            )));
        }
        let encoded = utf8_percent_encode(item, NOT_UNRESERVED).to_string();
        self.target.push('/');
        self.target.push_str(&encoded);
        self.shown.push('/');
        self.shown.push_str(&secret::shorten(item));
        self.item = Some((item, encoded));
        Ok(self)
    }

    /// Adds a parameter to the query. Names and values are our own and need no encoding.
    pub fn query(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        let separator = if self.target.contains('?') { '&' } else { '?' };
        for target in [&mut self.target, &mut self.shown] {
            // Writing to a string cannot fail.
            let _ = write!(target, "{separator}{name}={value}");
        }
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
        let path = PathAndQuery::try_from(format!("{}{}", base.prefix, self.target))
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

    /// Whether doing it changes nothing at the service.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether doing it twice is the same as doing it once.
    pub fn is_repeatable(&self) -> bool {
        self.method != Method::POST
    }

    /// Whether it deletes: then its answer's body is of no interest, and finding nothing may mean
    /// that it has worked before.
    pub fn is_deletion(&self) -> bool {
        self.method == Method::DELETE
    }

    /// What a call with this request did, if its attempts came to `outcome`.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.is_read() { Outcome::NotApplied } else { outcome }
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
        format!("{} {}", self.method, self.shown)
    }

    /// Takes the secret item out of `text`, in which a service may have repeated it.
    pub fn hide_in(&self, text: String) -> String {
        match &self.item {
            Some((item, encoded)) => {
                let short = secret::shorten(item);
                secret::hide_all(secret::hide(text, encoded, &short), item, &short)
            }
            None => text,
        }
    }
}
