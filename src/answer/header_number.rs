//! Headers that are a number: seconds to wait, requests that are left.

use ureq::http::HeaderValue;

/// The number that a header's value is: digits, which some services give a sign or a fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderNumber {
    /// What stands before the point, unless it is more than anything is.
    whole: Option<u64>,
    has_fraction: bool,
}

impl HeaderNumber {
    /// The number that `value` is, if it is one.
    pub fn of(value: &HeaderValue) -> Option<Self> {
        let text = value.as_bytes().trim_ascii();
        let text = text.strip_prefix(b"+").unwrap_or(text);
        let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let has_fraction = match rest {
            [] => false,
            [b'.', fraction @ ..]
                if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) =>
            {
                fraction.iter().any(|digit| *digit != b'0')
            }
            _ => return None,
        };
        let append =
            |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let whole = digits.iter().try_fold(0, append);
        (!digits.is_empty()).then_some(HeaderNumber { whole, has_fraction })
    }

    /// For what must not be too short; `None` is beyond all bounds.
    pub fn rounded_up(self) -> Option<u64> {
        self.whole?.checked_add(self.has_fraction.into())
    }

    /// For what must not be too much; `None` is beyond all bounds.
    pub fn rounded_down(self) -> Option<u64> {
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &'static str) -> Option<(Option<u64>, Option<u64>)> {
        let number = HeaderNumber::of(&HeaderValue::from_static(text));
        number.map(|number| (number.rounded_down(), number.rounded_up()))
    }

    #[test]
    fn numbers_are_read_with_what_services_add_to_them() {
        for (text, down, up) in [
            ("0", 0, 0),
            ("7", 7, 7),
            (" 7\t", 7, 7),
            ("007", 7, 7),
            ("+5", 5, 5),
            ("1.5", 1, 2),
            ("0.001", 0, 1),
            ("3.000", 3, 3),
            ("18446744073709551615", u64::MAX, u64::MAX),
        ] {
            assert_eq!(number(text), Some((Some(down), Some(up))), "{text}");
        }
    }

    #[test]
    fn a_number_beyond_all_bounds_is_one_without_a_value() {
        assert_eq!(number("18446744073709551615.5"), Some((Some(u64::MAX), None)));
        for text in ["18446744073709551616", "99999999999999999999999.5"] {
            assert_eq!(number(text), Some((None, None)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let values = [
            "", " ", "-1", "+", "++5", "+-5", ".", ".5", "5.", "1.5.2", "1e3", "0x5", "5 s", "1,5",
        ];
        for text in values {
            assert_eq!(number(text), None, "{text}");
        }
        assert!(HeaderNumber::of(&HeaderValue::from_bytes(b"5\xe9").unwrap()).is_none());
    }
}
