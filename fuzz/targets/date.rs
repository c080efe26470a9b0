//! Dates: what a token's `createdAt` is read as is what the time crate reads of its RFC 3339 form; what
//! is none is not told.
#![no_main]

use apivideo::fuzzing;
use apivideo_fuzz::schema;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|date: &str| {
    let text = serde_json::json!({ "token": "t", "createdAt": date }).to_string();
    let (_, _, created_at, _) = fuzzing::token(&text).expect("a date spoils no token");
    assert_eq!(created_at, schema::seconds(date));
});
