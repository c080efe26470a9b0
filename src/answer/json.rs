//! Decoding JSON without a copy, with errors that name the field at fault and never quote its
//! value, which may be a secret.

use crate::limits::DEEPEST_JSON;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// Decodes a text as `seed` wants it; `path` is the one that the seed keeps up to date.
pub(crate) fn decode<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    path: &JsonPath,
    seed: S,
) -> Result<S::Value, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| match error.classify() {
            Category::Data => path.complaint(),
            // serde_json's own words about syntax quote nothing.
            _ => format!("it is not JSON: {error}"),
        })
}

/// Where in the text a decoder is, and what it expects there.
#[derive(Debug, Default)]
pub(crate) struct JsonPath {
    index: Cell<Option<usize>>,
    field: Cell<Option<&'static Field>>,
    is_missing: Cell<bool>,
}

/// A field that is read.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name in the object, or the path to it.
    pub name: &'static str,
    /// What must stand in it, to follow "must be".
    pub expected: &'static str,
}

impl JsonPath {
    /// The decoder comes to the item at `index`, or has left the last one.
    pub fn enter_item(&self, index: Option<usize>) {
        self.index.set(index);
        self.field.set(None);
    }

    /// Reads the value of `field`, which `accept` must make something of.
    pub fn read<'de, A: MapAccess<'de>, V: Deserialize<'de>, T>(
        &self,
        map: &mut A,
        field: &'static Field,
        accept: impl FnOnce(V) -> Option<T>,
    ) -> Result<T, A::Error> {
        self.field.set(Some(field));
        accept(map.next_value()?).ok_or_else(|| A::Error::custom("not accepted"))
    }

    /// Reads the value of `field` with a seed.
    pub fn read_with<'de, A: MapAccess<'de>, S: DeserializeSeed<'de>>(
        &self,
        map: &mut A,
        field: &'static Field,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        self.field.set(Some(field));
        map.next_value_seed(seed)
    }

    /// The field inside which the decoder now is has none of its own: what is read is named anew.
    pub fn descend(&self) {
        self.field.set(None);
    }

    /// The value of `field`, which must have been there.
    pub fn require<T, E: serde::de::Error>(
        &self,
        field: &'static Field,
        value: Option<T>,
    ) -> Result<T, E> {
        value.ok_or_else(|| {
            self.field.set(Some(field));
            self.is_missing.set(true);
            E::custom("missing")
        })
    }

    /// What is wrong at this place.
    fn complaint(&self) -> String {
        let field = self.field.get();
        let path = match (self.index.get(), field) {
            (Some(index), Some(field)) => format!("data[{index}].{}", field.name),
            (Some(index), None) => format!("data[{index}]"),
            (None, Some(field)) => field.name.to_owned(),
            (None, None) => "it".to_owned(),
        };
        if self.is_missing.get() {
            return format!("{path} is missing");
        }
        format!("{path} must be {}", field.map_or("an object", |field| field.expected))
    }
}

/// An object that is read field by field.
pub(crate) trait Object<'de>: Sized {
    /// Reads the fields of `map`, telling `path` which one is being read.
    fn from_map<A: MapAccess<'de>>(map: A, path: &JsonPath) -> Result<Self, A::Error>;

    /// The same of a text that begins with the object in the plain form (see `plain.rs`), and what
    /// follows it. For objects that come by the hundred.
    fn from_plain(_: &'de str) -> Option<(Self, &'de str)> {
        None
    }
}

/// Decodes an answer that is an object.
pub(crate) fn object<'de, T: Object<'de>>(text: &'de str) -> Result<T, String> {
    match T::from_plain(text) {
        Some((object, "")) => Ok(object),
        _ => object_in_any_form(text),
    }
}

/// The same without regard to the plain form.
pub(crate) fn object_in_any_form<'de, T: Object<'de>>(text: &'de str) -> Result<T, String> {
    let path = JsonPath::default();
    decode(text, &path, ObjectSeed::<T>::new(&path))
}

/// What a text must be that stands for something: [`names_something`].
pub(crate) const NAME: &str = "a non-empty string without NUL";

/// Whether a text can stand for something, in C too, which takes a NUL for the end.
pub(crate) fn names_something(text: &str) -> bool {
    !text.is_empty() && memchr::memchr(0, text.as_bytes()).is_none()
}

/// Reads an [`Object`].
pub(crate) struct ObjectSeed<'p, T> {
    path: &'p JsonPath,
    object: PhantomData<T>,
}

impl<'p, T> ObjectSeed<'p, T> {
    pub fn new(path: &'p JsonPath) -> Self {
        ObjectSeed { path, object: PhantomData }
    }
}

impl<'de, T: Object<'de>> DeserializeSeed<'de> for ObjectSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Object<'de>> Visitor<'de> for ObjectSeed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        self.path.descend();
        T::from_map(map, self.path)
    }
}

/// A string, borrowed from the text where it holds no escapes.
#[derive(Debug)]
pub(crate) struct Text<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// Tells `take` each field of the object that a text is, with its value as it stands there: for objects
/// that are read leniently, by the same code for all of them.
pub(crate) fn each_field<'de>(
    text: &'de str,
    take: &mut dyn FnMut(&str, &'de str),
) -> Result<(), String> {
    let path = JsonPath::default();
    decode(text, &path, EachField { take })
}

/// Reads an object for [`each_field`].
struct EachField<'t, 'de> {
    take: &'t mut dyn FnMut(&str, &'de str),
}

impl<'de> DeserializeSeed<'de> for EachField<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EachField<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(field)) = map.next_key()? {
            (self.take)(&field, raw(&mut map)?);
        }
        Ok(())
    }
}

