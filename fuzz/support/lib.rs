//! What several of the fuzzers use.

pub mod calls;
pub mod schema;
