//! Uploads to the stand-in service: each rule and limit that is published, with its problem
//! document; what comes in any order, twice, or cut off; and what the ledger then tells. Sizes are
//! scaled down, so that a part is of 100 bytes at least and of 1,000 at most.

#[path = "support/local_api.rs"]
mod local_api;
#[path = "../examples/local_api/multipart.rs"]
mod multipart_reader;
#[path = "support/plain_http.rs"]
mod plain_http;

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_api::LocalApi;
use multipart_reader::Event;
use plain_http::{Answer, Connection};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

const KEY: &str = "key-of-the-tests";
const REFERENCE: &str = "https://docs.api.video/reference/";
const SCALED: [&str; 6] =
    ["--part-minimum", "100", "--part-maximum", "1000", "--source-maximum", "100000"];
const BOUNDARY: &str = "a-boundary";

// A file in one piece

#[test]
fn a_file_is_a_whole_video_that_is_called_after_it() {
    let api = start(&[]);
    let content = bytes(1, 640);
    let answer = upload(&api, None, &file(&content));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let video = answer.json();
    let id = id_of(&video);
    let random = id.strip_prefix("vi").expect("it starts with `vi`");
    assert_eq!(random.len(), 22, "{id}");
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(video["title"], "holidays.mp4");
    assert_eq!(video["public"], true);
    assert_eq!(video["source"]["uri"], format!("/videos/{id}/source"));
    assert_eq!(video["assets"]["player"], format!("https://embed.api.video/vod/{id}"));
    let told = &ledger(&api)["videos"][0];
    assert_eq!(told["videoId"], id);
    assert_eq!(told["whole"], true);
    assert_eq!(told["bytes"], 640);
    assert_eq!(told["sha256"], sha256(&content));
}

#[test]
fn a_file_of_any_size_up_to_the_largest_is_taken_whole() {
    let api = start(&[]);
    for size in [1, 99, 100, 1000] {
        assert_eq!(upload(&api, None, &file(&bytes(1, size))).status, 201, "{size}");
        assert_eq!(upload(&api, Some("part 1/1"), &file(&bytes(1, size))).status, 201, "{size}");
    }
}

