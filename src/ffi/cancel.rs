//! Cancelling calls from another thread.

/// Cancels calls from another thread. Not available in this version: its place is kept.
pub struct av_cancel {
    _private: (),
}
