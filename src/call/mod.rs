//! What a call does, from what an operation is to what is told of its end.

pub(crate) mod gate;
mod jitter;
pub(crate) mod operation;
pub(crate) mod options;
pub(crate) mod payload;
pub(crate) mod rate_limit;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod retry_after;
pub(crate) mod run;
pub(crate) mod verdict;