#[test]
fn the_title_is_the_files_name_without_its_path() {
    let api = start(&[]);
    for (name, title) in [
        ("video", "video"),
        ("/home/user/video.mp4", "video.mp4"),
        (r"C:\videos\video.mp4", "video.mp4"),
        (r#"a \"b\"; c=d.mp4"#, r#"a "b"; c=d.mp4"#),
        ("Überfluß 視頻.mp4", "Überfluß 視頻.mp4"),
    ] {
        let video = upload(&api, None, &[Field::File { field: "file", name, content: b"x" }]);
        assert_eq!(video.json()["title"], title);
    }
}

#[test]
fn the_files_field_may_have_any_name_and_other_fields_are_not_looked_at() {
    let api = start(&[]);
    let content = bytes(1, 300);
    for field in ["file", "video.mp4", "videoId", ""] {
        let fields = [
            Field::Text("one", "1"),
            Field::File { field, name: "video.mp4", content: &content },
            Field::Text("another", "2"),
        ];
        assert_eq!(upload(&api, None, &fields).status, 201, "{field}");
    }
    assert!(whole_videos(&api).iter().all(|video| video["sha256"] == sha256(&content)));
}

// The token

#[test]
fn a_token_is_needed_and_has_to_be_good() {
    let api = start(&[]);
    let body = multipart(&file(b"x"));
    for (query, page, title) in [
        ("", "authentication-missing-upload-token", "The upload token is missing."),
        ("?other=1", "authentication-missing-upload-token", "The upload token is missing."),
        (
            "?token=",
            "authentication-invalid-upload-token",
            "The upload token is invalid or expired.",
        ),
        (
            "?token=toABC",
            "authentication-invalid-upload-token",
            "The upload token is invalid or expired.",
        ),
    ] {
        let answer = send_body(&api, &format!("/upload{query}"), &[form_type()], &body);
        assert_eq!(answer.status, 401, "{query}");
        assert_eq!(
            answer.json(),
            json!({ "type": format!("{REFERENCE}{page}"), "title": title, "status": 401 })
        );
    }
    assert_eq!(ledger(&api)["videos"], json!([]));
    assert_eq!(ledger(&api)["bytes_in_vain"], 4);
}

#[test]
fn a_token_may_be_percent_encoded() {
    let api = start(&[]);
    let encoded: String = token(&api, 0).bytes().map(|byte| format!("%{byte:02x}")).collect();
    let body = multipart(&file(b"x"));
    let answer = send_body(&api, &format!("/upload?token={encoded}"), &[form_type()], &body);
    assert_eq!(answer.status, 201);
}

#[test]
fn a_token_is_looked_up_as_each_part_begins() {
    let api = start(&[]);
    let token = token(&api, 0);
    let first = part(&api, &token, "part 1/3", None, &bytes(1, 100));
    let id = id_of(&first.json());
    // It is good as the second begins, and gone before that has come.
    let second = begin(&api, &token, "part 2/3", Some(&id), &bytes(2, 100));
    until_true("it has begun", || requests(&api) == 3);
    assert_eq!(
        send(&api, "DELETE", &format!("/upload-tokens/{token}"), &[basic()], "").status,
        204
    );
    assert_eq!(second.finish().status, 201);
    assert_eq!(part(&api, &token, "part 3/3", Some(&id), b"x").status, 401);
    // Another token goes on with it.
    assert_eq!(put(&api, "part 3/3", Some(&id), b"x").status, 201);
    assert_eq!(whole_videos(&api).len(), 1);
}

#[test]
fn an_expired_token_uploads_nothing() {
    let api = start(&[]);
    let token = token(&api, 1);
    until_true("it has expired", || part(&api, &token, "part 1/2", None, b"").status == 401);
    assert_eq!(ledger(&api)["videos"], json!([]));
}

#[test]
fn an_authorization_beside_the_token_is_neither_needed_nor_refused() {
    let api = start(&[]);
    let target = format!("/upload?token={}", token(&api, 0));
    let body = multipart(&file(b"x"));
    for (authorization, counted) in [
        (None, 0),
        (Some("Authorization: "), 1),
        (Some("Authorization: Basic nonsense"), 2),
        (Some("Authorization: Bearer unknown"), 3),
        (Some(basic().as_str()), 4),
    ] {
        let mut headers = vec![form_type()];
        headers.extend(authorization.map(str::to_owned));
        assert_eq!(send_body(&api, &target, &headers, &body).status, 201, "{authorization:?}");
        assert_eq!(ledger(&api)["with_authorization"], counted, "{authorization:?}");
    }
    // Without the token it is of no use.
    assert_eq!(send_body(&api, "/upload", &[form_type(), basic()], &body).status, 401);
}

// In parts

#[test]
fn parts_in_any_order_are_one_source() {
    let contents: Vec<Vec<u8>> =
        [100, 230, 1000, 17].iter().map(|size| bytes(*size, *size)).collect();
    let joined = contents.concat();
    let offsets: Vec<usize> =
        (0..=4).map(|count| contents[..count].iter().map(Vec::len).sum()).collect();
    let in_parts = |number: usize, _: bool| format!("part {}/4", number + 1);
    let in_parts_told_once = |number: usize, tells: bool| {
        let total = if tells || number == 3 { "4" } else { "*" };
        format!("part {}/{total}", number + 1)
    };
    let in_bytes = |number: usize, _: bool| {
        let (from, to) = (offsets[number], offsets[number + 1] - 1);
        format!("bytes {from}-{to}/{}", joined.len())
    };
    let in_bytes_told_once = |number: usize, tells: bool| {
        let (from, to) = (offsets[number], offsets[number + 1] - 1);
        let total = if tells || number == 3 { joined.len().to_string() } else { "*".to_owned() };
        format!("bytes {from}-{to}/{total}")
    };
    let ranges: [&dyn Fn(usize, bool) -> String; 4] =
        [&in_parts, &in_parts_told_once, &in_bytes, &in_bytes_told_once];
    let api = start(&[]);
    let token = token(&api, 0);
    for range in ranges {
        for order in orders(4) {
            let id = container(&api);
            for (turn, number) in order.iter().enumerate() {
                let range = range(*number, turn == 0);
                let answer = part(&api, &token, &range, Some(&id), &contents[*number]);
                assert_eq!(answer.status, 201, "{order:?} {range}: {}", answer.body);
                let video = answer.json();
                assert_eq!(id_of(&video), id);
                // Until it is whole its name is all that is told.
                let fields = video.as_object().unwrap().len();
                assert_eq!(fields > 1, turn == 3, "{order:?} {range}: {video}");
            }
        }
    }
    let videos = whole_videos(&api);
    assert_eq!(videos.len(), 4 * 24);
    for video in videos {
        assert_eq!(video["sha256"], sha256(&joined));
        assert_eq!(video["bytes"], joined.len());
        for (part, content) in video["parts"].as_array().unwrap().iter().zip(&contents) {
            assert_eq!(part["sha256"], sha256(content));
        }
    }
    assert_eq!(ledger(&api)["bytes_in_vain"], 0);
}

#[test]
fn a_total_may_be_told_by_the_part_that_is_sent_last_but_is_not_the_last() {
    let api = start(&[]);
    let id = container(&api);
    for range in ["part 3/*", "part 2/*", "part 1/3"] {
        assert_eq!(put(&api, range, Some(&id), &bytes(1, 100)).status, 201, "{range}");
    }
    assert_eq!(whole_videos(&api).len(), 1);
}

#[test]
fn the_video_is_named_before_the_file_or_after_it() {
    let api = start(&[]);
    let content = bytes(1, 100);
    let id = id_of(&put(&api, "part 1/3", None, &content).json());
    let before = [Field::Text("videoId", &id), Field::file(&content)];
    let after = [Field::file(&content), Field::Text("videoId", &id)];
    assert_eq!(upload(&api, Some("part 2/3"), &before).status, 201);
    assert_eq!(upload(&api, Some("part 3/3"), &after).status, 201);
    assert_eq!(whole_videos(&api).len(), 1);
}

#[test]
fn a_part_that_names_no_video_makes_one() {
    let api = start(&[]);
    for range in ["part 1/3", "part 2/3", "part 3/3"] {
        assert_eq!(put(&api, range, None, &bytes(1, 100)).status, 201);
    }
    assert_eq!(ledger(&api)["videos"].as_array().unwrap().len(), 3);
    assert_eq!(ledger(&api)["unfinished"].as_array().unwrap().len(), 3);
}

#[test]
fn parts_of_many_videos_come_at_once() {
    let api = start(&[]);
    let token = token(&api, 0);
    let ids = [(); 4].map(|()| container(&api));
    std::thread::scope(|scope| {
        for number in 1..=8 {
            let (api, token, ids) = (&api, &token, &ids);
            scope.spawn(move || {
                for (which, id) in ids.iter().enumerate() {
                    let content = bytes(which * 10 + number, 500);
                    let range = format!("part {number}/8");
                    assert_eq!(part(api, token, &range, Some(id), &content).status, 201);
                }
            });
        }
    });
    for (which, video) in whole_videos(&api).iter().enumerate() {
        let joined = (1..=8).map(|number| bytes(which * 10 + number, 500)).collect::<Vec<_>>();
        assert_eq!(video["sha256"], sha256(&joined.concat()));
    }
    assert_eq!(whole_videos(&api).len(), 4);
}

#[test]
fn as_many_as_10000_parts_are_one_source_whatever_the_order() {
    let api = start(&["--part-minimum", "1"]);
    let token = token(&api, 0);
    let id = container(&api);
    let mut connection = Connection::open(&api.url);
    let mut joined = Vec::new();
    // From the middle on, then what is before it: half of them wait.
    for number in (5_001..=10_000).chain(1..=5_000) {
        let content = bytes(number, 1 + number % 3);
        let fields = [Field::file(&content), Field::Text("videoId", &id)];
        let headers = [form_type(), format!("Content-Range: part {number}/10000")];
        let body = multipart(&fields);
        let target = format!("/upload?token={token}");
        assert_eq!(connection.send_bytes("POST", &target, &headers, &body).status, 201);
    }
    for number in 1..=10_000 {
        joined.extend(bytes(number, 1 + number % 3));
    }
    assert_eq!(whole_videos(&api)[0]["sha256"], sha256(&joined));
}

// What is refused

/// Pieces that are there, and the one that is refused with this page, name and detail.
type Refused =
    (&'static [(&'static str, usize)], (&'static str, usize), &'static str, &'static str);

#[test]
fn a_piece_that_does_not_go_with_those_before_it_is_a_400_that_tells_why() {
    let refused: [Refused; 22] = [
        (
            &[("part 1/3", 100)],
            ("part 1/3", 100),
            "video-content-range-by-part-part-already-sent",
            "The part number 1 has already been sent.",
        ),
        (
            &[("part 2/*", 100)],
            ("part 2/2", 100),
            "video-content-range-by-part-part-already-sent",
            "The part number 2 has already been sent.",
        ),
        (
            &[("part 1/3", 100)],
            ("part 2/4", 100),
            "video-content-range-by-part-different-total-parts",
            r#"The "total_parts" you already set for this video is 3."#,
        ),
        (
            &[("part 1/3", 100)],
            ("part 4/*", 100),
            "video-content-range-by-part-part-too-high-total",
            r#"The "total_parts" you already set for this video is 3."#,
        ),
        (
            &[("part 1/*", 100), ("part 4/*", 100)],
            ("part 2/3", 100),
            "video-content-range-by-part-total-parts-too-low",
            "The part number 4 has already been sent.",
        ),
        (
            &[],
            ("part 1/3", 99),
            "video-content-range-by-part-uploaded-file-too-small",
            "It must be greater than or equal to 100 bytes, except if it is the last part.",
        ),
        (
            &[],
            ("part 3/*", 99),
            "video-content-range-by-part-uploaded-file-too-small",
            "It must be greater than or equal to 100 bytes, except if it is the last part.",
        ),
        (
            &[("part 1/3", 100)],
            ("bytes 100-199/300", 100),
            "video-content-range-started-with-part",
            "",
        ),
        (
            &[("bytes 0-99/300", 100)],
            ("part 2/3", 100),
            "video-content-range-started-with-bytes",
            "",
        ),
        (&[("part 1/3", 100)], ("", 100), "video-content-range-already-initiated", ""),
        (&[("bytes 0-99/300", 100)], ("", 100), "video-content-range-already-initiated", ""),
        (&[("", 100)], ("", 100), "video-source-already-uploaded", ""),
        (&[("", 100)], ("part 1/3", 100), "video-source-already-uploaded", ""),
        (
            &[("part 1/2", 100), ("part 2/2", 1)],
            ("part 2/2", 1),
            "video-source-already-uploaded",
            "",
        ),
        (
            &[("part 2/2", 1), ("part 1/2", 100)],
            ("part 3/3", 1),
            "video-source-already-uploaded",
            "",
        ),
        (
            &[("bytes 0-99/300", 100)],
            ("bytes 99-198/300", 100),
            "video-content-range-by-bytes-range-overlap",
            "The range 0-99 has already been sent.",
        ),
        (
            &[("bytes 100-299/*", 200)],
            ("bytes 0-399/*", 400),
            "video-content-range-by-bytes-range-overlap",
            "The range 100-299 has already been sent.",
        ),
        (
            &[("bytes 0-99/300", 100)],
            ("bytes 100-199/400", 100),
            "video-content-range-by-bytes-different-total-bytes",
            r#"The "total_bytes" you already set for this video is 300."#,
        ),
        (
            &[("bytes 0-99/300", 100)],
            ("bytes 300-399/*", 100),
            "video-content-range-by-bytes-to-byte-too-high-total",
            r#"The "total_bytes" you already set for this video is 300."#,
        ),
        (
            &[("bytes 200-299/*", 100)],
            ("bytes 0-99/299", 100),
            "video-content-range-by-bytes-total-bytes-too-low",
            "The range 200-299 has already been sent.",
        ),
        (
            &[],
            ("bytes 0-98/300", 99),
            "video-content-range-by-bytes-range-too-small",
            "It must be greater than or equal to 100, except if it is the last chunk.",
        ),
        (
            &[],
            ("bytes 200-298/*", 99),
            "video-content-range-by-bytes-range-too-small",
            "It must be greater than or equal to 100, except if it is the last chunk.",
        ),
    ];
    let api = start(&[]);
    for (before, (range, size), page, detail) in refused {
        let id = container(&api);
        for (range, size) in before {
            assert_eq!(put(&api, range, Some(&id), &bytes(1, *size)).status, 201, "{range}");
        }
        let before = digests(&stored(&api, &id));
        let answer = put(&api, range, Some(&id), &bytes(2, size));
        assert_refused(&answer, &[(page, detail)]);
        assert_eq!(digests(&stored(&api, &id)), before, "{page}");
    }
}

#[test]
fn a_content_range_that_is_wrong_by_itself_is_a_400_that_tells_all_of_it() {
    let malformed = ("video-content-range-malformed", "");
    let part_zero = ("video-content-range-by-part-part-zero", "");
    let total_parts_zero = ("video-content-range-by-part-total-parts-zero", "");
    let most_parts = "The maximum number of parts allowed for a video is 10000.";
    let part_too_high = ("video-content-range-by-part-part-too-high-allowed", most_parts);
    let total_parts_too_high = ("video-content-range-by-part-total-parts-too-high", most_parts);
    let part_beyond = (
        "video-content-range-by-part-part-too-high-total",
        r#"The "total_parts" you already set for this video is 3."#,
    );
    let from_too_high = ("video-content-range-by-bytes-from-byte-too-high", "");
    let total_bytes_zero = ("video-content-range-by-bytes-total-bytes-zero", "");
    let to_too_high = (
        "video-content-range-by-bytes-to-byte-too-high-allowed",
        "The maximum upper bound allowed for a video is 999999.",
    );
    let total_bytes_too_high = (
        "video-content-range-by-bytes-total-bytes-too-high",
        "The maximum allowed limit is 1000000.",
    );
    let byte_beyond = (
        "video-content-range-by-bytes-to-byte-too-high-total",
        r#"The "total_bytes" you already set for this video is 100."#,
    );
    let too_large =
        ("video-content-range-by-bytes-range-too-large", "It must be lower than or equal to 1000.");
    let mismatch = (
        "video-content-range-by-bytes-range-mismatch",
        "The size of the file you sent is 100 bytes but the range length you set is 101.",
    );
    let huge = "9".repeat(30);
    let api = start(&[]);
    for (range, problems) in [
        ("1/3", vec![malformed]),
        ("part", vec![malformed]),
        ("part 1", vec![malformed]),
        ("part 1/", vec![malformed]),
        ("part /3", vec![malformed]),
        ("part */3", vec![malformed]),
        ("part -1/3", vec![malformed]),
        ("part +1/3", vec![malformed]),
        ("part 1.0/3", vec![malformed]),
        ("part 1 / 3", vec![malformed]),
        ("part 1/3/5", vec![malformed]),
        ("part 1-2/3", vec![malformed]),
        ("Part 1/3", vec![malformed]),
        ("parts 1/3", vec![malformed]),
        ("bytes 0/100", vec![malformed]),
        ("bytes -99/100", vec![malformed]),
        ("bytes 0-/100", vec![malformed]),
        ("bytes */100", vec![malformed]),
        ("bytes 0-99", vec![malformed]),
        ("bytes=0-99/100", vec![malformed]),
        ("part 0/3", vec![part_zero]),
        ("part 0/*", vec![part_zero]),
        ("part 1/0", vec![total_parts_zero]),
        ("part 0/0", vec![part_zero, total_parts_zero]),
        ("part 10001/*", vec![part_too_high]),
        ("part 1/10001", vec![total_parts_too_high]),
        (&format!("part {huge}/{huge}"), vec![part_too_high, total_parts_too_high]),
        ("part 4/3", vec![part_beyond]),
        ("part 10001/3", vec![part_too_high, part_beyond]),
        ("bytes 100-99/200", vec![from_too_high]),
        ("bytes 0-99/0", vec![total_bytes_zero]),
        ("bytes 999901-1000000/*", vec![to_too_high]),
        ("bytes 0-99/1000001", vec![total_bytes_too_high]),
        ("bytes 1-100/100", vec![byte_beyond]),
        ("bytes 0-1000/2000", vec![too_large]),
        (&format!("bytes 0-{huge}/*"), vec![to_too_high, too_large]),
        ("bytes 0-100/200", vec![mismatch]),
    ] {
        assert_refused(&put(&api, range, None, &bytes(1, 100)), &problems);
    }
    assert_eq!(ledger(&api)["videos"], json!([]));
    for range in ["part 10000/10000", "part 10000/*", "bytes 999900-999999/1000000"] {
        assert_eq!(put(&api, range, None, &bytes(1, 100)).status, 201, "{range}");
    }
}

#[test]
fn two_content_ranges_are_none() {
    let api = start(&[]);
    let target = format!("/upload?token={}", token(&api, 0));
    let range = "Content-Range: part 1/1".to_owned();
    let headers = [form_type(), range.clone(), range];
    let answer = send_body(&api, &target, &headers, &multipart(&file(b"x")));
    assert_refused(&answer, &[("video-content-range-malformed", "")]);
}

#[test]
fn a_file_that_cannot_be_taken_is_a_400_that_tells_why() {
    let two = [Field::file(b"one"), Field::file(b"two")];
    let text = [Field::Text("file", "of no name"), Field::Text("videoId", "vi")];
    let whole = multipart(&file(b"content"));
    let (empty, large) = (b"".as_slice(), bytes(1, 1001));
    let no_file = ("uploaded-file-no-file", "");
    let invalid = (
        "uploaded-file-invalid-file",
        "The multipart body is malformed, or ends before its last boundary.",
    );
    let too_large = ("uploaded-file-too-large", "The maximum size of a file is 1000 bytes.");
    let api = start(&[]);
    let target = format!("/upload?token={}", token(&api, 0));
    for range in [None, Some("part 1/1"), Some("part 1/*"), Some("part 2/2")] {
        for (content_type, body, problem) in [
            (form_type(), multipart(&file(empty)), ("uploaded-file-empty", "")),
            (form_type(), multipart(&file(&large)), too_large),
            (form_type(), multipart(&two), ("uploaded-file-multiple-files", "")),
            (form_type(), multipart(&text), no_file),
            (form_type(), multipart(&[]), no_file),
            (form_type(), Vec::new(), invalid),
            (form_type(), b"content".to_vec(), invalid),
            (form_type(), whole[..whole.len() - 8].to_vec(), invalid),
            (form_type().replace(BOUNDARY, "another"), whole.clone(), invalid),
            (form_type().replace("form-data", "mixed"), whole.clone(), no_file),
            ("Content-Type: multipart/form-data".to_owned(), whole.clone(), no_file),
            ("Content-Type: video/mp4".to_owned(), whole.clone(), no_file),
            ("Accept: */*".to_owned(), whole.clone(), no_file),
        ] {
            let mut headers = vec![content_type];
            headers.extend(range.map(|range| format!("Content-Range: {range}")));
            assert_refused(&send_body(&api, &target, &headers, &body), &[problem]);
        }
    }
    assert_eq!(ledger(&api)["videos"], json!([]));
}

#[test]
fn what_is_wrong_with_the_range_and_the_file_is_told_together() {
    let answer = put(&start(&[]), "part 0/3", None, b"");
    assert_refused(
        &answer,
        &[("video-content-range-by-part-part-zero", ""), ("uploaded-file-empty", "")],
    );
}

#[test]
fn an_unknown_video_is_a_404() {
    let api = start(&[]);
    for (range, id) in [("", "viUnknown"), ("part 1/2", "viUnknown"), ("part 1/1", "")] {
        assert_video_not_found(&put(&api, range, Some(id), &bytes(1, 100)));
    }
    assert_eq!(ledger(&api)["videos"], json!([]));
    assert_eq!(ledger(&api)["bytes_in_vain"], 300);
}

#[test]
fn a_source_does_not_grow_beyond_the_largest() {
    let api = start(&["--source-maximum", "1500"]);
    let id = id_of(&put(&api, "part 1/3", None, &bytes(1, 1000)).json());
    let too_large = ("uploaded-file-too-large", "The maximum size of a source is 1500 bytes.");
    assert_refused(&put(&api, "part 2/3", Some(&id), &bytes(2, 501)), &[too_large]);
    assert_eq!(put(&api, "part 2/3", Some(&id), &bytes(2, 500)).status, 201);
    assert_refused(&put(&api, "part 3/3", Some(&id), b"x"), &[too_large]);
}

#[test]
fn the_published_sizes_hold_unless_others_are_given() {
    let api = LocalApi::start(&["--api-key", KEY]);
    let token = token(&api, 0);
    let put = |range: &str, size: usize| {
        let answer = part(&api, &token, range, None, &vec![0; size]);
        let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
        (answer.status, kind.trim_start_matches(REFERENCE).to_owned())
    };
    let done = (201, String::new());
    let refused = |page: &str| (400, page.to_owned());
    let least = 5 * 1024 * 1024;
    assert_eq!(put("part 1/2", least), done);
    assert_eq!(
        put("part 1/2", least - 1),
        refused("video-content-range-by-part-uploaded-file-too-small")
    );
    assert_eq!(put("part 2/2", 1), done);
    assert_eq!(put("bytes 52428799999-52428799999/52428800000", 1), done);
    assert_eq!(
        put("bytes 0-0/52428800001", 1),
        refused("video-content-range-by-bytes-total-bytes-too-high")
    );
    assert_eq!(
        put("bytes 0-209715199/52428800000", 1),
        refused("video-content-range-by-bytes-range-mismatch")
    );
    assert_eq!(
        put("bytes 0-209715200/52428800000", 1),
        refused("video-content-range-by-bytes-range-too-large")
    );
}

// How it is read

/// Almost a delimiter, in several ways.
const TRICKY: &[u8] = b"\r\n--a-boundarx\r\n--\r\n-\r\r\n-a-boundary\r\n--a-boundar";

fn tricky_form() -> Vec<u8> {
    multipart(&[
        Field::Text("one", "\r\n--a-bounda"),
        Field::file(TRICKY),
        Field::Text("another", ""),
    ])
}

/// Over a connection pieces come together again: here each is read by itself.
#[test]
fn a_form_is_the_same_wherever_it_is_split() {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let boundary = multipart_reader::boundary(form_type().split_once(": ").unwrap().1);
        let mut reader = multipart_reader::Reader::new(&boundary.expect("a boundary"));
        let mut parts = Vec::new();
        for piece in pieces {
            let read = reader.read(piece, |event| match event {
                Event::Part(disposition) => parts.push((disposition, Vec::new())),
                Event::Content(bytes) => parts.last_mut().unwrap().1.extend_from_slice(bytes),
            });
            read.expect("it is well formed");
        }
        assert!(reader.is_complete());
        parts
    };
    let body = tricky_form();
    let whole = read(&mut std::iter::once(body.as_slice()));
    let contents: Vec<&[u8]> = whole.iter().map(|(_, content)| content.as_slice()).collect();
    assert_eq!(contents, [b"\r\n--a-bounda".as_slice(), TRICKY, b""]);
    assert_eq!(whole[1].0.file_name.as_deref(), Some("holidays.mp4"));
    for size in 1..body.len() {
        assert_eq!(read(&mut body.chunks(size)), whole, "in pieces of {size}");
        let (before, after) = body.split_at(size);
        assert_eq!(read(&mut [before, after].into_iter()), whole, "split at {size}");
    }
}

