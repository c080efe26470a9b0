//! A request: what an operation is asked for with, and the one place that turns it into HTTP. What must
//! not be shown of it, the item of the path and a secret parameter of the query, is kept apart.

use crate::call::operation::Operation;
use crate::call::payload::Payload;
use crate::client::Client;
use crate::error::Error;
use crate::limits::{ENCODED, LONGEST_ITEM, LONGEST_TARGET};
use crate::secret::{Sensitive, Wiped, encode};
use bytes::Bytes;
use percent_encoding::percent_decode;
use std::borrow::Cow;
use std::fmt::{self, Write};
use ureq::http::header::CONTENT_RANGE;
use ureq::http::uri::PathAndQuery;
use ureq::http::{self, HeaderValue, Uri};

/// One request to the service.
pub(crate) struct Request<'a> {
    operation: &'static Operation,
    item: Option<Sensitive<'a>>,
    /// What may be shown of the query, as it is sent: with its question mark, or empty.
    query: String,
    /// The parameter that must not be shown, which is sent behind that.
    secret: Option<(&'static str, Sensitive<'a>)>,
    payload: Payload<'a>,
    /// Which part of a whole the payload is, for `Content-Range`.
    part: Option<String>,
}

impl<'a> Request<'a> {
    /// A request for `operation`.
    pub fn new(operation: &'static Operation) -> Self {
        Request {
            operation,
            item: None,
            query: String::new(),
            secret: None,
            payload: Payload::Nothing,
            part: None,
        }
    }

