//! An answer that is a success: its body, and the way to what it says or to an error.

pub(crate) mod body;
pub(crate) mod date;
pub(crate) mod header_number;
pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod plain;
pub(crate) mod problem;
pub(crate) mod recorder;

use crate::answer::body::Body;
use crate::call::report;
use crate::call::request::Request;
use crate::call::verdict::Verdict;
use crate::error::Error;
use crate::transport::http::Sent;
use ureq::http::StatusCode;

/// An answer that is a success. Its body may hold secrets, so that it has no Debug.
pub(crate) struct Answer<'a> {
    pub request: &'a Request<'a>,
    pub status: StatusCode,
    /// How many attempts it took.
    pub attempts: u32,
    pub body: Body,
    /// How the body is encoded, though nobody asked for that.
    pub encoding: Option<String>,
    /// How far the source had come when it was answered, if there was one.
    pub sent: Sent,
}

/// What to say of a body that is encoded.
pub(crate) fn encoded(encoding: &str) -> String {
    format!("it is encoded (Content-Encoding: {encoding}), which was not asked for")
}

impl<'a> Answer<'a> {
    /// The answer to an attempt that found its work done by one before.
    pub fn done_before(request: &'a Request<'a>, attempts: u32) -> Self {
        let (status, body) = (StatusCode::NOT_FOUND, Body::default());
        let sent = Sent::default();
        Answer { request, status, attempts, body, encoding: None, sent }
    }

    /// Decodes the body as UTF-8 text.
    pub fn decode<T>(&self, decode: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))
            .and_then(decode)
            .map_err(|what| self.undecodable(&what))
    }

    /// The body as it is, which must be what the operation is answered with.
    pub fn into_body(self) -> Result<Body, Error> {
        self.decode(|text| self.request.operation().content.check(text))?;
        Ok(self.body)
    }

    fn undecodable(&self, why: &str) -> Error {
        let encoding = self.encoding.as_deref().map(encoded);
        let verdict = Verdict::on_undecodable(self, encoding.as_deref().unwrap_or(why));
        report::error(self.request, self.attempts, verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::operation::Operation;
    use crate::call::operation::examples::{MAKE, READ, REPLACE};
    use crate::error::{Failure, Outcome};

    /// The error of an answer to `operation` that cannot be used, and how its body is encoded.
    fn undecodable(operation: &'static Operation, body: &[u8], encoding: Option<&str>) -> Error {
        let request = Request::new(operation);
        let (body, _) = Body::read(body, 1000, 0);
        let encoding = encoding.map(str::to_owned);
        let (status, sent) = (StatusCode::OK, Sent::default());
        let answer = Answer { request: &request, status, attempts: 2, body, encoding, sent };
        answer.decode(|_| Err::<(), _>("it is odd".into())).expect_err("it cannot be used")
    }

    #[test]
    fn an_undecodable_answer_tells_what_is_wrong_and_is_not_tried_again() {
        let error = undecodable(&READ, b"odd", None);
        let expected = "GET /things: the answer (status 200) cannot be used: it is odd";
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.failure(), error.attempts()), (Failure::Decode, 2));
        assert!(!error.is_retryable());
        let reply = error.reply().expect("what was answered");
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"odd"[..]));
    }

    #[test]
    fn an_undecodable_answer_is_as_good_as_its_evidence() {
        for (operation, body, outcome) in [
            (&MAKE, &b"{\"later\":1"[..], Outcome::Applied),
            (&MAKE, b"<html>", Outcome::Unknown),
            (&REPLACE, b"{}", Outcome::Unknown),
            (&READ, b"{}", Outcome::NotApplied),
        ] {
            assert_eq!(undecodable(operation, body, None).outcome(), outcome, "{operation:p}");
        }
    }

    #[test]
    fn of_a_body_that_nobody_asked_to_encode_that_is_what_is_said() {
        let message = undecodable(&READ, b"\x1f\x8b", Some("gzip")).to_string();
        assert!(message.contains("encoded (Content-Encoding: gzip)"), "{message}");
        assert!(!message.contains("odd"), "{message}");
    }

    #[test]
    fn what_is_not_utf_8_is_found_before_it_is_decoded() {
        let message = undecodable(&READ, b"{\"\xff", None).to_string();
        assert!(message.ends_with("it is not UTF-8 at byte 2"), "{message}");
    }
}