#[test]
fn a_form_is_read_in_whatever_pieces_it_comes() {
    let api = start(&[]);
    let target = format!("/upload?token={}", token(&api, 0));
    let body = tricky_form();
    for size in [1, 2, 3, 7, 64, 1000] {
        let mut connection = plain_http::connect(&api.url);
        connection.set_nodelay(true).unwrap();
        let head = head(&target, &[form_type()], body.len());
        connection.write_all(head.as_bytes()).unwrap();
        for piece in body.chunks(size) {
            connection.write_all(piece).unwrap();
        }
        assert_eq!(Connection::over(connection).read_answer().status, 201, "{size}");
    }
    let videos = whole_videos(&api);
    assert_eq!(videos.len(), 6);
    for video in videos {
        assert_eq!(video["sha256"], sha256(TRICKY));
    }
}

#[test]
fn a_form_may_have_a_preamble_padding_and_an_epilogue() {
    let api = start(&[]);
    let target = format!("/upload?token={}", token(&api, 0));
    let body = format!(
        "a preamble\r\n--{BOUNDARY} \t\r\ncontent-disposition:form-data ; filename=video ; \
         name=file\r\nX-Other: 1\r\n\r\ncontent\r\n--{BOUNDARY}--\r\nan epilogue\r\n--{BOUNDARY}\r\n"
    );
    for content_type in [
        form_type(),
        format!("Content-Type: multipart/form-data; boundary=\"{BOUNDARY}\""),
        format!("content-type: Multipart/Form-Data;charset=utf-8;Boundary={BOUNDARY}"),
    ] {
        let answer = send_body(&api, &target, std::slice::from_ref(&content_type), body.as_bytes());
        assert_eq!(answer.status, 201, "{content_type}: {}", answer.body);
        assert_eq!(answer.json()["title"], "video", "{content_type}");
    }
    assert!(whole_videos(&api).iter().all(|video| video["sha256"] == sha256(b"content")));
}