    /// Narrows it down to one item of the collection, given as `parameter`, which is a secret.
    pub fn secret_item(mut self, parameter: &str, item: &'a str) -> Result<Self, Error> {
        self.must_have_room_for(parameter, item)?;
        if !stays_in_its_place(item) {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} must not be empty or a dot segment, nor hold a slash, a backslash or a \
                 control character, not even percent-encoded"
            )));
        }
        self.item = Some(Sensitive::new(item));
        Ok(self)
    }

    /// Adds a parameter to the query that may be shown.
    pub fn query(mut self, name: &'static str, value: &str) -> Self {
        self.begin_parameter(name);
        self.query.extend(encode(value));
        self
    }

    /// Adds a parameter to the query that is a number.
    pub fn query_number(mut self, name: &'static str, value: u32) -> Self {
        self.begin_parameter(name);
        // Writing to a string cannot fail.
        let _ = write!(self.query, "{value}");
        self
    }

    fn begin_parameter(&mut self, name: &'static str) {
        let separator = self.separator();
        for part in [separator, name, "="] {
            self.query.push_str(part);
        }
    }

    /// Adds the one parameter to the query, given as `parameter`, that must not be shown.
    pub fn secret(
        mut self,
        parameter: &str,
        name: &'static str,
        value: &'a str,
    ) -> Result<Self, Error> {
        self.must_have_room_for(parameter, value)?;
        self.secret = Some((name, Sensitive::new(value)));
        Ok(self)
    }

    /// Has it say which part of a whole it carries, such as "part 2/7".
    pub fn part(mut self, part: String) -> Self {
        self.part = Some(part);
        self
    }

    /// Has it carry `payload`.
    pub fn with(mut self, payload: Payload<'a>) -> Self {
        self.payload = payload;
        self
    }

    /// What is asked for.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// What it carries.
    pub fn payload(&self) -> &Payload<'a> {
        &self.payload
    }

    /// The HTTP request to `client`'s service, with `body` for its payload.
    pub fn to_http<B>(&self, client: &Client, body: B) -> Result<http::Request<B>, Error> {
        let base = client.base_url();
        let target = self.target(&base.prefix);
        if target.0.len() > LONGEST_TARGET {
            return Err(Error::invalid_argument(format_args!(
                "path and query are longer than {LONGEST_TARGET} bytes"
            )));
        }
        // It holds secrets: wiped when the last copy goes.
        let path = PathAndQuery::from_maybe_shared(Bytes::from_owner(target))
            .map_err(|error| Error::internal(format_args!("cannot make a path: {error}")))?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(base.scheme.clone());
        parts.authority = Some(base.authority.clone());
        parts.path_and_query = Some(path);
        let uri = Uri::from_parts(parts)
            .map_err(|error| Error::internal(format_args!("cannot make a URL: {error}")))?;
        let mut request = http::Request::new(body);
        *request.method_mut() = self.operation.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = client.headers(self.operation.sends_credential).clone();
        self.payload.add_headers(request.headers_mut());
        if let Some(part) = &self.part {
            let part = HeaderValue::try_from(part.as_str())
                .map_err(|error| Error::internal(format_args!("the part is no header: {error}")))?;
            request.headers_mut().insert(CONTENT_RANGE, part);
        }
        Ok(request)
    }

    /// Path and query, below the path `prefix` of the base URL.
    fn target(&self, prefix: &str) -> Wiped {
        let collection = self.operation.collection;
        // Room enough for whatever encoding makes of a secret: memory that grows leaves a copy behind.
        let room = |value: Sensitive<'_>| 1 + value.len() * ENCODED;
        let item = self.item.map_or(0, room);
        let secret = self.secret.map_or(0, |(name, value)| 1 + name.len() + room(value));
        let others = prefix.len() + 1 + collection.len() + self.query.len();
        let mut target = Wiped(Vec::with_capacity(others + item + secret));
        let mut add = |part: &str| target.0.extend_from_slice(part.as_bytes());
        for part in [prefix, "/", collection] {
            add(part);
        }
        if let Some(item) = self.item {
            add("/");
            item.encoded().for_each(&mut add);
        }
        add(&self.query);
        if let Some((name, value)) = self.secret {
            for part in [self.separator(), name, "="] {
                add(part);
            }
            value.encoded().for_each(&mut add);
        }
        target
    }

    /// What stands before a parameter behind the query as it is.
    fn separator(&self) -> &'static str {
        if self.query.is_empty() { "?" } else { "&" }
    }

    /// The request in a few words, with no secret in them.
    pub fn describe(&self) -> String {
        let Operation { method, collection, .. } = self.operation;
        let slash = if self.item.is_some() { "/" } else { "" };
        let item = self.item.map(Sensitive::shortened).unwrap_or_default();
        let query = &self.query;
        let (separator, name, equals, value) = match self.secret {
            Some((name, value)) => (self.separator(), name, "=", value.shortened()),
            None => ("", "", "", String::new()),
        };
        let (comma, part) = match &self.part {
            Some(part) => (", ", part.as_str()),
            None => ("", ""),
        };
        format!(
            "{method} /{collection}{slash}{item}{query}{separator}{name}{equals}{value}{comma}{part}"
        )
    }

    /// Takes its secrets out of `text`, in which a service may have repeated them.
    pub fn hide_in(&self, text: String) -> String {
        let secrets = [self.item, self.secret.map(|(_, value)| value)];
        secrets.into_iter().flatten().fold(text, |text, secret| secret.hide_in(text))
    }

    /// Whether `secret`, given as `parameter`, is no longer than what the other one leaves of their room.
    fn must_have_room_for(&self, parameter: &str, secret: &str) -> Result<(), Error> {
        let secrets = [self.item, self.secret.map(|(_, value)| value)];
        let taken: usize = secrets.into_iter().flatten().map(Sensitive::len).sum();
        let room = LONGEST_ITEM - taken;
        if secret.len() > room {
            return Err(Error::invalid_argument(format_args!(
                "{parameter} is longer than {room} bytes"
            )));
        }
        Ok(())
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::operation::examples::{READ, REPLACE};
    use ureq::http::{Method, header};

    const ITEM: &str = "an item of 24 characters";
    const SECRET: &str = "se1tcmSFHeYY5KzyhOqVKMKb";

    /// A request with an item, a parameter that must not be shown, and one that may.
    fn request() -> Request<'static> {
        let request = Request::new(&READ).secret_item("thing", ITEM).expect("an item");
        let request = request.secret("options.key", "key", SECRET).expect("a parameter");
        request.query("title", "a&b=c ü")
    }

    fn http(request: &Request<'_>) -> http::Request<()> {
        let client = Client::for_test("http://127.0.0.1:1/prefix");
        request.to_http(&client, ()).expect("an HTTP request")
    }

    #[test]
    fn the_target_is_prefix_collection_item_and_query_each_encoded() {
        let uri = http(&request()).into_parts().0.uri;
        let expected = format!(
            "http://127.0.0.1:1/prefix/things/an%20item%20of%2024%20characters\
             ?title=a%26b%3Dc%20%C3%BC&key={SECRET}"
        );
        assert_eq!(uri.to_string(), expected);
    }

    #[test]
    fn the_first_parameter_follows_a_question_mark_and_others_an_ampersand() {
        let target =
            |request: &Request<'_>| String::from_utf8_lossy(&request.target("").0).into_owned();
        let plain = Request::new(&READ);
        assert_eq!(target(&plain), "/things");
        let secret = plain.secret("a", "a", "2?&").expect("a parameter");
        assert_eq!(target(&secret), "/things?a=2%3F%26");
        let both = secret.query_number("page", 3);
        assert_eq!(target(&both), "/things?page=3&a=2%3F%26");
        assert_eq!(target(&both.query_number("size", 4)), "/things?page=3&size=4&a=2%3F%26");
    }

    #[test]
    fn a_target_that_is_all_encoded_fits_into_memory_that_need_not_grow() {
        let all = "\u{1f600} %";
        let request = Request::new(&READ).secret_item("thing", all).expect("an item");
        let target = request.secret("a", "a", all).expect("a parameter").target("/prefix");
        assert_eq!(target.0.len(), target.0.capacity());
    }

    #[test]
    fn the_credential_goes_only_with_operations_that_say_so() {
        let head = |operation| http(&Request::new(operation)).into_parts().0;
        let with = head(&READ);
        assert_eq!(with.method, Method::GET);
        assert!(with.headers.contains_key(header::AUTHORIZATION));
        let without = head(&REPLACE);
        assert_eq!(without.method, Method::PUT);
        assert!(!without.headers.contains_key(header::AUTHORIZATION));
        assert_eq!(without.headers.len(), with.headers.len() - 1, "all else is the same");
    }

    #[test]
    fn the_head_says_what_is_carried() {
        let headers = |request: Request<'_>| http(&request).into_parts().0.headers;
        let nothing = headers(Request::new(&READ));
        assert!(!nothing.contains_key(header::CONTENT_TYPE));
        let json = Request::new(&READ).with(Payload::Json(b"{}".into()));
        assert_eq!(headers(json)[header::CONTENT_TYPE], "application/json");
    }

    #[test]
    fn a_part_of_a_whole_is_told_in_the_head_and_in_words() {
        let request = Request::new(&READ).part("part 2/7".into());
        assert_eq!(request.describe(), "GET /things, part 2/7");
        let headers = http(&request).into_parts().0.headers;
        assert_eq!(headers[header::CONTENT_RANGE], "part 2/7");
    }

    #[test]
    fn describing_and_debugging_show_no_secret() {
        let expected = "GET /things/an i…rs?title=a%26b%3Dc%20%C3%BC&key=se1t…Kb";
        assert_eq!(request().describe(), expected);
        assert_eq!(format!("{:?}", request()), expected);
    }

    #[test]
    fn what_the_service_repeats_of_secrets_is_hidden_encoded_or_not() {
        let encoded: String = encode(ITEM).collect();
        let said = format!("no {ITEM}, no {encoded}, no {SECRET}; title a&b=c");
        let shown = "no an i…rs, no an i…rs, no se1t…Kb; title a&b=c";
        assert_eq!(request().hide_in(said), shown);
        let odd = SECRET.replace('S', "%53");
        assert_eq!(request().hide_in(odd), "(not shown: it holds se1t…Kb)");
    }

    #[test]
    fn secrets_have_room_for_the_longest_item_together() {
        let longest = "x".repeat(LONGEST_ITEM);
        let request = Request::new(&READ).secret_item("thing", &longest).expect("it fits");
        let error = request.secret("options.key", "key", "y").expect_err("one too many");
        let expected = "invalid argument: options.key is longer than 0 bytes; nothing was sent";
        assert_eq!(error.to_string(), expected);
        let request = Request::new(&READ).secret("options.key", "key", "y").expect("it fits");
        let error = request.secret_item("thing", &longest).expect_err("one too many");
        assert!(error.to_string().contains("thing is longer than 4095 bytes"), "{error}");
        let longer = longest.clone() + "x";
        let error = Request::new(&READ).secret_item("thing", &longer).expect_err("too long");
        assert!(error.to_string().contains("thing is longer than 4096 bytes"), "{error}");
    }

    #[test]
    fn a_target_that_would_not_fit_into_a_buffer_is_refused() {
        let request = Request::new(&READ).query("title", &"x".repeat(LONGEST_TARGET));
        let client = Client::for_test("http://127.0.0.1:1");
        let error = request.to_http(&client, ()).expect_err("too long");
        assert!(error.to_string().contains("path and query are longer than"), "{error}");
    }

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
