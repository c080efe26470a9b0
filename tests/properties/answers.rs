//! Any answer that the schema allows becomes what it says, however it is written; any other is an error
//! that names the place at fault.

use crate::c_api::{Client, Failure, Limits, Page, Token};
use crate::chance;
use crate::http_service::Canned;
use apivideo::ffi::error::{AV_OUTCOME_APPLIED, AV_OUTCOME_NOT_APPLIED, AV_STATUS_DECODE};
use fastrand::Rng;

/// One of several.
fn one_of<'a>(random: &mut Rng, choices: &[&'a str]) -> &'a str {
    choices[random.usize(0..choices.len())]
}

/// Space as JSON allows it, most often none.
fn space(random: &mut Rng) -> &'static str {
    one_of(random, &["", "", "", "", " ", "\n", "\t", "\r\n  "])
}

/// A text that may be a token: not empty, without NUL.
fn text(random: &mut Rng) -> String {
    let length = random.usize(1..=20);
    let any = |random: &mut Rng| match random.u8(0..4) {
        0 => random.char('\u{1}'..='\u{10ffff}'),
        1 => ['"', '\\', '/', '\u{7f}', '\u{1f600}'][random.usize(0..5)],
        _ => random.alphanumeric(),
    };
    (0..length).map(|_| any(random)).collect()
}

/// A string in JSON, with escapes where they are needed and here and there where not.
fn quoted(random: &mut Rng, text: &str) -> String {
    let is_plain = random.bool();
    let mut quoted = String::from('"');
    for character in text.chars() {
        let must = character < ' ' || matches!(character, '"' | '\\');
        if must && matches!(character, '"' | '\\') && random.bool() {
            quoted.extend(['\\', character]);
        } else if must || !is_plain && random.u8(0..4) == 0 {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let digits = format!("{unit:04x}");
                quoted += "\\u";
                quoted += &if random.bool() { digits.to_uppercase() } else { digits };
            }
        } else {
            quoted.push(character);
        }
    }
    quoted + "\""
}