#[test]
fn a_body_may_come_in_chunks() {
    let api = start(&[]);
    let body = multipart(&file(b"content"));
    let mut request = format!(
        "POST /upload?token={} HTTP/1.1\r\nHost: localhost\r\n{}\r\nTransfer-Encoding: chunked\r\n\r\n",
        token(&api, 0),
        form_type()
    )
    .into_bytes();
    for chunk in body.chunks(10) {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let mut connection = plain_http::connect(&api.url);
    connection.write_all(&request).unwrap();
    assert_eq!(Connection::over(connection).read_answer().status, 201);
    assert_eq!(whole_videos(&api)[0]["sha256"], sha256(b"content"));
}

#[test]
fn a_part_that_breaks_off_is_not_stored_and_its_bytes_were_in_vain() {
    let api = start(&[]);
    let token = token(&api, 0);
    let id = id_of(&part(&api, &token, "part 1/3", None, &bytes(1, 100)).json());
    for whole in [false, true] {
        let mut cut = begin(&api, &token, "part 2/3", Some(&id), &bytes(2, 600));
        // All but the last byte of the body, or half of the file.
        let sent = if whole { cut.rest.len() - 1 } else { 300 };
        cut.connection.write_all(&cut.rest[..sent]).unwrap();
        cut.connection.shutdown(Shutdown::Both).unwrap();
    }
    until_true("both are given up", || {
        // All of one file, and some of the other.
        (600..=1200).contains(&ledger(&api)["bytes_in_vain"].as_u64().unwrap())
    });
    assert_eq!(stored(&api, &id)["parts"].as_array().unwrap().len(), 1);
    assert_eq!(part(&api, &token, "part 2/3", Some(&id), &bytes(2, 600)).status, 201);
    assert_eq!(part(&api, &token, "part 3/3", Some(&id), b"x").status, 201);
    let joined = [bytes(1, 100), bytes(2, 600), b"x".to_vec()].concat();
    assert_eq!(whole_videos(&api)[0]["sha256"], sha256(&joined));
}

#[test]
fn of_two_that_send_the_same_part_at_once_the_first_that_is_done_counts() {
    let api = start(&[]);
    let token = token(&api, 0);
    let id = id_of(&part(&api, &token, "part 1/2", None, &bytes(1, 100)).json());
    let mut slow = begin(&api, &token, "part 2/2", Some(&id), &bytes(2, 500));
    let sent = slow.rest.len() / 2;
    slow.connection.write_all(&slow.rest[..sent]).unwrap();
    slow.rest.drain(..sent);
    assert_eq!(part(&api, &token, "part 2/2", Some(&id), &bytes(3, 400)).status, 201);
    assert_refused(&slow.finish(), &[("video-source-already-uploaded", "")]);
    let video = &whole_videos(&api)[0];
    assert_eq!(video["sha256"], sha256(&[bytes(1, 100), bytes(3, 400)].concat()));
    assert_eq!(video["parts"][1]["received"], 2);
    assert_eq!(ledger(&api)["bytes_in_vain"], 500);
}

/// In the worst order: all but the first wait for it.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_what_is_uploaded() {
    const PART: usize = 32 * 1024 * 1024;
    let api = LocalApi::start(&["--api-key", KEY]);
    let token = token(&api, 0);
    // What a first upload takes: buffers, code.
    assert_eq!(part(&api, &token, "part 1/1", None, &bytes(1, 1024 * 1024)).status, 201);
    let before = peak_memory(&api);
    let content = bytes(2, PART);
    let id = container(&api);
    for range in ["part 4/4", "part 2/4", "part 3/4", "part 1/4"] {
        assert_eq!(part(&api, &token, range, Some(&id), &content).status, 201);
    }
    assert_eq!(part(&api, &token, "part 1/1", None, &content).status, 201);
    let grown = peak_memory(&api) - before;
    println!("5 parts of 32 MiB: {grown} kB more");
    assert!(grown < 8 * 1024, "{grown} kB");
    let digests: Vec<Value> =
        whole_videos(&api).iter().map(|video| video["sha256"].clone()).collect();
    assert_eq!(digests[1], sha256(&content.repeat(4)));
    assert_eq!(digests[2], sha256(&content));
}

