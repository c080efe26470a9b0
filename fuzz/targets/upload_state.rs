//! The reader of an upload's state, which anybody may have written: also with the right checksum.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for text in [text.to_owned(), fuzzing::with_checksum(text)] {
        let Ok(state) = fuzzing::upload_state(&text) else { continue };
        // What is taken is told again, and taken again for the same.
        let state = state.expect("it is no longer than what was taken");
        assert!(state.len() <= 4096 && state.is_ascii() && !state.contains(char::is_control));
        assert_eq!(fuzzing::upload_state(&state), Ok(Some(state.clone())));
    }
});
