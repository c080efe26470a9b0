//! Which parts of an upload are confirmed: a set of numbers from 1, kept as runs, since they are sent in
//! order or nearly so. Its text is what a state tells: "1-37,40".

use std::fmt;

/// A set of numbers of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<(u32, u32)>);

impl Runs {
    /// Whether the part with this number is in it.
    pub fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&number))
    }

    /// Adds a part.
    pub fn insert(&mut self, number: u32) {
        if self.contains(number) {
            return;
        }
        let at = self.0.partition_point(|&(_, last)| last < number);
        let joins_next = self.0.get(at).is_some_and(|&(first, _)| first == number + 1);
        let joins_previous = at > 0 && self.0[at - 1].1 + 1 == number;
        match (joins_previous, joins_next) {
            (true, true) => {
                self.0[at - 1].1 = self.0[at].1;
                self.0.remove(at);
            }
            (true, false) => self.0[at - 1].1 = number,
            (false, true) => self.0[at].0 = number,
            (false, false) => self.0.insert(at, (number, number)),
        }
    }

    /// The parts in it, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    /// The set that a text tells, of parts up to `last`, if that is how it is written here.
    pub fn parse(text: &str, last: u32) -> Option<Self> {
        let mut runs = Vec::new();
        let mut least = 1;
        for run in text.split(',').filter(|_| !text.is_empty()) {
            let (first, end) = run.split_once('-').unwrap_or((run, run));
            let (first, end): (u32, u32) = (first.parse().ok()?, end.parse().ok()?);
            if first < least || end < first || end > last {
                return None;
            }
            // Between two runs there is a gap.
            least = end.checked_add(2)?;
            runs.push((first, end));
        }
        let runs = Runs(runs);
        (runs.to_string() == text).then_some(runs)
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(numbers: &[u32]) -> Runs {
        let mut runs = Runs::default();
        numbers.iter().for_each(|&number| runs.insert(number));
        runs
    }

    #[test]
    fn numbers_become_runs_in_whatever_order_they_come() {
        for (numbers, text) in [
            (&[][..], ""),
            (&[1], "1"),
            (&[1, 2, 3], "1-3"),
            (&[3, 1, 2], "1-3"),
            (&[1, 3], "1,3"),
            (&[1, 3, 2, 2], "1-3"),
            (&[9, 1, 4, 5, 8], "1,4-5,8-9"),
        ] {
            let runs = runs(numbers);
            assert_eq!(runs.to_string(), text);
            assert_eq!(Runs::parse(text, 9), Some(runs.clone()));
            let mut sorted = numbers.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(runs.numbers().collect::<Vec<_>>(), sorted);
            assert!((0..12).all(|number| runs.contains(number) == sorted.contains(&number)));
        }
    }

    #[test]
    fn every_set_of_small_numbers_can_be_told() {
        for bits in 0..1_u32 << 10 {
            let numbers: Vec<_> = (1..=10).filter(|number| bits >> (number - 1) & 1 == 1).collect();
            let text = runs(&numbers).to_string();
            let parsed = Runs::parse(&text, 10).expect("what was told");
            assert_eq!(parsed.numbers().collect::<Vec<_>>(), numbers, "{text}");
        }
    }

    #[test]
    fn what_is_written_in_no_such_way_is_no_set() {
        for text in [
            "0",
            "11",
            "1-11",
            "2-1",
            "1-1",
            "1-2,3",
            "3,1",
            "1,1",
            ",",
            "1,",
            "-",
            "1-",
            "-1",
            "+1",
            "01",
            "1 ",
            "a",
            "1-2-3",
            "4294967295",
            "4294967296",
        ] {
            assert_eq!(Runs::parse(text, 10), None, "{text}");
        }
        assert_eq!(Runs::parse("4294967295", u32::MAX), None);
    }
}
