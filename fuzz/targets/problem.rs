//! The reader of problem documents, which takes anything, and the check of JSON that is passed on.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let (problems, summary) = fuzzing::problem(body);
    let value = serde_json::from_slice::<Value>(body);
    let listed = value.as_ref().ok().and_then(|value| value.get("problems")?.as_array());
    let objects = listed.map_or(0, |listed| listed.iter().filter(|it| it.is_object()).count());
    // What is nested deep, or a number that no double holds, is no less a problem.
    let is_odd = value.is_err() && std::str::from_utf8(body).is_ok_and(|it| fuzzing::is_json(it));
    assert!(is_odd || problems == objects);
    if let Some(summary) = summary {
        assert!(is_odd || matches!(value, Ok(Value::Object(_))));
        assert!(problems <= 4 || summary.ends_with(&format!("; and {} more", problems - 4)));
        // Five problems, of up to three texts each.
        assert!(summary.chars().count() < 5 * 3 * 210);
    }
    let Ok(text) = std::str::from_utf8(body) else { return };
    let passes = fuzzing::check(text);
    assert!(value.is_err() || passes.is_ok(), "{passes:?}");
    let is_object = passes.is_ok() && text.trim_ascii_start().starts_with('{');
    assert_eq!(fuzzing::check_object(text).is_ok(), is_object);
});
