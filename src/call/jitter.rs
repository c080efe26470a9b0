//! Chance, so that clients that failed or waited together do not come back together.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Any number from 0 to 1, as good as chance needs to be here. It is from the keys that std's hash
/// maps are seeded with: a generator of random numbers would keep a state for each of the host's
/// threads.
pub(crate) fn fraction() -> f64 {
    // A forked child has its parent's keys.
    let bits = RandomState::new().hash_one(std::process::id());
    // As many bits as a fraction of this type has.
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_spread_over_the_whole_range() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let fraction = fraction();
            assert!((0.0..1.0).contains(&fraction), "{fraction}");
            tenths[(fraction * 10.0) as usize] += 1;
        }
        // Ten standard deviations about the mean of a thousand.
        assert!(tenths.iter().all(|count| (700..1300).contains(count)), "{tenths:?}");
    }
}
