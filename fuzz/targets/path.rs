//! A token's way into a path: one segment, which decodes to the token, and none that leads elsewhere,
//! however often it is decoded on its way.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;
use percent_encoding::{percent_decode, percent_decode_str};

/// Whether a segment is one for whoever reads it, cuts it, and resolves it.
fn is_segment(text: &[u8]) -> bool {
    let until_cut = text.split(|byte| b";?#".contains(byte)).next().unwrap_or_default();
    let leads_away = |byte: &u8| b"/\\".contains(byte) || byte.is_ascii_control();
    !matches!(until_cut, b"" | b"." | b"..") && !text.iter().any(leads_away)
}

fuzz_target!(|token: &str| {
    let mut is_refused = token.len() > 4096 || token.contains(char::is_control);
    let mut text = token.as_bytes().to_vec();
    while !is_refused {
        is_refused = !is_segment(&text);
        let decoded: Vec<u8> = percent_decode(&text).collect();
        if decoded == text {
            break;
        }
        text = decoded;
    }
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
