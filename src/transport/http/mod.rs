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
mod head;

pub(crate) use agent::{Agent, AgentSettings, Exchange};
pub(crate) use attempt::Phase;
pub(crate) use attempt::{Attempt, Reuse};
