//! Dates: what a token's `createdAt` is read as is what the time crate reads, if it reads it, and if
//! what it lets stand between date and time is what RFC 3339 does.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fuzz_target!(|date: &str| {
    let is_separated = matches!(date.as_bytes().get(10), Some(b'T' | b't' | b' '));
    let expected = OffsetDateTime::parse(date, &Rfc3339).ok().filter(|_| is_separated);
    let expected = expected.map(OffsetDateTime::unix_timestamp);
    let text = serde_json::json!({ "token": "t", "createdAt": date }).to_string();
    match fuzzing::token(&text) {
        Ok((_, _, created_at, _)) => assert_eq!(created_at, expected),
        Err(why) => {
            assert_eq!(expected, None);
            assert_eq!(why, "createdAt must be an RFC 3339 date");
        }
    }
});
