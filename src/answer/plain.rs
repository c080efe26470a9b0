//! JSON in the plain form that the service is known to send: no spaces, the fields in one order, no
//! escapes. To take that apart is less work than to decode it. Whatever differs in any way is `None`
//! here and left to `json.rs`, whose verdict counts: tests hold this one to it.

use time::{Date, Month};

/// A string up to its closing quote, its opening one having been taken; and what follows.
pub(crate) fn string(text: &str) -> Option<(&str, &str)> {
    let end = memchr::memchr(b'"', text.as_bytes())?;
    let (string, rest) = (&text[..end], &text[end + 1..]);
    // All of it, even after the first offence: then it is done many bytes at a time.
    let is_plain = string.bytes().fold(true, |is, byte| is & (byte >= b' ') & (byte != b'\\'));
    is_plain.then_some((string, rest))
}

/// An integer without a sign, and what follows.
pub(crate) fn integer(text: &str) -> Option<(u32, &str)> {
    let mut value = 0_u32;
    for (end, byte) in text.bytes().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            // JSON has no leading zeros; a fraction or an exponent is no integer.
            let is_plain = end == 1 || end > 1 && !text.starts_with('0');
            let is_plain = is_plain && !matches!(byte, b'.' | b'e' | b'E');
            return is_plain.then(|| (value, &text[end..]));
        }
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    None
}

/// What follows an object whose other fields, strings and integers, are of no interest. One of the
/// `known` ones would count in the place of what was read.
pub(crate) fn other_fields<'t>(mut text: &'t str, known: &[&str]) -> Option<&'t str> {
    while let Some(field) = text.strip_prefix(",\"") {
        let (name, value) = string(field)?;
        let value = value.strip_prefix(':').filter(|_| !known.contains(&name))?;
        text = match value.strip_prefix('"') {
            Some(value) => string(value)?.1,
            None => integer(value)?.1,
        };
    }
    text.strip_prefix('}')
}

/// A date in UTC, `2020-12-02T10:13:19+00:00`, in Unix seconds, and what follows.
pub(crate) fn date(text: &str) -> Option<(i64, &str)> {
    const LOWEST: &[u8; 25] = b"0000-00-00T00:00:00+00:00";
    const HIGHEST: &[u8; 25] = b"9999-99-99T99:99:99+00:00";
    let (date, rest) = text.split_at_checked(LOWEST.len())?;
    let date: &[u8; 25] = date.as_bytes().try_into().ok()?;
    // All of it, for the same reason.
    let is_plain = (0..date.len())
        .fold(true, |is, at| is & (date[at] >= LOWEST[at]) & (date[at] <= HIGHEST[at]));
    if !is_plain {
        return None;
    }
    let two_digits = |at: usize| (date[at] - b'0') * 10 + (date[at + 1] - b'0');
    let year = i32::from(two_digits(0)) * 100 + i32::from(two_digits(2));
    let month = Month::try_from(two_digits(5)).ok()?;
    let day = Date::from_calendar_date(year, month, two_digits(8)).ok()?;
    let time = day.with_hms(two_digits(11), two_digits(14), two_digits(17)).ok()?;
    Some((time.as_utc().unix_timestamp(), rest))
}

