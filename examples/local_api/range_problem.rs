//! What can be wrong with the Content-Range of an upload: one function for each page that api.video
//! publishes, or for two of them where one is of parts and the other of bytes.

use crate::content_range::Form;
use crate::problem::Violation;

pub fn malformed() -> Violation {
    wrong(
        "malformed",
        "The value of the \"Content-Range\" header is malformed, the expected format is \
         \"bytes <from_byte>-<to_byte>/<total_bytes>\" or \"part <part>/<total_parts>\".",
    )
}

pub fn already_initiated() -> Violation {
    wrong(
        "already-initiated",
        r#"This video source has already been initiated with a "Content-Range" upload."#,
    )
}

pub fn started_with_part() -> Violation {
    wrong(
        "started-with-part",
        "This \"Content-Range\" upload has been started with \"part\", you cannot continue it with \
         \"bytes\".",
    )
}

pub fn started_with_bytes() -> Violation {
    wrong(
        "started-with-bytes",
        "This \"Content-Range\" upload has been started with \"bytes\", you cannot continue it with \
         \"part\".",
    )
}

pub fn part_zero() -> Violation {
    wrong(
        "by-part-part-zero",
        r#"The "part" value in the "Content-Range" header must be greater than 0."#,
    )
}

pub fn part_too_high_allowed(most: u64) -> Violation {
    wrong(
        "by-part-part-too-high-allowed",
        "The \"part\" value in the \"Content-Range\" header is higher than the maximum number of \
         parts allowed for a video.",
    )
    .with_detail(format!("The maximum number of parts allowed for a video is {most}."))
}

pub fn total_parts_too_high(most: u64) -> Violation {
    wrong(
        "by-part-total-parts-too-high",
        "The \"total_parts\" value in the \"Content-Range\" header is higher than the maximum number \
         of parts allowed for a video.",
    )
    .with_detail(format!("The maximum number of parts allowed for a video is {most}."))
}

pub fn from_byte_too_high() -> Violation {
    wrong(
        "by-bytes-from-byte-too-high",
        r#"The "from_byte" value in the "Content-Range" header is higher than the "to_byte" value."#,
    )
}

pub fn to_byte_too_high_allowed(highest: u64) -> Violation {
    wrong(
        "by-bytes-to-byte-too-high-allowed",
        "The \"to_byte\" value in the \"Content-Range\" header is higher than the maximum upper bound \
         allowed for a video.",
    )
    .with_detail(format!("The maximum upper bound allowed for a video is {highest}."))
}

pub fn total_bytes_too_high(most: u64) -> Violation {
    wrong(
        "by-bytes-total-bytes-too-high",
        "The \"total_bytes\" value in the \"Content-Range\" header is higher than the maximum allowed \
         limit.",
    )
    .with_detail(format!("The maximum allowed limit is {most}."))
}

pub fn range_too_large(largest: u64) -> Violation {
    wrong("by-bytes-range-too-large", r#"The range in the "Content-Range" header is too large."#)
        .with_detail(format!("It must be lower than or equal to {largest}."))
}

pub fn range_mismatch(bytes: u64, said: u64) -> Violation {
    wrong(
        "by-bytes-range-mismatch",
        "The size of the file you sent is different than the range length you set in the \
         \"Content-Range\" header.",
    )
    .with_detail(format!(
        "The size of the file you sent is {bytes} bytes but the range length you set is {said}."
    ))
}

pub fn total_zero(form: Form) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-total-bytes-zero",
            r#"The "total_bytes" value in the "Content-Range" header must be greater than 0."#,
        ),
        _ => wrong(
            "by-part-total-parts-zero",
            r#"The "total_parts" value in the "Content-Range" header must be greater than 0."#,
        ),
    }
}

/// The part, or the last byte, is beyond the total that is set.
pub fn too_high_total(form: Form, total: u64) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-to-byte-too-high-total",
            "The \"to_byte\" value in the \"Content-Range\" header is higher than the \"total_bytes\" \
             value you set for this video.",
        ),
        _ => wrong(
            "by-part-part-too-high-total",
            "The \"part\" value in the \"Content-Range\" header is higher than the \"total_parts\" \
             value you set for this video.",
        ),
    }
    .with_detail(total_set(form, total))
}

pub fn different_total(form: Form, total: u64) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-different-total-bytes",
            "The \"total_bytes\" value in the \"Content-Range\" header must be the same than the one \
             you already set for this video.",
        ),
        _ => wrong(
            "by-part-different-total-parts",
            "The \"total_parts\" value in the \"Content-Range\" header must be the same than the one \
             you already set for this video.",
        ),
    }
    .with_detail(total_set(form, total))
}

/// The piece from `first` to `last` is there, and beyond the total.
pub fn total_too_low(form: Form, first: u64, last: u64) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-total-bytes-too-low",
            "The \"total_bytes\" value in the \"Content-Range\" header is lower than or equal to the \
             upper bound of a range you already sent for this video.",
        ),
        _ => wrong(
            "by-part-total-parts-too-low",
            "The \"total_parts\" value in the \"Content-Range\" header is lower than or equal to a \
             part number you already sent for this video.",
        ),
    }
    .with_detail(piece_sent(form, first, last))
}

/// The piece from `first` to `last` is there.
pub fn already_sent(form: Form, first: u64, last: u64) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-range-overlap",
            "The range in the \"Content-Range\" header overlaps with a previous one you already sent \
             for this video.",
        ),
        _ => wrong(
            "by-part-part-already-sent",
            "The \"part\" value in the \"Content-Range\" header collides with a previous one you \
             already sent for this video.",
        ),
    }
    .with_detail(piece_sent(form, first, last))
}

pub fn too_small(form: Form, smallest: u64) -> Violation {
    match form {
        Form::Bytes => wrong(
            "by-bytes-range-too-small",
            r#"The range in the "Content-Range" header is too small."#,
        )
        .with_detail(format!(
            "It must be greater than or equal to {smallest}, except if it is the last chunk."
        )),
        _ => wrong("by-part-uploaded-file-too-small", "The uploaded file is too small.")
            .with_detail(format!(
                "It must be greater than or equal to {smallest} bytes, except if it is the last part."
            )),
    }
}

fn total_set(form: Form, total: u64) -> String {
    let name = if form == Form::Bytes { "total_bytes" } else { "total_parts" };
    format!(r#"The "{name}" you already set for this video is {total}."#)
}

fn piece_sent(form: Form, first: u64, last: u64) -> String {
    match form {
        Form::Bytes => format!("The range {first}-{last} has already been sent."),
        _ => format!("The part number {first} has already been sent."),
    }
}

fn wrong(page: &str, title: &str) -> Violation {
    Violation::upload(&format!("video-content-range-{page}"), "Content-Range", title)
}