// Videos

#[test]
fn a_video_is_made_with_the_key_and_found_as_it_was_made() {
    let api = start(&[]);
    let made =
        create_video(&api, r#"{"title":"A","description":"B","public":false,"mp4Support":false}"#);
    assert_eq!(made.status, 201);
    let video = made.json();
    assert_eq!(video["title"], "A");
    assert_eq!(video["description"], "B");
    assert_eq!(video["public"], false);
    assert_eq!(video["assets"].get("mp4"), None);
    let id = id_of(&video);
    // Of a private video the addresses hold a secret.
    let player = video["assets"]["player"].as_str().unwrap();
    let secret = player.split_once("?token=").expect("a secret").1;
    for name in ["iframe", "hls", "thumbnail"] {
        assert!(video["assets"][name].as_str().unwrap().contains(secret), "{name}");
    }
    let path = format!("/videos/{id}");
    assert_eq!(send(&api, "GET", &path, &[basic()], "").json(), video);
    // An upload to it leaves it what it is.
    let uploaded = put(&api, "", Some(&id), b"x").json();
    assert_eq!(uploaded["title"], "A");
    assert_eq!(uploaded["public"], false);
    assert!(uploaded["publishedAt"].is_string());
    assert_eq!(send(&api, "GET", &path, &[basic()], "").json(), uploaded);
}

#[test]
fn a_video_asked_for_wrongly_is_a_400_that_names_what_is_wrong() {
    let api = start(&[]);
    for (body, names) in [
        ("{}", vec!["title"]),
        (r#"{"title":1}"#, vec!["title"]),
        (
            r#"{"title":"A","public":"no","mp4Support":1,"description":null}"#,
            vec!["description", "mp4Support", "public"],
        ),
        (r#"{"title":"A","source":"https://example.com"}"#, vec!["source"]),
    ] {
        let answer = create_video(&api, body);
        assert_eq!(answer.status, 400, "{body}");
        let problem = answer.json();
        let mut told: Vec<&str> = problem["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|problem| problem["name"].as_str().unwrap())
            .collect();
        told.sort_unstable();
        assert_eq!(told, names, "{body}");
    }
    assert_eq!(create_video(&api, "{}").json()["type"], format!("{REFERENCE}attribute-required"));
    assert_eq!(create_video(&api, "").json()["title"], "The payload is invalid.");
}

#[test]
fn videos_are_told_of_with_the_key_alone() {
    let api = start(&[]);
    let id = container(&api);
    let status = format!("/videos/{id}/status");
    for (method, path) in
        [("POST", "/videos"), ("GET", &format!("/videos/{id}")), ("GET", status.as_str())]
    {
        let with_token = format!("{path}?token={}", token(&api, 0));
        for target in [path, &with_token] {
            assert_eq!(send(&api, method, target, &[], "{}").status, 401, "{method} {target}");
        }
    }
    assert_eq!(ledger(&api)["videos"].as_array().unwrap().len(), 1);
}

#[test]
fn an_unknown_video_is_not_told_of() {
    let api = start(&[]);
    for path in ["/videos/viUnknown", "/videos/viUnknown/status"] {
        assert_video_not_found(&send(&api, "GET", path, &[basic()], ""));
    }
    for path in ["/videos/", "/videos/a/b", "/videos//status", "/videos/a/status/", "/upload/"] {
        let answer = send(&api, "GET", path, &[basic()], "");
        assert_eq!(answer.json()["title"], "Unrecognized request URL.", "{path}");
    }
}

#[test]
fn another_method_is_a_405_that_names_those_allowed() {
    let api = start(&[]);
    for (method, path, allowed) in [
        ("GET", "/upload", "POST"),
        ("PUT", "/upload", "POST"),
        ("GET", "/videos", "POST"),
        ("DELETE", "/videos/vi", "GET"),
        ("POST", "/videos/vi/status", "GET"),
    ] {
        let answer = send(&api, method, path, &[basic()], "");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn a_status_tells_what_has_come_and_whether_that_is_all() {
    let api = start(&[]);
    let status = |id: &str| {
        let answer = send(&api, "GET", &format!("/videos/{id}/status"), &[basic()], "");
        assert_eq!(answer.status, 200);
        answer.json()
    };
    let ingest = |status: &str, filesize: Value, bytes: Value, parts: Value, total: Value| {
        json!({
            "status": status,
            "filesize": filesize,
            "receivedBytes": bytes,
            "receivedParts": { "parts": parts, "total": total },
        })
    };
    let id = container(&api);
    assert_eq!(status(&id)["ingest"], Value::Null);
    assert_eq!(status(&id)["encoding"]["playable"], false);

    put(&api, "part 2/*", Some(&id), &bytes(1, 100));
    let uploading = |parts, total| ingest("uploading", Value::Null, json!([]), parts, total);
    assert_eq!(status(&id)["ingest"], uploading(json!([2]), Value::Null));
    put(&api, "part 3/3", Some(&id), b"x");
    assert_eq!(status(&id)["ingest"], uploading(json!([2, 3]), json!(3)));
    put(&api, "part 1/*", Some(&id), &bytes(1, 100));
    let whole = ingest("uploaded", json!(201), json!([]), json!([1, 2, 3]), json!(3));
    assert_eq!(status(&id)["ingest"], whole);
    assert_eq!(status(&id)["encoding"]["playable"], true);

    let regular = id_of(&upload(&api, None, &file(b"x")).json());
    let whole = ingest("uploaded", json!(1), json!([]), json!([]), Value::Null);
    assert_eq!(status(&regular)["ingest"], whole);

    let ranged = id_of(&put(&api, "bytes 0-99/150", None, &bytes(1, 100)).json());
    let range = json!([{ "from": 0, "to": 99, "total": 150 }]);
    assert_eq!(
        status(&ranged)["ingest"],
        ingest("uploading", Value::Null, range, json!([]), Value::Null)
    );
}

// The ledger

#[test]
fn the_ledger_tells_what_is_stored_what_is_missing_and_what_was_in_vain() {
    let api = start(&[]);
    let content = bytes(1, 100);
    let empty = container(&api);
    let begun = id_of(&put(&api, "part 1/2", None, &content).json());
    let whole = id_of(&put(&api, "bytes 0-99/101", None, &content).json());
    assert_eq!(put(&api, "bytes 100-100/101", Some(&whole), b"x").status, 201);
    for _ in 0..2 {
        assert_eq!(put(&api, "part 1/2", Some(&begun), &content).status, 400);
    }
    assert_eq!(put(&api, "part 3/3", Some(&begun), b"12").status, 400);
    let digest = sha256(&content);
    assert_eq!(
        ledger(&api),
        json!({
            "videos": [
                {
                    "videoId": empty,
                    "title": "made with the key",
                    "whole": false,
                    "bytes": 0,
                    "sha256": null,
                    "parts": [],
                },
                {
                    "videoId": begun,
                    "title": "holidays.mp4",
                    "whole": false,
                    "bytes": 100,
                    "sha256": null,
                    "parts": [{ "part": 1, "bytes": 100, "sha256": digest, "received": 3 }],
                },
                {
                    "videoId": whole,
                    "title": "holidays.mp4",
                    "whole": true,
                    "bytes": 101,
                    "sha256": sha256(&[content.as_slice(), b"x"].concat()),
                    "parts": [
                        { "from": 0, "to": 99, "bytes": 100, "sha256": digest, "received": 1 },
                        { "from": 100, "to": 100, "bytes": 1, "sha256": sha256(b"x"), "received": 1 },
                    ],
                },
            ],
            "unfinished": [begun],
            "bytes_in_vain": 202,
            "with_authorization": 0,
        })
    );
}

// Faults

#[test]
fn a_failed_part_is_a_500_and_not_stored() {
    let api = start(&["--fail-rate", "100", "--seed", "1"]);
    let token = seeded_token(&api);
    let mut connection = Connection::open(&api.url);
    for _ in 0..3 {
        let headers = [form_type(), "Content-Range: part 1/2".to_owned()];
        let target = format!("/upload?token={token}");
        let body = multipart(&file(&bytes(1, 500)));
        // The connection stays: it has been read to the end.
        assert_eq!(connection.send_bytes("POST", &target, &headers, &body).status, 500);
    }
    assert_eq!(ledger(&api)["videos"], json!([]));
    assert_eq!(ledger(&api)["bytes_in_vain"], 1500);
    assert_eq!(whole_ledger(&api)["failed"], 3);
}

#[test]
fn a_dropped_part_is_stored_and_its_answer_lost() {
    let api = start(&["--drop-rate", "100", "--seed", "1"]);
    let token = seeded_token(&api);
    let lost = begin(&api, &token, "part 1/2", None, &bytes(1, 100)).finish_unanswered();
    assert_eq!(lost, "");
    let id = ledger(&api)["unfinished"][0].as_str().unwrap().to_owned();
    let again = begin(&api, &token, "part 1/2", Some(&id), &bytes(1, 100)).finish_unanswered();
    assert_eq!(again, "");
    assert_eq!(stored(&api, &id)["parts"][0]["received"], 2);
    // The second changed nothing.
    assert_eq!(
        whole_ledger(&api)["answers_lost"],
        json!({ "create": 0, "delete": 0, "part": 1, "read": 1, "video": 0 })
    );
}

#[test]
fn a_lost_answer_to_a_video_that_was_made_is_told() {
    let api = start(&["--drop-rate", "100"]);
    let mut connection = Connection::open(&api.url);
    connection.send_only("POST", "/videos", &[basic()], r#"{"title":"A"}"#);
    assert_eq!(connection.read_to_close(), "");
    assert_eq!(whole_ledger(&api)["answers_lost"]["video"], 1);
    assert_eq!(ledger(&api)["videos"].as_array().unwrap().len(), 1);
}

#[test]
fn faults_of_parts_are_repeated_by_a_random_seed() {
    let outcomes = || {
        let arguments =
            ["--fail-rate", "30", "--drop-rate", "30", "--random-seed", "5", "--seed", "1"];
        let api = start(&arguments);
        let token = seeded_token(&api);
        let outcome = |_| {
            begin(&api, &token, "part 1/2", None, &bytes(1, 100))
                .finish_unanswered()
                .split_whitespace()
                .nth(1)
                .map(str::to_owned)
        };
        let outcomes: Vec<Option<String>> = (0..60).map(outcome).collect();
        let stored = outcomes.iter().filter(|it| it.as_deref() != Some("500")).count();
        assert_eq!(ledger(&api)["unfinished"].as_array().unwrap().len(), stored);
        outcomes
    };
    let first = outcomes();
    for kind in [None, Some("201"), Some("500")] {
        assert!(first.iter().any(|it| it.as_deref() == kind), "{kind:?}");
    }
    assert_eq!(outcomes(), first);
}

#[test]
fn the_answer_to_a_part_comes_late_but_the_part_is_stored() {
    let api = start(&["--latency-ms", "600000", "--seed", "1"]);
    let token = seeded_token(&api);
    let mut part = begin(&api, &token, "part 1/2", None, &bytes(1, 100));
    part.send_rest();
    until_true("it is stored", || ledger(&api)["unfinished"].as_array().unwrap().len() == 1);
}

#[test]
fn uploads_are_limited_apart_and_each_part_counts() {
    for (options, limit) in [
        (&["--rate-limit", "3"][..], 3),
        (&["--upload-rate-limit", "2"], 2),
        (&["--rate-limit", "1", "--upload-rate-limit", "2/30"], 2),
    ] {
        let api = start(options);
        let token = token(&api, 0);
        let mut id = None;
        for number in 1..=limit {
            let answer =
                part(&api, &token, &format!("part {number}/9"), id.as_deref(), &bytes(1, 100));
            assert_eq!(answer.status, 201, "{options:?}");
            assert_eq!(answer.number("X-RateLimit-Limit"), limit);
            assert_eq!(answer.number("X-RateLimit-Remaining"), limit - number);
            assert!(answer.number("X-RateLimit-Retry-After") <= 60);
            id = Some(id_of(&answer.json()));
        }
        let refused = part(&api, &token, "part 9/9", id.as_deref(), b"x");
        assert_eq!(refused.status, 429, "{options:?}");
        assert_eq!(refused.json()["type"], format!("{REFERENCE}too-many-requests"));
        assert_eq!(refused.number("X-RateLimit-Remaining"), 0);
        let told = whole_ledger(&api);
        assert_eq!(told["rate_limited"], 1, "{options:?}");
        assert_eq!(told["uploads"]["bytes_in_vain"], 1, "{options:?}");
        assert_eq!(told["uploads"]["videos"][0]["parts"].as_array().unwrap().len() as u64, limit);
        assert_eq!(send(&api, "GET", "/upload-tokens", &[basic()], "").status, 200);
    }
}

#[test]
fn without_the_option_uploads_are_limited_as_little_as_the_rest() {
    let api = start(&[]);
    let answer = upload(&api, None, &file(b"x"));
    assert!(answer.number("X-RateLimit-Remaining") >= 1_000_000);
}

/// Of what is announced nothing has come when the answer is there.
#[test]
fn an_upload_may_be_refused_before_it_has_come() {
    for (options, target, status) in [
        (&["--refuse-early"][..], "/upload?token=toUnknown", 401),
        (&["--refuse-early", "--upload-rate-limit", "0"], "/upload?token=toUnknown", 429),
        (&["--refuse-early", "--fail-rate", "100"], "/upload?token=toUnknown", 500),
    ] {
        let api = start(options);
        let mut connection = plain_http::connect(&api.url);
        let head = head(target, &[form_type()], 1_000_000);
        connection.write_all(head.as_bytes()).unwrap();
        let mut connection = Connection::over(connection);
        assert_eq!(connection.read_answer().status, status);
        assert_eq!(connection.read_to_close(), "", "{status}: the connection is closed");
    }
}

#[test]
fn an_upload_that_is_not_refused_is_read_though_others_are_refused_early() {
    let api = start(&["--refuse-early"]);
    let token = token(&api, 0);
    let id = id_of(&part(&api, &token, "part 1/2", None, &bytes(1, 100)).json());
    assert_eq!(part(&api, &token, "part 2/2", Some(&id), b"x").status, 201);
    assert_eq!(part(&api, &token, "part 2/2", Some(&id), b"x").status, 400);
}

// Calling

fn start(options: &[&str]) -> LocalApi {
    // Of an option that is there twice the last one would be refused.
    let scaled: Vec<&str> = SCALED
        .chunks(2)
        .filter(|option| !options.contains(&option[0]))
        .flatten()
        .copied()
        .collect();
    LocalApi::start(&[&["--api-key", KEY], options, &scaled].concat())
}

enum Field<'a> {
    Text(&'a str, &'a str),
    File { field: &'a str, name: &'a str, content: &'a [u8] },
}

impl<'a> Field<'a> {
    fn file(content: &'a [u8]) -> Self {
        Self::File { field: "file", name: "holidays.mp4", content }
    }
}

fn file(content: &[u8]) -> [Field<'_>; 1] {
    [Field::file(content)]
}

fn multipart(fields: &[Field]) -> Vec<u8> {
    let mut body = Vec::new();
    for field in fields {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; ").bytes());
        match field {
            Field::Text(name, value) => {
                body.extend(format!("name=\"{name}\"\r\n\r\n{value}").bytes());
            }
            Field::File { field, name, content } => {
                body.extend(format!("name=\"{field}\"; filename=\"{name}\"\r\n").bytes());
                body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
                body.extend_from_slice(content);
            }
        }
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

fn form_type() -> String {
    format!("Content-Type: multipart/form-data; boundary={BOUNDARY}")
}

fn send(api: &LocalApi, method: &str, target: &str, headers: &[String], body: &str) -> Answer {
    Connection::open(&api.url).send(method, target, headers, body)
}

fn send_body(api: &LocalApi, target: &str, headers: &[String], body: &[u8]) -> Answer {
    Connection::open(&api.url).send_bytes("POST", target, headers, body)
}

/// With a token of its own.
fn upload(api: &LocalApi, range: Option<&str>, fields: &[Field]) -> Answer {
    let mut headers = vec![form_type()];
    headers.extend(range.map(|range| format!("Content-Range: {range}")));
    send_body(api, &format!("/upload?token={}", token(api, 0)), &headers, &multipart(fields))
}

/// A piece, with a token of its own; without a range it is all.
fn put(api: &LocalApi, range: &str, id: Option<&str>, content: &[u8]) -> Answer {
    let mut fields: Vec<Field> = id.map(|id| Field::Text("videoId", id)).into_iter().collect();
    fields.push(Field::file(content));
    upload(api, Some(range).filter(|range| !range.is_empty()), &fields)
}

fn part(api: &LocalApi, token: &str, range: &str, id: Option<&str>, content: &[u8]) -> Answer {
    begin(api, token, range, id, content).finish()
}

/// A part of which nothing but the head has been sent.
struct Part {
    connection: std::net::TcpStream,
    rest: Vec<u8>,
}

fn begin(api: &LocalApi, token: &str, range: &str, id: Option<&str>, content: &[u8]) -> Part {
    let mut fields = vec![Field::file(content)];
    fields.extend(id.map(|id| Field::Text("videoId", id)));
    let rest = multipart(&fields);
    let headers = [form_type(), format!("Content-Range: {range}"), "Connection: close".to_owned()];
    let mut connection = plain_http::connect(&api.url);
    let head = head(&format!("/upload?token={token}"), &headers, rest.len());
    connection.write_all(head.as_bytes()).expect("the head is sent");
    Part { connection, rest }
}

impl Part {
    fn send_rest(&mut self) {
        self.connection.write_all(&self.rest).expect("the rest is sent");
    }

    fn finish(mut self) -> Answer {
        self.send_rest();
        Connection::over(self.connection).read_answer()
    }

    /// What comes, which may be nothing.
    fn finish_unanswered(mut self) -> String {
        self.send_rest();
        Connection::over(self.connection).read_to_close()
    }
}

fn head(target: &str, headers: &[String], length: usize) -> String {
    let headers = headers.iter().map(|header| format!("{header}\r\n")).collect::<String>();
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
}

fn basic() -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{KEY}:")))
}

fn token(api: &LocalApi, ttl: u32) -> String {
    let answer =
        send(api, "POST", "/upload-tokens", &[basic()], &json!({ "ttl": ttl }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// For where a token cannot be made.
fn seeded_token(api: &LocalApi) -> String {
    whole_ledger(api)["tokens"][0].as_str().expect("a token").to_owned()
}

fn create_video(api: &LocalApi, body: &str) -> Answer {
    send(api, "POST", "/videos", &[basic()], body)
}

/// A video without a source.
fn container(api: &LocalApi) -> String {
    let answer = create_video(api, r#"{"title":"made with the key"}"#);
    assert_eq!(answer.status, 201, "{}", answer.body);
    id_of(&answer.json())
}

fn whole_ledger(api: &LocalApi) -> Value {
    send(api, "GET", "/local-api/ledger", &[], "").json()
}

/// What it tells of uploads.
fn ledger(api: &LocalApi) -> Value {
    whole_ledger(api)["uploads"].clone()
}

fn requests(api: &LocalApi) -> u64 {
    whole_ledger(api)["requests"].as_u64().expect("a number")
}

fn whole_videos(api: &LocalApi) -> Vec<Value> {
    let mut videos = ledger(api)["videos"].as_array().expect("a list").clone();
    videos.retain(|video| video["whole"] == true);
    videos
}

/// What it tells of one video.
fn stored(api: &LocalApi, id: &str) -> Value {
    let ledger = ledger(api);
    let videos = ledger["videos"].as_array().expect("a list");
    videos.iter().find(|video| video["videoId"] == id).expect("it is there").clone()
}

/// Of a video's source, and of its parts.
fn digests(video: &Value) -> Vec<Value> {
    let parts = video["parts"].as_array().expect("a list").iter();
    std::iter::once(&video["sha256"]).chain(parts.map(|part| &part["sha256"])).cloned().collect()
}

/// Waits for what is to come soon.
#[track_caller]
fn until_true(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
fn peak_memory(api: &LocalApi) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", api.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
}

// Contents

/// Bytes of which those of another seed differ.
fn bytes(seed: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    fastrand::Rng::with_seed(seed as u64).fill(&mut bytes);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let insert = |order: Vec<usize>| {
        (0..count).map(move |at| [&order[..at], &[last], &order[at..]].concat())
    };
    orders(last).into_iter().flat_map(insert).collect()
}

// Looking at answers

fn id_of(video: &Value) -> String {
    video["videoId"].as_str().expect("a video").to_owned()
}

fn assert_video_not_found(answer: &Answer) {
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!({
            "type": format!("{REFERENCE}resource-not-found"),
            "title": "The requested resource was not found.",
            "name": "videoId",
            "status": 404,
        })
    );
}

/// The answer says what the first problem says, and lists them all; an empty detail is none.
#[track_caller]
fn assert_refused(answer: &Answer, problems: &[(&str, &str)]) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let mut problem = answer.json();
    let listed = problem["problems"].take();
    let told: Vec<(&str, &str)> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|problem| {
            let page = problem["type"].as_str().and_then(|it| it.strip_prefix(REFERENCE));
            let detail = problem["detail"].as_str();
            (page.expect("a page"), detail.unwrap_or_default())
        })
        .collect();
    assert_eq!(told, problems);
    for each in listed.as_array().expect("a list") {
        let of_range = each["type"].as_str().is_some_and(|it| it.contains("content-range"));
        assert_eq!(each["name"], if of_range { "Content-Range" } else { "file" });
        assert!(each["title"].as_str().is_some_and(|it| it.ends_with('.')));
    }
    let mut first = listed[0].clone();
    first["status"] = json!(400);
    problem.as_object_mut().expect("an object").remove("problems");
    assert_eq!(problem, first);
}
