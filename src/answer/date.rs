//! Dates as services write them, in Unix seconds.

use crate::answer::plain;
use std::borrow::Cow;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A date in RFC 3339, or with an offset as ISO 8601 lets it be written, in Unix seconds with the
/// fraction floored.
pub(crate) fn unix_seconds(date: &str) -> Option<i64> {
    match plain::date(date) {
        Some((seconds, "")) => Some(seconds),
        // The time crate takes anything for what stands between date and time.
        _ if !matches!(date.as_bytes().get(10), Some(b'T' | b't' | b' ')) => None,
        _ => Some(OffsetDateTime::parse(&with_full_offset(date), &Rfc3339).ok()?.unix_timestamp()),
    }
}

/// The date with its offset as RFC 3339 wants it, if that is `+0000` or `+00`, or stands behind a
/// space.
fn with_full_offset(date: &str) -> Cow<'_, str> {
    let Some(at) = date.rfind(['+', '-']) else { return date.into() };
    let (time, offset) = date.split_at(at);
    let (hours, minutes) = match offset.as_bytes() {
        [_, _, _] => (offset, "00"),
        [_, _, _, b'0'..=b'9', b'0'..=b'9'] => offset.split_at(3),
        [_, _, _, b':', ..] => (&offset[..3], &offset[4..]),
        _ => return date.into(),
    };
    [time.strip_suffix(' ').unwrap_or(time), hours, ":", minutes].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Option<i64> = Some(1_606_903_999);

    #[test]
    fn a_date_is_read_in_every_form_that_is_plain_in_meaning() {
        for date in [
            "2020-12-02T10:13:19+00:00",
            "2020-12-02T10:13:19Z",
            "2020-12-02t10:13:19z",
            "2020-12-02 10:13:19Z",
            "2020-12-02T10:13:19.999Z",
            "2020-12-02T10:13:19+0000",
            "2020-12-02T10:13:19-0000",
            "2020-12-02T10:13:19.5+0000",
            "2020-12-02T10:13:19+00",
            "2020-12-02 10:13:19+00",
            "2020-12-02 10:13:19 +0000",
            "2020-12-02T15:58:19+0545",
            "2020-12-02T05:13:19-05",
        ] {
            assert_eq!(unix_seconds(date), SECONDS, "{date}");
        }
    }

    #[test]
    fn what_is_no_date_with_an_offset_is_none() {
        for date in [
            "",
            "2020-12-02",
            "2020-12-02T10:13:19",
            "2020-12-02 10:13:19",
            "2020-12-02!10:13:19Z",
            "2020-12-02T10:13:19+0",
            "2020-12-02T10:13:19+000",
            "2020-12-02T10:13:19+00000",
            "2020-12-02T10:13:19+00é",
            "2020-12-02T10:13:19+aa",
            "2020-12-02T10:13:19+00aa",
            "2020-12-02T10:13:19  +0000",
            "2020-12-02T10:13:19+0060",
            "2020-12-02T10:13:19+24",
            "2020-12-02T10:13:19é+00",
            "1606903999",
            "++",
        ] {
            assert_eq!(unix_seconds(date), None, "{date}");
        }
    }
}
