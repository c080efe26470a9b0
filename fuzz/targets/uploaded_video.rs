//! The decoder of an uploaded video: lenient but for its id.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok((id, title, is_described)) = fuzzing::uploaded_video(text) else { return };
    assert!((1..=512).contains(&id.len()) && !id.contains(char::is_control));
    assert!(title.is_none() || is_described);
    // What is nested deep, or a number that no double holds, is no less a video.
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let object = value.as_object().expect("an object");
    assert_eq!(object.get("videoId").and_then(Value::as_str), Some(id.as_str()));
    let said = object.get("title").and_then(Value::as_str).filter(|said| !said.contains('\0'));
    assert_eq!(title.as_deref(), said);
});
