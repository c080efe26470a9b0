//! What a request may bring: a JSON object, whatever type it is said to be of, and in it the fields
//! that the operation knows.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;

use crate::integer;
use crate::problem::{Problem, Violation};
use crate::videos::Description;

const BODY_LIMIT: usize = 64 * 1024;
const LONGEST_TTL: u32 = 2_147_483_647;

/// The values as they are written: an integer may have more digits than any type of ours.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

pub async fn read(body: Incoming) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::invalid_payload(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The payload is too large.",
        )),
        Err(_) => Err(invalid("The payload ends before its announced length.")),
    }
}

/// The time to live that the payload asks for, in seconds; 0 is for ever, and the default.
pub fn ttl(body: &[u8]) -> Result<u32, Problem> {
    field(body, "ttl", |value| value.map_or(Ok(0), parse_ttl))
}

/// The text in the field of this name, which has to be there.
pub fn text(body: &[u8], name: &str) -> Result<String, Problem> {
    field(body, name, |value| {
        let missing = || Violation::invalid_attribute(name, "This field is missing.");
        typed(name, value.ok_or_else(missing)?, "string")
    })
}

/// What a video is to be, of which all but the title may be left out.
pub fn video(body: &[u8]) -> Result<Description, Problem> {
    let mut fields = fields(body)?;
    let mut violations = Vec::new();
    if !fields.contains_key("title") {
        violations.push(Violation::missing_attribute("title"));
    }
    let title = optional(&mut fields, "title", "string", &mut violations);
    let description = optional(&mut fields, "description", "string", &mut violations);
    let public = optional(&mut fields, "public", "boolean", &mut violations);
    let mp4_support = optional(&mut fields, "mp4Support", "boolean", &mut violations);
    violations.extend(fields.keys().map(|name| unexpected(name)));
    Problem::refuse(violations)?;
    Ok(Description {
        title: title.unwrap_or_default(),
        description,
        public: public.unwrap_or(true),
        mp4_support: mp4_support.unwrap_or(true),
    })
}

/// Takes the field out; one of another type is a violation, and as good as none.
fn optional<T: DeserializeOwned>(
    fields: &mut Fields,
    name: &str,
    of_type: &str,
    violations: &mut Vec<Violation>,
) -> Option<T> {
    let value = typed(name, fields.remove(name)?, of_type);
    value.map_err(|violation| violations.push(violation)).ok()
}

fn typed<T: DeserializeOwned>(name: &str, value: &RawValue, of_type: &str) -> Result<T, Violation> {
    serde_json::from_str(value.get()).map_err(|_| {
        Violation::invalid_attribute(name, &format!("This value must be of type {of_type}."))
    })
}

fn unexpected(name: &str) -> Violation {
    Violation::invalid_attribute(name, "This field was not expected.")
}

/// What `parse` makes of the field of this name. Every other field is refused.
fn field<T>(
    body: &[u8],
    name: &str,
    parse: impl Fn(Option<&RawValue>) -> Result<T, Violation>,
) -> Result<T, Problem> {
    let mut fields = fields(body)?;
    let parsed = parse(fields.remove(name));
    let unexpected = fields.keys().map(|name| unexpected(name));
    match parsed {
        Ok(value) => Problem::refuse(unexpected).map(|()| value),
        Err(violation) => Err(Problem::refused(violation, unexpected)),
    }
}

fn fields(body: &[u8]) -> Result<Fields<'_>, Problem> {
    if body.is_empty() {
        return Err(invalid("The payload is missing."));
    }
    let Ok(payload) = serde_json::from_slice::<&RawValue>(body) else {
        return Err(invalid("The payload cannot be JSON decoded."));
    };
    serde_json::from_str(payload.get()).map_err(|_| invalid("The payload must be a JSON object."))
}

fn parse_ttl(value: &RawValue) -> Result<u32, Violation> {
    let seconds = integer::parse(value.get()).ok_or_else(|| {
        Violation::invalid_attribute("ttl", "This value must be of type integer.")
    })?;
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= LONGEST_TTL)
        .ok_or_else(|| Violation::out_of_range("ttl", json!({ "min": 0, "max": LONGEST_TTL })))
}

fn invalid(detail: &str) -> Problem {
    Problem::invalid_payload(StatusCode::BAD_REQUEST, detail)
}