/// Any value, as an unknown field may have.
fn any_value(random: &mut Rng, depth: u32) -> String {
    match random.u32(0..if depth > 3 { 5 } else { 7 }) {
        0 => one_of(random, &["null", "true", "false", "[]", "{}", "\"\""]).into(),
        1 => random.i64(..).to_string(),
        2 => one_of(random, &["0", "-0", "1.5e-3", "1E+2", "0.0", "123456789012345678901"]).into(),
        3 | 4 => {
            let text = text(random);
            quoted(random, &text)
        }
        5 => {
            let items: Vec<_> =
                (0..random.usize(0..4)).map(|_| any_value(random, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let fields = (0..random.usize(0..4))
                .map(|number| (format!("x{number}"), any_value(random, depth + 1)))
                .collect();
            object(random, fields)
        }
    }
}

/// An object of these fields and perhaps unknown ones, in any order.
fn object(random: &mut Rng, mut fields: Vec<(String, String)>) -> String {
    random.shuffle(&mut fields);
    let mut text = format!("{}{{{}", space(random), space(random));
    for (index, (name, value)) in fields.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let name = quoted(random, name);
        let spaces = [(); 4].map(|()| space(random));
        text +=
            &format!("{comma}{}{name}{}:{}{value}{}", spaces[0], spaces[1], spaces[2], spaces[3]);
    }
    text + "}" + space(random)
}

/// Up to two fields that nobody knows.
fn unknown_fields(random: &mut Rng) -> Vec<(String, String)> {
    let field = |number| (format!("unknown{number}"), String::new());
    let mut fields: Vec<_> = (0..random.usize(0..3)).map(field).collect();
    for (_, value) in &mut fields {
        *value = any_value(random, 0);
    }
    fields
}

/// A day, a time of it, and the Unix seconds of both in UTC.
fn moment(random: &mut Rng) -> (String, String, i64) {
    let (year, month) = (random.i64(1..=9998), random.i64(1..=12));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let lengths = &lengths[..];
    let day = random.i64(1..=lengths[month as usize - 1]);
    let (hour, minute, second) = (random.i64(0..24), random.i64(0..60), random.i64(0..60));
    let years = year - 1;
    let days_before = years * 365 + years / 4 - years / 100
        + years / 400
        + lengths[..month as usize - 1].iter().sum::<i64>()
        + (day - 1);
    // From the first day of the year 1 to that of 1970.
    let days = days_before - 719_162;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let (day, time) =
        (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"));
    (day, time, seconds)
}

/// A date in any form that is allowed, and its Unix seconds.
fn date(random: &mut Rng) -> (String, i64) {
    let (day, time, seconds) = moment(random);
    let fraction = match random.u8(0..3) {
        0 => format!(".{}", random.u32(0..1_000_000_000)),
        _ => String::new(),
    };
    let (zone, offset) = match random.u8(0..5) {
        0 => (one_of(random, &["Z", "z"]).to_owned(), 0),
        1 => ("+00:00".to_owned(), 0),
        2 => (one_of(random, &["-00:00", "+0000", "-0000", "+00", " +0000"]).to_owned(), 0),
        _ => {
            let (hours, minutes, sign) = (random.i64(0..24), random.i64(0..60), random.bool());
            let offset = (hours * 60 + minutes) * 60;
            let (sign, offset) = if sign { ('+', offset) } else { ('-', -offset) };
            let (space, colon) = (one_of(random, &["", "", " "]), one_of(random, &[":", ":", ""]));
            (format!("{space}{sign}{hours:02}{colon}{minutes:02}"), offset)
        }
    };
    let between = one_of(random, &["T", "T", "t", " "]);
    (format!("{day}{between}{time}{fraction}{zone}"), seconds - offset)
}

/// A whole number in one of the ways to write it.
fn whole(random: &mut Rng, number: u64) -> String {
    match random.u8(0..6) {
        0 => format!("{number}.0"),
        1 => format!("{number}.000"),
        2 => format!("{number}{}", one_of(random, &["e0", "E+0", "e-0", ".0e0"])),
        3 if number > 0 => format!("{number}00e-2"),
        4 if number.is_multiple_of(1000) => format!("{}e3", number / 1000),
        _ => number.to_string(),
    }
}

/// A field that may be absent, null, told, or so odd that it counts as not told, and its value if it is
/// told.
fn optional<T>(
    random: &mut Rng,
    odd: &[&str],
    told: impl FnOnce(&mut Rng) -> (String, T),
) -> (Option<String>, Option<T>) {
    match random.u8(0..8) {
        0 => (None, None),
        1 => (Some("null".into()), None),
        2 if !odd.is_empty() => (Some(one_of(random, odd).into()), None),
        _ => {
            let (text, value) = told(random);
            (Some(text), Some(value))
        }
    }
}

/// A token's fields as the schema allows them, and what they say.
fn token_fields(random: &mut Rng) -> (Vec<(String, String)>, Token) {
    let mut fields = unknown_fields(random);
    let token = text(random);
    fields.push(("token".into(), quoted(random, &token)));
    let mut add = |name: &str, text: Option<String>| {
        fields.extend(text.map(|text| (name.to_owned(), text)));
    };
    let (text, ttl) = optional(random, ODD_TTL, |random| {
        let ttl = random.i32(0..=i32::MAX) >> random.u32(0..31);
        (whole(random, u64::from(ttl.unsigned_abs())), ttl)
    });
    add("ttl", text);
    let mut a_date = |random: &mut Rng, name| {
        let (text, seconds) = optional(random, ODD_DATE, |random| {
            let (text, seconds) = date(random);
            (quoted(random, &text), seconds)
        });
        add(name, text);
        seconds.unwrap_or(0)
    };
    let created_at = a_date(random, "createdAt");
    let expires_at = a_date(random, "expiresAt");
    (fields, Token { token, ttl_seconds: ttl.unwrap_or(-1), created_at, expires_at })
}

/// A token in the form that the service is known to send, and what it says.
fn plain_token(random: &mut Rng) -> (String, Token) {
    let token: String = (0..random.usize(1..40)).map(|_| random.alphanumeric()).collect();
    let ttl_seconds = random.i32(0..=i32::MAX) >> random.u32(0..31);
    let [(created, created_at), (expires, expires_at)] = [(); 2].map(|()| {
        let (day, time, seconds) = moment(random);
        (format!("{day}T{time}+00:00"), seconds)
    });
    let text = format!(
        r#"{{"token":"{token}","ttl":{ttl_seconds},"createdAt":"{created}","expiresAt":"{expires}"}}"#
    );
    (text, Token { token, ttl_seconds, created_at, expires_at })
}

/// What a field may hold that need not be there, but counts as not told.
const ODD_TTL: &[&str] = &[
    "-1",
    "-0",
    "1.5",
    "1e-3",
    "2147483648",
    "1e400",
    "\"5\"",
    "true",
    "[]",
    "[7]",
    "{}",
    "99999999999999999999",
];
const ODD_DATE: &[&str] = &[
    "0",
    "\"\"",
    "\"yesterday\"",
    "\"2021-02-29T00:00:00Z\"",
    "\"2020-12-02T24:00:00Z\"",
    "\"2020-12-02T10:13:19\"",
    "\"2020-12-02\"",
    "\"2020-12-02T10:13:19+00:00 \"",
    "\"2020-12-02T10:13:19+000\"",
    "\"2020-12-02!10:13:19+00:00\"",
    "\"2020-12-02010:13:19Z\"",
    "\"\\ud800\"",
    "1e400",
    "[]",
    "{}",
    "true",
];

/// What is wrong with an answer: of each field, values that it must not have; `None` leaves it out.
const WRONG_TOKEN: &[Option<&str>] = &[
    None,
    Some("null"),
    Some("7"),
    Some("\"\""),
    Some("\"a\\u0000b\""),
    Some("[]"),
    Some("{}"),
    Some("true"),
];
const WRONG_COUNT: &[Option<&str>] = &[
    Some("-1"),
    Some("1.5"),
    Some("99999999999999999999"),
    Some("\"1\""),
    Some("[]"),
    Some("true"),
];
const WRONG_OBJECT: &[Option<&str>] =
    &[Some("null"), Some("[]"), Some("7"), Some("\"\""), Some("true")];
const WRONG_ARRAY: &[Option<&str>] = &[None, Some("null"), Some("{}"), Some("7"), Some("\"\"")];
const WRONG_TOKEN_FIELDS: [(&str, &[Option<&str>]); 1] = [("token", WRONG_TOKEN)];

/// Gives one of the fields a wrong value and tells which.
fn spoil(
    random: &mut Rng,
    fields: &mut Vec<(String, String)>,
    wrong: &[(&'static str, &[Option<&str>])],
) -> &'static str {
    let (name, values) = wrong[random.usize(0..wrong.len())];
    fields.retain(|(known, _)| known != name);
    if let Some(value) = values[random.usize(0..values.len())] {
        fields.push((name.into(), value.into()));
    }
    name
}

#[track_caller]
fn must_name(failure: &Failure, outcome: i32, place: &str, body: &str) {
    assert_eq!((failure.status, failure.outcome), (AV_STATUS_DECODE, outcome), "{body}");
    let (_, why) = failure.message.split_once(" cannot be used: ").expect("a reason");
    let rest = why.strip_prefix(place).unwrap_or_else(|| panic!("{why}, not {place}: {body}"));
    assert!(rest.starts_with(" must be ") || rest.starts_with(" is missing"), "{why}: {body}");
}

#[test]
fn a_token_is_what_it_says_or_an_error_that_names_the_place() {
    let (seed, rounds) = chance("tokens", 10_000);
    let mut random = Rng::with_seed(seed);
    let service = Canned::start();
    let client = Client::new(&service.url, Limits::default(), None);
    for _ in 0..rounds {
        let (mut fields, token) = token_fields(&mut random);
        let place = random.bool().then(|| spoil(&mut random, &mut fields, &WRONG_TOKEN_FIELDS));
        let body = object(&mut random, fields);
        // Some texts cannot stand in a path; one that is never told stands for another token.
        let is_readable = token.token.chars().all(char::is_alphanumeric);
        let is_read = random.bool() && is_readable;
        let is_another = is_read && place.is_none() && random.u8(0..8) == 0;
        let place = if is_another { Some("token") } else { place };
        let asked = if is_another { "another" } else { &token.token };
        service.tell(if is_read { "200 OK" } else { "201 Created" }, &body);
        let found = if is_read { client.get(asked, None) } else { client.create(60, None) };
        let outcome = if is_read { AV_OUTCOME_NOT_APPLIED } else { AV_OUTCOME_APPLIED };
        match place {
            None => assert_eq!(found.expect(&body), token, "{body}"),
            Some(place) => must_name(&found.expect_err(&body), outcome, place, &body),
        }
    }
    println!("proof: tokens read as they say or refused where they are wrong: {rounds}");
}

#[test]
fn a_page_is_what_it_says_or_an_error_that_names_the_place() {
    let (seed, rounds) = chance("pages", 10_000);
    let mut random = Rng::with_seed(seed);
    let service = Canned::start();
    let client = Client::new(&service.url, Limits::default(), None);
    for _ in 0..rounds {
        let random = &mut random;
        let mut place = None;
        let is_wrong = random.bool();
        let is_plain = !is_wrong && random.bool();
        let (mut items, mut tokens) = (Vec::new(), Vec::new());
        let count = random.usize(0..6);
        let wrong_item = (is_wrong && count > 0 && random.bool()).then(|| random.usize(0..count));
        for index in 0..count {
            if is_plain {
                let (item, token) = plain_token(random);
                items.push(item);
                tokens.push(token);
                continue;
            }
            let (mut fields, token) = token_fields(random);
            if wrong_item != Some(index) {
                items.push(object(random, fields));
            } else if random.u8(0..5) == 0 {
                items.push(WRONG_OBJECT[random.usize(0..WRONG_OBJECT.len())].unwrap_or("0").into());
                place = Some(format!("data[{index}]"));
            } else {
                let field = spoil(random, &mut fields, &WRONG_TOKEN_FIELDS);
                items.push(object(random, fields));
                place = Some(format!("data[{index}].{field}"));
            }
            tokens.push(token);
        }
        let mut told = unknown_fields(random);
        let mut numbers = [0; 3];
        let mut count_of = |random: &mut Rng, name: &str, most: u64| {
            let (text, value) = optional(random, &[], |random| {
                let value = random.u64(0..=most) >> random.u32(0..32);
                (whole(random, value), value)
            });
            told.extend(text.map(|text| (name.to_owned(), text)));
            value.unwrap_or(0)
        };
        for (name, number) in ["currentPage", "pagesTotal", "pageSize"].iter().zip(&mut numbers) {
            *number = u32::try_from(count_of(random, name, u32::MAX.into())).expect("in range");
        }
        let items_total = count_of(random, "itemsTotal", u64::MAX);
        let is_wrong_elsewhere = is_wrong && wrong_item.is_none();
        let is_count = random.bool();
        if is_wrong_elsewhere && is_count {
            let wrong = [
                ("currentPage", WRONG_COUNT),
                ("pagesTotal", &[Some("4294967296")]),
                ("pageSize", WRONG_COUNT),
                ("itemsTotal", WRONG_COUNT),
            ];
            place = Some(format!("pagination.{}", spoil(random, &mut told, &wrong)));
        }
        let mut page = unknown_fields(random);
        page.push(("data".into(), format!("[{}]{}", items.join(","), space(random))));
        page.push(("pagination".into(), object(random, told)));
        if is_wrong_elsewhere && !is_count {
            let wrong =
                [("data", WRONG_ARRAY), ("pagination", WRONG_OBJECT), ("pagination", &[None])];
            place = Some(spoil(random, &mut page, &wrong).into());
        }
        let body = if is_plain {
            page.retain(|(name, _)| name == "pagination");
            format!(r#"{{"data":[{}],"pagination":{}}}"#, items.join(","), page[0].1)
        } else {
            object(random, page)
        };
        service.tell("200 OK", &body);
        match (client.list([0; 4]), place) {
            (Ok(found), None) => assert_eq!(found, Page { tokens, numbers, items_total }, "{body}"),
            (Err(failure), Some(place)) => {
                must_name(&failure, AV_OUTCOME_NOT_APPLIED, &place, &body);
            }
            (found, place) => panic!("{found:?}, {place:?} is wrong: {body}"),
        }
    }
    println!("proof: pages read as they say or refused where they are wrong: {rounds}");
}

#[test]
fn what_is_cut_short_or_goes_on_is_no_answer() {
    let (seed, rounds) = chance("cut answers", 3_000);
    let mut random = Rng::with_seed(seed);
    let service = Canned::start();
    let client = Client::new(&service.url, Limits::default(), None);
    for _ in 0..rounds {
        let (fields, _) = token_fields(&mut random);
        let whole = object(&mut random, fields);
        let mut body = whole.trim().to_owned();
        if random.bool() {
            let mut end = random.usize(0..body.len());
            while !body.is_char_boundary(end) {
                end -= 1;
            }
            body.truncate(end);
        } else {
            body += one_of(&mut random, &["x", "{}", ",", "}", "\u{0}", "\u{feff}", "null"]);
        }
        service.tell("200 OK", &body);
        let failure = client.get("t", None).expect_err(&body);
        assert_eq!(failure.status, AV_STATUS_DECODE, "{body}");
        let is_named =
            failure.message.contains("not JSON") || failure.message.contains("it is empty");
        assert!(is_named, "{}: {body}", failure.message);
    }
    println!("proof: answers refused since they were cut short or went on: {rounds}");
}
