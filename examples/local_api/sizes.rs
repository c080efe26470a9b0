//! How large uploads may be: as published, or scaled down so that a test need not move gigabytes.

pub const MOST_PARTS: u64 = 10_000;

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of every part but the last.
    pub smallest_part: u64,
    /// Of a request's file, be it a part or all.
    pub largest_part: u64,
    pub largest_source: u64,
}

impl Sizes {
    pub const SMALLEST_PART: u64 = 5 * 1024 * 1024;
    pub const LARGEST_PART: u64 = 200 * 1024 * 1024;
    pub const LARGEST_SOURCE: u64 = 30 * 1024 * 1024 * 1024;

    /// What the total of a range of bytes may be: 52,428,800,000 as published.
    pub fn most_bytes(&self) -> u64 {
        MOST_PARTS.saturating_mul(self.smallest_part)
    }
}
