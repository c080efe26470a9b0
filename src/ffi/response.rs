//! What the service answered to a call, besides its result.

/// Tells of the HTTP answer to a call. Not available in this version: its place is kept.
pub struct av_response {
    _private: (),
}
