//! The decoder of a token: held to what serde_json and a plain model of the schema say.
#![no_main]

use apivideo::fuzzing;
use apivideo_fuzz::schema;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let verdict = fuzzing::token(text);
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // What stands in fields of no interest is looked at less closely.
        assert!(verdict.is_err() || fuzzing::check(text).is_ok() || schema::is_deep(text));
        return;
    };
    // Neither spaces nor escapes make a difference.
    let expected = schema::token(&value);
    for text in [value.to_string(), format!("{value:#}")] {
        schema::compare(&fuzzing::token(&text), &expected);
    }
    match (verdict, expected) {
        (Ok(_), _) if schema::is_rounded(&value) => {}
        (Ok(found), expected) => schema::compare(&Ok(found), &expected),
        // Of a field that stands there twice, the first may be at fault.
        (Err(why), _) => assert!(!why.contains("not JSON"), "{why}"),
    }
});
