//! What stands around a part's bytes: whatever the video's id, the file's name and the bytes are, who reads it as
//! multipart/form-data finds these, and nothing else.
#![no_main]

use apivideo::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut pieces = text.splitn(3, '\0');
    let mut piece = || pieces.next().unwrap_or_default();
    let (video_id, name, bytes) = (piece(), piece(), piece());
    let video_id = (!video_id.is_empty()).then_some(video_id);
    let Some([boundary, head, tail]) = fuzzing::upload_frame(video_id, name) else { return };
    // What comes before the first delimiter begins a line, too.
    let body = format!("\r\n{head}{bytes}{tail}");
    let parts: Vec<_> = body.split(&format!("\r\n--{boundary}")).collect();
    let [first, fields @ .., last] = &parts[..] else { panic!("there is no end: {parts:?}") };
    assert_eq!((*first, *last), ("", "--\r\n"));
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            let field = field.strip_prefix("\r\n").expect("a line of its own");
            field.split_once("\r\n\r\n").expect("a head and a body")
        })
        .collect();
    let (file, before) = fields.split_last().expect("a file");
    let expected = video_id.map(|id| ("Content-Disposition: form-data; name=\"videoId\"", id));
    assert_eq!(before, expected.as_slice());
    assert_eq!(file.1, bytes);
    let lines: Vec<_> = file.0.split("\r\n").collect();
    let [disposition, "Content-Type: application/octet-stream"] = lines[..] else {
        panic!("{lines:?}");
    };
    let quoted = disposition
        .strip_prefix("Content-Disposition: form-data; name=\"file\"; filename=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("a name between quotes");
    assert!(!quoted.contains(['"', '\r', '\n']), "{quoted:?}");
    if !name.contains('%') {
        let read = quoted.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
        assert_eq!(read, name);
    }
});
