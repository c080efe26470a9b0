//! Waiting: until when, and what ends it before.

pub(crate) mod cancel;
pub(crate) mod deadline;
pub(crate) mod waiter;