/// The items of an array, its opening bracket having been taken, each handed to `take`; and what
/// follows its closing one.
pub(crate) fn array<'t, T>(
    mut text: &'t str,
    item: impl Fn(&'t str) -> Option<(T, &'t str)>,
    mut take: impl FnMut(T),
) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(']') {
        return Some(rest);
    }
    loop {
        let (value, rest) = item(text)?;
        take(value);
        match rest.strip_prefix(',') {
            Some(rest) => text = rest,
            None => return rest.strip_prefix(']'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    #[test]
    fn a_string_ends_at_its_quote() {
        assert_eq!(string(r#"abc","#), Some(("abc", ",")));
        assert_eq!(string(r#"","#), Some(("", ",")));
        assert_eq!(string("é\u{1f600}\""), Some(("é\u{1f600}", "")));
    }

    #[test]
    fn escapes_control_characters_and_open_strings_are_left_to_others() {
        for text in [r#"a\"b""#, r#"a\u0041""#, "a\nb\"", "a\0b\"", "abc", ""] {
            assert_eq!(string(text), None, "{text:?}");
        }
    }

    #[test]
    fn other_fields_are_passed_over_if_they_are_plain_ones() {
        for text in ["}", r#","a":"x"}"#, r#","a":7,"b":"","a":0}"#] {
            assert_eq!(other_fields(&[text, "rest"].concat(), &["known"]), Some("rest"), "{text}");
        }
        for value in ["null", "[]", "{}", "-1", "1.5", r#""\"""#, r#"""#, ""] {
            assert_eq!(other_fields(&format!(r#","a":{value}}}"#), &["known"]), None, "{value}");
        }
        for text in ["", ",}", r#","known":"x"}"#, r#","a":1,"known":1}"#, r#","a"}"#, r#" }"#] {
            assert_eq!(other_fields(text, &["known"]), None, "{text}");
        }
    }

    #[test]
    fn an_integer_ends_before_what_is_no_digit() {
        assert_eq!(integer("3600,"), Some((3600, ",")));
        assert_eq!(integer("0}"), Some((0, "}")));
        assert_eq!(integer("4294967295]"), Some((u32::MAX, "]")));
    }

    #[test]
    fn other_numbers_are_left_to_others() {
        for text in ["", "5", "-1,", "00,", "01,", "1.0,", "1e3,", "4294967296,", "x", "null"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_ends_with_its_offset() {
        assert_eq!(date("1970-01-01T00:00:00+00:00\","), Some((0, "\",")));
        assert_eq!(date("2020-12-02T10:13:19+00:00"), Some((1_606_903_999, "")));
        assert_eq!(date("9999-12-31T23:59:59+00:00"), Some((253_402_300_799, "")));
    }

    #[test]
    fn dates_in_other_forms_are_left_to_others() {
        let good = "2020-12-02T10:13:19+00:00";
        for at in 0..good.len() {
            for byte in ["/", ":", "é", "\0"] {
                let text = [&good[..at], byte, &good[at + 1..]].concat();
                assert_eq!(date(&text).is_some(), text == good, "{text}");
            }
            assert_eq!(date(&good[..at]), None);
        }
        for text in
            ["2020-12-02T10:13:19Z", "2020-12-02T10:13:19.5+00:00", "2020-12-02T10:13:19+01:00"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_taken_for_what_any_decoder_takes_it_for() {
        let any = |date: &str| Some(OffsetDateTime::parse(date, &Rfc3339).ok()?.unix_timestamp());
        let mut random = fastrand::Rng::with_seed(20_240_229);
        let mut good = 0;
        for _ in 0..200_000 {
            let (year, month, day) = (random.u32(0..=9999), random.u32(0..=13), random.u32(0..=32));
            let (hour, minute, second) =
                (random.u32(0..=24), random.u32(0..=60), random.u32(0..=61));
            let text =
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00");
            if let Some((found, rest)) = date(&text) {
                good += 1;
                assert_eq!((Some(found), rest), (any(&text), ""), "{text}");
            }
        }
        assert!(good > 100_000, "{good}");
    }

    #[test]
    fn an_array_has_commas_between_its_items_alone() {
        let items = |text| {
            let mut items = Vec::new();
            array(text, integer, |item| items.push(item)).map(|rest| (items, rest))
        };
        assert_eq!(items("]x"), Some((vec![], "x")));
        assert_eq!(items("1,2]"), Some((vec![1, 2], "")));
        for text in ["", "1", "1,]", ",1]", "1 ,2]", "1;2]"] {
            assert_eq!(items(text), None, "{text}");
        }
    }
}
