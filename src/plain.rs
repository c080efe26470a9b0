//! JSON in the plain form that the service is known to send: no spaces, the fields in one order, no
//! escapes. To take that apart is less work than to decode it. Whatever differs in any way is `None`
//! here and left to `json.rs`, whose verdict counts: tests hold this one to it.

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
    let end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at(end);
    // JSON has no leading zeros; a fraction or an exponent is no integer.
    if digits.len() > 1 && digits.starts_with('0') || rest.starts_with(['.', 'e', 'E']) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
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
