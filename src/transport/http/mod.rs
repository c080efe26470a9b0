//! The seam to ureq: the one folder that knows its unversioned API (ureq is pinned exactly for it).

pub(crate) mod agent;
pub(crate) mod attempt;
mod head;