/// A value as it stands in the text, whatever it is: for what may be odd without spoiling the rest.
pub(crate) fn raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<&'de str, A::Error> {
    map.next_value::<&RawValue>().map(RawValue::get)
}

/// The string that a value is, if it is one.
pub(crate) fn string(value: &str) -> Option<Cow<'_, str>> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Some(Cow::Borrowed(inside)),
        Some(_) => serde_json::from_str(value).ok().map(|Text(text)| text),
    }
}

/// The values of an array; none if it is something else.
pub(crate) fn items(value: &str) -> Vec<&RawValue> {
    serde_json::from_str(value).unwrap_or_default()
}

/// The number that a value is, if it is a whole one without a sign: `3600`, `3600.0` and `3.6e3` are
/// the same.
pub(crate) fn whole(value: &str) -> Option<u64> {
    let (digits, exponent) = match value.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (value, 0),
    };
    // The last zeros are added in the end, unless the point takes them away again.
    let (mut number, mut zeros, mut behind_point, mut is_behind) = (0_u64, 0_u32, 0_u32, false);
    let append = |number: u64, zeros| number.checked_mul(10_u64.checked_pow(zeros)?);
    for byte in digits.bytes() {
        match byte {
            b'.' => is_behind = true,
            b'0' if number == 0 => behind_point += u32::from(is_behind),
            b'0'..=b'9' => {
                behind_point += u32::from(is_behind);
                zeros += 1;
                if byte != b'0' {
                    number = append(number, zeros)?.checked_add(u64::from(byte - b'0'))?;
                    zeros = 0;
                }
            }
            _ => return None,
        }
    }
    if number == 0 {
        return (!digits.is_empty()).then_some(0);
    }
    let zeros = i64::from(zeros) + i64::from(exponent) - i64::from(behind_point);
    append(number, u32::try_from(zeros).ok()?)
}

/// Whether an answer begins as an object does, as far as it has come.
pub(crate) fn begins_object(bytes: &[u8]) -> bool {
    let Some((b'{', inside)) = bytes.trim_ascii_start().split_first() else { return false };
    matches!(inside.trim_ascii_start().first(), None | Some(b'"' | b'}'))
}

/// Skips a value that is of no interest, however deep it is nested.
pub(crate) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Checks that a text is one JSON value that any decoder can take.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if nesting(text) > DEEPEST_JSON {
        return Err(format!("it is nested deeper than {DEEPEST_JSON} levels"));
    }
    serde_json::from_str::<IgnoredAny>(text)
        .map(drop)
        .map_err(|error| format!("it is not JSON: {error}"))
}

/// Checks that a text is one JSON object.
pub(crate) fn check_object(text: &str) -> Result<(), String> {
    check(text)?;
    let first = text.trim_start().as_bytes().first();
    if first == Some(&b'{') { Ok(()) } else { Err("it is not an object".into()) }
}

/// How deep the arrays and objects of a text are nested, if it is JSON.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                // To the end of the string.
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_of_any_kind_is_a_json_text() {
        for text in ["{}", "[]", "null", "\"x\"", " 1.5e3 \n", r#"{"a":[{"b":"\"]"}]}"#] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_value_is_none() {
        for text in ["", " ", "{", "{}x", "{} {}", "nul", "<html>", "\u{feff}{}", "{\"a\":\u{1}}"] {
            assert!(check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_deepest_allowed_nesting_is_128() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(128)), Ok(()));
        assert!(check(&nested(129)).is_err_and(|why| why.contains("128")));
        assert!(check(&nested(200_000)).is_err());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(check(&format!(r#"{{"a":"{}\"\\"}}"#, "[".repeat(1000))), Ok(()));
    }

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        for (text, number) in [
            ("0", 0),
            ("7", 7),
            ("3600", 3600),
            ("3600.0", 3600),
            ("3600.000", 3600),
            ("3.6e3", 3600),
            ("3.6E+3", 3600),
            ("36e2", 3600),
            ("36000e-1", 3600),
            ("0.0036e6", 3600),
            ("0.0", 0),
            ("0e5", 0),
            ("18446744073709551615", u64::MAX),
            ("1844674407370955161500.0e-2", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_none() {
        for text in [
            "1.5",
            "3600.5",
            "36e-1",
            "1e-400",
            "-1",
            "-0",
            "-0.0",
            "18446744073709551616",
            "1e20",
            "1e400",
            "1e99999999999",
            "",
            "null",
            "true",
            "false",
            "\"7\"",
            "\"\"",
            "[7]",
            "[]",
            "{}",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn an_object_is_known_by_how_it_begins() {
        for text in ["{}", "{", " \r\n\t{ ", "{\"", "{ \"token\":\"t", "{\"a\":1}x", "{}<html>"] {
            assert!(begins_object(text.as_bytes()), "{text:?}");
        }
        for text in ["", " ", "[", "[{}]", "null", "\"{\"", "<html>{", "OK {}", "\u{feff}{}"] {
            assert!(!begins_object(text.as_bytes()), "{text:?}");
        }
        // As templates, styles and scripts do.
        for text in ["{{ page }}", "{% if %}", "{ margin: 0 }", "{'token'", "{<html>", "{[", "{1"] {
            assert!(!begins_object(text.as_bytes()), "{text:?}");
        }
        assert!(!begins_object(b"\x1f\x8b\x08"));
    }

    #[test]
    fn only_an_object_passes_as_one() {
        assert_eq!(check_object(" {\"a\":1}"), Ok(()));
        for text in ["[]", "null", "\"{}\"", "1", ""] {
            assert!(check_object(text).is_err(), "{text}");
        }
    }
}
