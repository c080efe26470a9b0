//! What a single call may do otherwise than its client says.

use crate::answer::recorder::Recording;
use crate::wait::cancel::Cancel;
use crate::wait::deadline::Deadline;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a single call may do otherwise than its client says.
#[derive(Debug, Default)]
pub(crate) struct CallOptions {
    /// When the call began, which its time counts from.
    pub begin: Begin,
    /// How long the whole call may take.
    pub timeout: CallTimeout,
    /// How many attempts it may make.
    pub max_attempts: Option<u32>,
    /// What ends it from another thread.
    pub cancel: Option<Arc<Cancel>>,
    /// Where to record what the service answers.
    pub recording: Option<Recording>,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum CallTimeout {
    /// As the client says.
    #[default]
    Client,
    /// This long, or without limit.
    Own(Option<Duration>),
}

/// When a call began: its options are read first of all it is given, and what reading and checking the rest
/// takes (a payload of megabytes) is time of the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin(Instant);

impl Default for Begin {
    /// Now.
    fn default() -> Self {
        Begin(Instant::now())
    }
}

impl Begin {
    /// When a call that began then has to end.
    pub fn deadline(self, timeout: Option<Duration>) -> Deadline {
        Deadline::after_time(self.0, timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::error::Failure;
    use crate::tokens;

    #[test]
    fn the_time_of_a_call_counts_from_when_it_began_not_from_when_it_is_sent() {
        let begun =
            Instant::now().checked_sub(Duration::from_secs(2)).expect("a clock that ran before");
        let options = |timeout| CallOptions {
            begin: Begin(begun),
            timeout: CallTimeout::Own(Some(Duration::from_secs(timeout))),
            ..CallOptions::default()
        };
        let client = Client::for_test("http://127.0.0.1:1");
        let failure = |timeout| {
            tokens::delete(&client, "a-token", &options(timeout))
                .expect_err("nobody is there")
                .failure()
        };
        assert_eq!(failure(1), Failure::Timeout);
        assert_eq!(failure(60), Failure::Connect);
    }
}
