//! What the API's schema says of a token and a page, over values of serde_json: the decoders are held
//! to it.

use apivideo::fuzzing::{Page, Told};
use serde_json::Value;
use std::fmt::Debug;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What the schema makes of a value, or every place that is at fault.
pub type Verdict<T> = Result<T, Vec<String>>;

/// The token that a value is.
pub fn token(value: &Value) -> Verdict<Told> {
    token_at(value, "", "it")
}

fn token_at(value: &Value, prefix: &str, whole: &str) -> Verdict<Told> {
    let Some(object) = value.as_object() else { return Err(vec![whole.into()]) };
    let mut faults = Vec::new();
    let mut fault = |field: &str| faults.push(format!("{prefix}{field}"));
    let text = object.get("token").and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty() && !text.contains('\0'));
    if text.is_none() {
        fault("token");
    }
    let told = |field| object.get(field).filter(|value| !value.is_null());
    let ttl = told("ttl").map(|ttl| ttl.as_u64().filter(|ttl| *ttl <= 0x7fff_ffff));
    if ttl == Some(None) {
        fault("ttl");
    }
    let mut date = |field| {
        let date = told(field).map(|date| seconds(date.as_str()?));
        if date == Some(None) {
            fault(field);
        }
        date.flatten()
    };
    let (created_at, expires_at) = (date("createdAt"), date("expiresAt"));
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok((
        text.unwrap_or_default().into(),
        ttl.flatten().map(|ttl| ttl as u32),
        created_at,
        expires_at,
    ))
}

fn seconds(date: &str) -> Option<i64> {
    // The time crate takes anything for what stands between date and time.
    let is_separated = matches!(date.as_bytes().get(10), Some(b'T' | b't' | b' '));
    let date = OffsetDateTime::parse(date, &Rfc3339).ok().filter(|_| is_separated)?;
    Some(date.unix_timestamp())
}

/// The page that a value is.
pub fn page(value: &Value) -> Verdict<Page> {
    let Some(object) = value.as_object() else { return Err(vec!["it".into()]) };
    let mut faults = Vec::new();
    let mut tokens = Vec::new();
    match object.get("data").and_then(Value::as_array) {
        None => faults.push("data".into()),
        Some(data) => {
            for (index, item) in data.iter().enumerate() {
                let place = format!("data[{index}]");
                match token_at(item, &format!("{place}."), &place) {
                    Ok(token) => tokens.push(token),
                    Err(found) => faults.extend(found),
                }
            }
        }
    }
    let mut numbers = [0; 4];
    match object.get("pagination").and_then(Value::as_object) {
        None => faults.push("pagination".into()),
        Some(told) => {
            let names = ["currentPage", "pagesTotal", "pageSize", "itemsTotal"];
            for (name, number) in names.into_iter().zip(&mut numbers) {
                let largest = if name == "itemsTotal" { u64::MAX } else { u32::MAX.into() };
                let Some(value) = told.get(name).filter(|value| !value.is_null()) else { continue };
                match value.as_u64().filter(|value| *value <= largest) {
                    Some(value) => *number = value,
                    None => faults.push(format!("pagination.{name}")),
                }
            }
        }
    }
    if faults.is_empty() { Ok((tokens, numbers)) } else { Err(faults) }
}

/// Fails unless a decoder found what the schema says, or names one of the places at fault.
pub fn compare<T: PartialEq + Debug>(found: &Result<T, String>, expected: &Verdict<T>) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(why), Err(places)) => {
            let is_named = |place: &String| {
                why.strip_prefix(place.as_str())
                    .is_some_and(|rest| rest.starts_with(" must be ") || rest == " is missing")
            };
            assert!(places.iter().any(is_named), "{why:?} names none of {places:?}");
        }
        _ => panic!("{found:?}, but the schema says {expected:?}"),
    }
}

/// Whether a text has more brackets than serde_json goes down to.
pub fn is_deep(text: &str) -> bool {
    text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > 100
}
