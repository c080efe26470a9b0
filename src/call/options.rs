//! What a single call may do otherwise than its client says.

use crate::answer::recorder::Recording;
use crate::wait::cancel::Cancel;
use std::sync::Arc;
use std::time::Duration;

/// What a single call may do otherwise than its client says.
#[derive(Debug, Default)]
pub(crate) struct CallOptions {
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
