//! What a create may ask for: a JSON object with `ttl` or nothing in it.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};

use crate::problem::{Problem, Violation};

const BODY_LIMIT: usize = 64 * 1024;
const LONGEST_TTL: u32 = 2_147_483_647;

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
    if body.is_empty() {
        return Err(invalid("The payload is missing."));
    }
    let Ok(payload) = serde_json::from_slice::<Value>(body) else {
        return Err(invalid("The payload cannot be JSON decoded."));
    };
    let Value::Object(fields) = payload else {
        return Err(invalid("The payload must be a JSON object."));
    };
    let mut ttl = 0;
    let mut violations = Vec::new();
    for (name, value) in &fields {
        let parsed = match name.as_str() {
            "ttl" => parse_ttl(value).map(|value| ttl = value),
            _ => Err(Violation::invalid_attribute(name, "This field was not expected.")),
        };
        violations.extend(parsed.err());
    }
    Problem::refuse(violations)?;
    Ok(ttl)
}

fn parse_ttl(value: &Value) -> Result<u32, Violation> {
    if !value.is_i64() && !value.is_u64() {
        return Err(Violation::invalid_attribute("ttl", "This value must be of type integer."));
    }
    value
        .as_u64()
        .and_then(|seconds| u32::try_from(seconds).ok())
        .filter(|seconds| *seconds <= LONGEST_TTL)
        .ok_or_else(|| Violation::out_of_range("ttl", json!({ "min": 0, "max": LONGEST_TTL })))
}

fn invalid(detail: &str) -> Problem {
    Problem::invalid_payload(StatusCode::BAD_REQUEST, detail)
}
