//! The seam to ureq: the one folder that knows its unversioned API (ureq is pinned exactly for it).
//!
//! ureq speaks HTTP and pools connections. Ours are the connections themselves: what opens them,
//! waits on them and gives them up follows the current [`Attempt`], not ureq's time-outs, which
//! would start a thread for every call.

mod agent;
mod attempt;
mod buffers;
mod connection;
mod dialer;
mod early;
mod head;
mod transfer;

pub(crate) use agent::{Agent, AgentSettings, Exchange};
#[cfg(test)]
pub(crate) use attempt::Phase;
pub(crate) use attempt::{Attempt, Reuse};
pub(crate) use transfer::{Delivery, Sent};
