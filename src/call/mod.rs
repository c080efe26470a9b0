//! What a call does.

pub(crate) mod gate;
mod jitter;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod retry_after;
pub(crate) mod run;
