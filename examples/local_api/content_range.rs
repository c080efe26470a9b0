//! Which piece of a source a request brings: `part n/m`, `bytes a-b/total`, with `*` for a total that
//! is not known yet, or no Content-Range for all of it. What is wrong with such a header by itself
//! is told here, what does not go with the pieces before it in `source.rs`.

use hyper::header::{CONTENT_RANGE, HeaderMap};

use crate::problem::Violation;
use crate::range_problem;
use crate::sizes::{MOST_PARTS, Sizes};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Whole,
    Parts,
    Bytes,
}

/// Parts are numbered from 1, bytes from 0; a whole source is the only part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContentRange {
    pub form: Form,
    pub first: u64,
    pub last: u64,
    pub total: Option<u64>,
}

impl ContentRange {
    const WHOLE: Self = Self { form: Form::Whole, first: 1, last: 1, total: Some(1) };

    pub fn of(headers: &HeaderMap) -> Result<Self, Violation> {
        let mut values = headers.get_all(CONTENT_RANGE).iter();
        let Some(value) = values.next() else {
            return Ok(Self::WHOLE);
        };
        let parsed = value.to_str().ok().and_then(Self::parse);
        parsed.filter(|_| values.next().is_none()).ok_or_else(range_problem::malformed)
    }

    fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once(' ')?;
        let (place, total) = range.split_once('/')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        match unit {
            "part" => {
                let part = number(place)?;
                Some(Self { form: Form::Parts, first: part, last: part, total })
            }
            "bytes" => {
                let (from, to) = place.split_once('-')?;
                let (first, last) = (number(from)?, number(to)?);
                Some(Self { form: Form::Bytes, first, last, total })
            }
            _ => None,
        }
    }

    /// Nothing of the source comes before it.
    pub fn is_first(&self) -> bool {
        self.first == self.form.start()
    }

    /// How many bytes it says there are; None if it does not.
    pub fn bytes(&self) -> Option<u64> {
        (self.form == Form::Bytes).then(|| self.last - self.first + 1)
    }

    /// All that is wrong with it by itself.
    pub fn violations(&self, sizes: &Sizes) -> Vec<Violation> {
        match self.form {
            Form::Whole => Vec::new(),
            Form::Parts => self.wrong_parts(),
            Form::Bytes => self.wrong_bytes(sizes),
        }
    }

    fn wrong_parts(&self) -> Vec<Violation> {
        let part = self.first;
        let mut violations = Vec::new();
        if part == 0 {
            violations.push(range_problem::part_zero());
        }
        if part > MOST_PARTS {
            violations.push(range_problem::part_too_high_allowed(MOST_PARTS));
        }
        match self.total {
            Some(0) => violations.push(range_problem::total_zero(self.form)),
            Some(total) if total > MOST_PARTS => {
                violations.push(range_problem::total_parts_too_high(MOST_PARTS));
            }
            Some(total) if part > total => {
                violations.push(range_problem::too_high_total(self.form, total));
            }
            _ => {}
        }
        violations
    }

    fn wrong_bytes(&self, sizes: &Sizes) -> Vec<Violation> {
        if self.first > self.last {
            return vec![range_problem::from_byte_too_high()];
        }
        let most = sizes.most_bytes();
        let mut violations = Vec::new();
        if self.last >= most {
            violations.push(range_problem::to_byte_too_high_allowed(most - 1));
        }
        match self.total {
            Some(0) => violations.push(range_problem::total_zero(self.form)),
            Some(total) if total > most => {
                violations.push(range_problem::total_bytes_too_high(most));
            }
            Some(total) if self.last >= total => {
                violations.push(range_problem::too_high_total(self.form, total));
            }
            _ => {}
        }
        // Not by its length: there is none beyond all that can be counted.
        if self.last - self.first >= sizes.largest_part {
            violations.push(range_problem::range_too_large(sizes.largest_part));
        }
        violations
    }
}

impl Form {
    /// The place of the first.
    pub fn start(self) -> u64 {
        match self {
            Self::Whole | Self::Parts => 1,
            Self::Bytes => 0,
        }
    }

    /// The place after the last.
    pub fn end(self, total: u64) -> u64 {
        self.start() + total
    }
}

/// What is too long to be counted is the largest, and beyond every limit.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}
