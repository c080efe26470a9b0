//! What is asked for arrives as it was meant: tokens in paths, parameters in queries, and bodies.

use crate::c_api::{Client, Limits};
use crate::chance;
use crate::http_service::Canned;
use apivideo::ffi::error::AV_STATUS_INVALID_ARGUMENT;
use percent_encoding::{percent_decode, percent_decode_str};

/// A token of up to 40 characters, more often than not ones that mean something in a URL.
fn token(random: &mut fastrand::Rng) -> String {
    const SPECIAL: &[char] = &[
        '.', '/', '%', '2', 'e', 'E', '?', '#', '\\', '&', '+', ' ', '\r', '\n', ';', ':', '@', '~',
    ];
    let mut token = String::new();
    let most = [2, 4, 40][random.usize(0..3)];
    for _ in 0..random.usize(1..=most) {
        token.push(match random.u8(0..4) {
            0 => random.char('\u{1}'..='\u{10ffff}'),
            1 => random.alphanumeric(),
            _ => SPECIAL[random.usize(0..SPECIAL.len())],
        });
    }
    token
}

/// Whether the path that a token stands in stays the token's for whoever reads it: as it is, or decoded
/// any number of times on its way.
fn stays(token: &str) -> bool {
    let mut text = token.as_bytes().to_vec();
    loop {
        let path = [b"/upload-tokens/", text.as_slice()].concat();
        let path = path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        let mut place = Vec::new();
        for segment in path.split(|byte| matches!(byte, b'/' | b'\\')).skip(1) {
            match segment.split(|byte| *byte == b';').next() {
                Some(b"..") => drop(place.pop()),
                Some(b".") => {}
                segment => place.push(segment.unwrap_or_default()),
            }
        }
        let is_in_place = matches!(place[..], [b"upload-tokens", token] if !token.is_empty());
        let is_cut = text.iter().any(|byte| matches!(byte, b'/' | b'\\'));
        if !is_in_place || is_cut || text.iter().any(u8::is_ascii_control) {
            return false;
        }
        let decoded: Vec<u8> = percent_decode(&text).collect();
        if decoded == text {
            return !token.contains(char::is_control);
        }
        text = decoded;
    }
}

#[test]
fn a_token_in_a_path_decodes_to_itself_or_is_refused() {
    let (seed, rounds) = chance("tokens in paths", 10_000);
    let mut random = fastrand::Rng::with_seed(seed);
    let service = Canned::start();
    let client = Client::new(&service.url, Limits::default(), None);
    let mut sent = 0;
    for round in 0..rounds {
        let token = token(&mut random);
        service.tell("200 OK", &serde_json::json!({ "token": token }).to_string());
        let (method, result) = if random.bool() {
            ("GET", client.get(&token, None).map(drop))
        } else {
            ("DELETE", client.delete(&token, None))
        };
        if !stays(&token) {
            let failure = result.expect_err(&token);
            assert_eq!(failure.status, AV_STATUS_INVALID_ARGUMENT, "round {round}: {token:?}");
            continue;
        }
        sent += 1;
        result.unwrap_or_else(|failure| panic!("round {round}: {token:?}: {failure:?}"));
        let request = service.request();
        assert_eq!(request.method, method);
        let segment = request.target.strip_prefix("/upload-tokens/").expect("a path below it");
        // Nothing in it that could end it, or be resolved away.
        assert!(!segment.contains(['/', '?', '#', ';', '\\']), "round {round}: {segment}");
        assert!(!matches!(segment, "" | "." | ".."), "round {round}: {token:?}");
        let decoded = percent_decode_str(segment).decode_utf8();
        assert_eq!(decoded.as_deref(), Ok(token.as_str()), "round {round}");
    }
    // Otherwise too little has been tried.
    assert!(sent > rounds / 5 && sent < rounds - rounds / 5, "{sent} of {rounds}");
    println!("proof: tokens that arrived as they were meant: {sent}");
}

#[test]
fn parameters_and_bodies_say_what_was_asked_and_no_more() {
    let (seed, rounds) = chance("parameters and bodies", 5_000);
    let mut random = fastrand::Rng::with_seed(seed);
    let service = Canned::start();
    let client = Client::new(&service.url, Limits::default(), None);
    for round in 0..rounds {
        if random.bool() {
            service.tell("201 Created", r#"{"token":"t"}"#);
            let ttl = random.u32(0..=i32::MAX.cast_unsigned()) >> random.u32(0..31);
            client.create(ttl, None).unwrap_or_else(|failure| panic!("{round}: {failure:?}"));
            let request = service.request();
            let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body, serde_json::json!({ "ttl": ttl }), "round {round}");
            assert_eq!(request.target, "/upload-tokens");
        } else {
            service.tell("200 OK", r#"{"data":[],"pagination":{}}"#);
            let any = |random: &mut fastrand::Rng, most| match random.bool() {
                true => 0,
                false => random.u32(0..=most),
            };
            let params = [u32::MAX, 100, 2, 2].map(|most| any(&mut random, most));
            client.list(params).unwrap_or_else(|failure| panic!("{round}: {failure:?}"));
            let request = service.request();
            let query = request.target.strip_prefix("/upload-tokens").expect("the collection");
            let [page, size, by, order] = params;
            let mut expected = Vec::new();
            if by > 0 {
                expected.push(format!("sortBy={}", ["createdAt", "ttl"][by as usize - 1]));
            }
            if order > 0 {
                expected.push(format!("sortOrder={}", ["asc", "desc"][order as usize - 1]));
            }
            if page > 0 {
                expected.push(format!("currentPage={page}"));
            }
            if size > 0 {
                expected.push(format!("pageSize={size}"));
            }
            let separator = if expected.is_empty() { "" } else { "?" };
            assert_eq!(query, format!("{separator}{}", expected.join("&")), "round {round}");
        }
    }
    println!("proof: parameters and bodies that arrived as they were meant: {rounds}");
}
