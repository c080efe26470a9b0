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
    if !faults.is_empty() {
        return Err(faults);
    }
    // What need not be told is no fault: if it cannot be read, it is not told.
    let ttl = object.get("ttl").and_then(whole_number).filter(|ttl| *ttl <= 0x7fff_ffff);
    let date = |field| seconds(object.get(field)?.as_str()?);
    Ok((
        text.unwrap_or_default().into(),
        ttl.map(|ttl| ttl as u32),
        date("createdAt"),
        date("expiresAt"),
    ))
}

/// The number that a value is, as it is written down, if it is a whole one without a sign.
fn whole_number(value: &Value) -> Option<u64> {
    let text = value.as_number()?.to_string();
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let places = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?;
    let power = 10_u128.checked_pow(u32::try_from(places.unsigned_abs()).ok()?);
    let number = match (digits, power) {
        (0, _) => 0,
        (digits, Some(power)) if places < 0 => (digits % power == 0).then_some(digits / power)?,
        (digits, power) => digits.checked_mul(power?)?,
    };
    u64::try_from(number).ok()
}

/// Whether a value holds a number that serde_json rounds.
pub fn is_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(is_rounded),
        Value::Object(fields) => fields.values().any(is_rounded),
        _ => false,
    }
}

/// A date in one of the forms that are read, as its RFC 3339 form is.
pub fn seconds(date: &str) -> Option<i64> {
    // The time crate takes anything for what stands between date and time.
    if !matches!(date.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let parse = |date: &str| Some(OffsetDateTime::parse(date, &Rfc3339).ok()?.unix_timestamp());
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(at) = date.rfind(['+', '-']) else { return parse(date) };
    let (time, offset) = (&date[..at], &date[at..]);
    let time = time.strip_suffix(' ').unwrap_or(time);
    match offset.len() {
        3 => parse(&format!("{time}{offset}:00")),
        5 if is_digits(&offset[1..]) => parse(&format!("{time}{}:{}", &offset[..3], &offset[3..])),
        _ => parse(&format!("{time}{offset}")),
    }
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
                match whole_number(value).filter(|value| *value <= largest) {
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
