//! Dates as they are published.

use std::sync::LazyLock;

use time::OffsetDateTime;
use time::format_description::{self, BorrowedFormatItem};

/// What api.video calls ATOM UTC: whole seconds, and the offset in figures.
pub fn atom_utc(moment: OffsetDateTime) -> String {
    static FORMAT: LazyLock<Vec<BorrowedFormatItem>> = LazyLock::new(|| {
        format_description::parse_borrowed::<2>(
            "[year]-[month]-[day]T[hour]:[minute]:[second]+00:00",
        )
        .expect("a valid format description")
    });
    moment.format(&FORMAT).expect("a year of four digits")
}
