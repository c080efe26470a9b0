//! An answer that is a success: its body, and what a failure to decode it must tell.

pub(crate) mod body;
pub(crate) mod date;
pub(crate) mod header_number;
pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod plain;
pub(crate) mod problem;
pub(crate) mod recorder;

use crate::answer::body::Body;
use crate::answer::problem::Problem;
use crate::call::request::Request;
use crate::error::{CallFacts, Error, Failure, Reply};

/// The body of a 2xx answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub request: &'a Request<'a>,
    pub status: u16,
    pub attempts: u32,
    pub body: Body,
    /// How the body is encoded, though nobody asked for that.
    pub encoding: Option<String>,
}

/// What to say of a body that is encoded.
pub(crate) fn encoded(encoding: &str) -> String {
    format!("it is encoded (Content-Encoding: {encoding}), which was not asked for")
}

impl Answer<'_> {
    /// Decodes the body as UTF-8 text.
    pub fn decode<T>(&self, decode: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))
            .and_then(decode)
            .map_err(|what| self.undecodable(&what))
    }

    /// The body, once `check` finds nothing wrong with it.
    pub fn into_checked(
        self,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<Body, Error> {
        self.decode(check)?;
        Ok(self.body)
    }

    fn undecodable(&self, what: &str) -> Error {
        let outcome = self.request.shown_by(&self.body);
        let what = self.encoding.as_deref().map_or_else(|| what.into(), encoded);
        let body = self.body.beginning(Reply::BODY_LIMIT);
        Error::of_call(CallFacts {
            failure: Failure::Decode,
            outcome,
            attempts: self.attempts,
            message: format!(
                "{}: the answer (status {}) cannot be used: {what}{}",
                self.request.describe(),
                self.status,
                self.request.consequence(outcome),
            ),
            is_repeatable: self.request.is_repeatable(),
            is_lasting: true,
            reply: Some(Box::new(Reply { status: self.status, problem: Problem::default(), body })),
            retry_after: None,
        })
    }
}
