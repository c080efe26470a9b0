//! How a file or a stream is cut into parts: how many, how large, and where each lies in it. It says nothing
//! of what becomes of them. Source of facts: the service's documentation, "Progressive upload" and "Video
//! best practices".

use crate::error::Error;
use std::ops::Range;

const MIB: u64 = 1024 * 1024;

/// What the service allows of parts, in bytes, and what is taken unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The smallest part, but for the last.
    pub smallest_part: u64,
    pub largest_part: u64,
    /// Of a file.
    pub default_part: u64,
    /// Of what is still being made: it is kept in memory until the service has it.
    pub default_part_of_stream: u64,
    pub most_parts: u32,
}

impl Sizes {
    pub const OF_THE_SERVICE: Self = Sizes {
        smallest_part: 5 * MIB,
        largest_part: 200 * MIB,
        default_part: 32 * MIB,
        default_part_of_stream: 8 * MIB,
        most_parts: 10_000,
    };

    /// Refuses what a caller must not ask for as the size of parts.
    fn must_allow(&self, part_bytes: u64) -> Result<(), Error> {
        let Sizes { smallest_part, largest_part, .. } = self;
        if part_bytes == 0 || (*smallest_part..=*largest_part).contains(&part_bytes) {
            return Ok(());
        }
        Err(Error::invalid_argument(format_args!(
            "params.part_bytes must be from {smallest_part} to {largest_part}, or 0 for the default"
        )))
    }
}

/// How a file or a stream is cut: a first part, and then parts of one size, of which the last may be smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// `None` of a stream, whose end is not known.
    total: Option<u64>,
    first: u64,
    part: u64,
}

impl Plan {
    /// The plan for a file of `total` bytes in parts of `part_bytes`, 0 for what suits it. Unless the video
    /// is known beforehand, only the answer to the first part tells which it is, and whatever is sent of that
    /// in vain is lost: it is as small as may be.
    pub fn new(
        total: u64,
        part_bytes: u64,
        knows_video: bool,
        sizes: &Sizes,
    ) -> Result<Self, Error> {
        let Sizes { smallest_part, largest_part, default_part, most_parts, .. } = *sizes;
        sizes.must_allow(part_bytes)?;
        if total == 0 {
            return Err(Error::invalid_argument(
                "path is an empty file, of which no video is made",
            ));
        }
        let first = if knows_video { 0 } else { smallest_part.min(total) };
        let others = u64::from(most_parts) - u64::from(first > 0);
        let least = (total - first).div_ceil(others);
        let part = if part_bytes > 0 { part_bytes } else { default_part.max(least) };
        if least > largest_part {
            return Err(Error::invalid_argument(format_args!(
                "path is a file of {total} bytes, more than {most_parts} parts of {largest_part}"
            )));
        }
        if part < least {
            return Err(Error::invalid_argument(format_args!(
                "params.part_bytes makes more than {most_parts} parts of a file of {total} bytes: {least} \
                 is the least"
            )));
        }
        let first = if first > 0 { first } else { part.min(total) };
        Ok(Plan { total: Some(total), first, part })
    }

    /// The plan for a stream in parts of `part_bytes`, 0 for the default; its first part as that of a file.
    pub fn of_stream(part_bytes: u64, knows_video: bool, sizes: &Sizes) -> Result<Self, Error> {
        sizes.must_allow(part_bytes)?;
        let part = if part_bytes > 0 { part_bytes } else { sizes.default_part_of_stream };
        let first = if knows_video { part } else { sizes.smallest_part };
        Ok(Plan { total: None, first, part })
    }

    /// The plan that a state tells, if there may be such a one.
    pub fn told(total: Option<u64>, first: u64, part: u64, sizes: &Sizes) -> Option<Self> {
        let plan = Plan { total, first, part };
        let allowed = sizes.smallest_part..=sizes.largest_part;
        let may_begin = match total {
            Some(total) => {
                (1..=total).contains(&first)
                    && (first == total || first >= sizes.smallest_part)
                    && (total - first).div_ceil(part.max(1)) < u64::from(sizes.most_parts)
            }
            None => first >= sizes.smallest_part,
        };
        // The memory of a part is as large as most are: the first is none larger.
        let may_be = may_begin && first <= part && allowed.contains(&part);
        may_be.then_some(plan)
    }

    /// How many bytes there are in all; `None` of a stream.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many bytes the first part has.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// How many bytes all others have but the last.
    pub fn part(&self) -> u64 {
        self.part
    }

