//! The decoder of a page: the short way for the plain form, the way for all forms, serde_json and a
//! plain model of the schema agree.
#![no_main]

use apivideo::fuzzing;
use apivideo_fuzz::schema;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let verdict = fuzzing::page_any(text);
    assert_eq!(fuzzing::page(text), verdict);
    if let Some(plain) = fuzzing::page_plain(text) {
        assert_eq!(Ok(plain), verdict);
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        assert!(verdict.is_err() || fuzzing::check(text).is_ok() || schema::is_deep(text));
        return;
    };
    let expected = schema::page(&value);
    for text in [value.to_string(), format!("{value:#}")] {
        schema::compare(&fuzzing::page(&text), &expected);
    }
    match (verdict, expected) {
        (Ok(_), _) if schema::is_rounded(&value) => {}
        (Ok(found), expected) => schema::compare(&Ok(found), &expected),
        // Of a field that stands there twice, the first may be at fault.
        (Err(why), _) => assert!(!why.contains("not JSON"), "{why}"),
    }
});
