//! A token's way into a path: one segment, which decodes to the token, and none that is resolved away.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fuzz_target!(|token: &str| {
    let is_refused = matches!(token, "" | "." | "..") || token.len() > 4096;
    let path = match fuzzing::path(token) {
        Ok(path) => path,
        Err(why) => {
            assert!(is_refused && why.starts_with("invalid argument: token "), "{why}");
            return;
        }
    };
    assert!(!is_refused);
    let segment = path.strip_prefix("http://127.0.0.1:1/prefix/upload-tokens/");
    let segment = segment.expect("a path below the prefix");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    assert!(segment.bytes().all(is_plain) && !matches!(segment, "" | "." | ".."), "{segment}");
    let decoded = percent_decode_str(segment).decode_utf8();
    assert_eq!(decoded.as_deref(), Ok(token));
});