    /// How many parts there are, at least 1; `None` of a stream.
    pub fn count(&self) -> Option<u32> {
        let others = (self.total? - self.first).div_ceil(self.part);
        Some(u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Where the part with this number, from 1, lies in the file; or in the stream, if it is not the last.
    pub fn range(&self, number: u32) -> Range<u64> {
        let end = |number: u32| match number {
            0 => 0,
            _ => {
                let end = self.first + u64::from(number - 1) * self.part;
                end.min(self.total.unwrap_or(u64::MAX))
            }
        };
        end(number.saturating_sub(1))..end(number)
    }

    /// How many bytes the part with this number has.
    pub fn length(&self, number: u32) -> u64 {
        let range = self.range(number);
        range.end - range.start
    }

    /// What the service is told of the part with this number: which it is, and of how many, as far as that
    /// is known.
    pub fn content_range(&self, number: u32, is_last: bool) -> String {
        match self.count() {
            Some(count) => format!("part {number}/{count}"),
            None if is_last => format!("part {number}/{number}"),
            None => format!("part {number}/*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes::OF_THE_SERVICE;
    const LIMIT: u64 = 5 * MIB;

    fn plan(total: u64, part_bytes: u64, knows_video: bool) -> Plan {
        Plan::new(total, part_bytes, knows_video, &SIZES).expect("a plan")
    }

    fn lengths(plan: &Plan) -> Vec<u64> {
        (1..=plan.count().expect("the parts of a file")).map(|number| plan.length(number)).collect()
    }

    fn refusal(total: u64, part_bytes: u64) -> String {
        Plan::new(total, part_bytes, false, &SIZES).expect_err("no plan").to_string()
    }

    #[test]
    fn up_to_the_smallest_part_there_is_one() {
        for total in [1, 2, LIMIT - 1, LIMIT] {
            let plan = plan(total, 0, false);
            assert_eq!(lengths(&plan), [total]);
            assert_eq!(plan.content_range(1, true), "part 1/1");
        }
    }

    #[test]
    fn the_first_of_several_is_the_smallest_unless_the_video_is_known() {
        assert_eq!(lengths(&plan(LIMIT + 1, 0, false)), [LIMIT, 1]);
        assert_eq!(lengths(&plan(LIMIT + 1, 0, true)), [LIMIT + 1]);
        assert_eq!(lengths(&plan(40 * MIB, 0, false)), [LIMIT, 32 * MIB, 3 * MIB]);
        assert_eq!(lengths(&plan(40 * MIB, 0, true)), [32 * MIB, 8 * MIB]);
        assert_eq!(plan(40 * MIB, 0, false).content_range(3, true), "part 3/3");
    }

    #[test]
    fn a_file_that_is_a_multiple_of_the_part_ends_without_an_empty_one() {
        let part = 8 * MIB;
        for (total, last) in
            [(3 * part - 1, part - 1), (3 * part, part), (3 * part + 1, 1), (2 * part + 1, 1)]
        {
            let lengths = lengths(&plan(total, part, true));
            assert_eq!((lengths.last(), lengths.iter().sum()), (Some(&last), total));
            let after_the_first = self::lengths(&plan(LIMIT + total, part, false));
            assert_eq!((after_the_first[0], &after_the_first[1..]), (LIMIT, &lengths[..]));
        }
    }

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        for plan in [plan(100 * MIB + 7, 6 * MIB, false), plan(100 * MIB + 7, 6 * MIB, true)] {
            let mut at = 0;
            for range in
                (1..=plan.count().expect("the parts of a file")).map(|number| plan.range(number))
            {
                assert_eq!(range.start, at);
                assert!(!range.is_empty());
                at = range.end;
            }
            assert_eq!(Some(at), plan.total());
        }
    }

    #[test]
    fn what_would_be_more_than_ten_thousand_parts_gets_larger_ones() {
        let most = LIMIT + 9_999 * 32 * MIB;
        assert_eq!(
            (plan(most, 0, false).count(), plan(most, 0, false).part()),
            (Some(10_000), 32 * MIB)
        );
        let more = plan(most + 1, 0, false);
        assert!(more.count() == Some(10_000) && more.part() == 32 * MIB + 1, "{more:?}");
        let largest = LIMIT + 9_999 * 200 * MIB;
        assert_eq!(plan(largest, 0, false).count(), Some(10_000));
        assert_eq!(plan(10_000 * 200 * MIB, 0, true).count(), Some(10_000));
        assert!(refusal(largest + 1, 0).contains("more than 10000 parts"));
    }

    #[test]
    fn parts_that_the_service_does_not_take_are_refused() {
        for part_bytes in [1, LIMIT - 1, 200 * MIB + 1, u64::MAX] {
            let said = refusal(MIB, part_bytes);
            assert!(said.contains("params.part_bytes must be from 5242880 to 209715200"), "{said}");
        }
        let said = refusal(LIMIT + 10_000 * LIMIT, LIMIT);
        assert!(said.contains("params.part_bytes") && said.contains("5243405"), "{said}");
        assert!(refusal(0, 0).contains("path is an empty file"));
        assert!(refusal(u64::MAX, 0).contains("more than 10000 parts"));
    }

    #[test]
    fn every_plan_can_be_told_again() {
        for (total, part_bytes) in
            [(1, 0), (LIMIT, 0), (LIMIT + 1, 0), (99 * MIB, LIMIT), (9_999 * 200 * MIB, 0)]
        {
            for knows_video in [false, true] {
                let plan = plan(total, part_bytes, knows_video);
                let told = Plan::told(plan.total(), plan.first(), plan.part(), &SIZES);
                assert_eq!(told, Some(plan));
            }
        }
    }

    #[test]
    fn no_stream_has_a_first_part_that_is_larger_than_others() {
        assert!(Plan::told(None, LIMIT, LIMIT, &SIZES).is_some());
        for (first, part) in [(LIMIT + 1, LIMIT), (LIMIT - 1, LIMIT), (u64::MAX, LIMIT)] {
            assert_eq!(Plan::told(None, first, part, &SIZES), None, "{first} {part}");
        }
    }

    #[test]
    fn what_is_no_plan_of_ours_is_none() {
        for (total, first, part) in [
            (0, 0, LIMIT),
            (1, 0, LIMIT),
            (1, 2, LIMIT),
            (9 * MIB, MIB, LIMIT),
            (9 * MIB, LIMIT, 1),
            (9 * MIB, LIMIT, 0),
            (9 * MIB, LIMIT, 201 * MIB),
            (300 * MIB, 201 * MIB, LIMIT),
            (300 * MIB, LIMIT + 1, LIMIT),
            (u64::MAX, LIMIT, LIMIT),
        ] {
            assert_eq!(
                Plan::told(Some(total), first, part, &SIZES),
                None,
                "{total} {first} {part}"
            );
        }
    }
}
