//! How an attempt at a part ended, as far as what follows is concerned: what the answer to it, or the way in
//! which it broke, says of whether the service has the part.

use crate::answer::json;
use crate::answer::problem::Problem;
use crate::call::retry::Trouble;
use crate::call::verdict::Verdict;
use crate::error::Failure;

/// How an attempt at a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The connection failed, broke or stalled, or no answer came. The service may have the part if the
    /// last byte of it was handed over.
    Broke { was_handed_over: bool },
    /// 429: it was not looked at.
    RateLimited,
    /// 408 or 5xx: whoever says so may have passed the part on.
    Failed,
    /// 400, since the service has this part.
    PartAlreadySent,
    /// 400, since the service has the whole video.
    SourceAlreadyUploaded,
    /// 400, and of why nothing has come: the rest of the answer was lost, or somebody on the way has said it.
    Unexplained,
    /// A success whose answer cannot be used: as the service says it, if it begins as a JSON object, or as
    /// whoever stands between may.
    Unusable { is_object: bool },
    /// A success that tells of another video.
    OtherVideo,
    /// A success that tells the video's id alone, where it should tell that the video is whole.
    Unproven,
    /// What would come to the same again: refused by the service or on the way, the certificate, the file,
    /// a cancel, the deadline.
    Lasting { was_handed_over: bool },
}

impl Ending {
    /// How the attempt ended on which this is the verdict.
    pub fn of(verdict: &Verdict) -> Self {
        let was_handed_over = verdict.sent.is_whole;
        match verdict.failure {
            Failure::Cancelled => return Ending::Lasting { was_handed_over },
            Failure::Tls | Failure::Source | Failure::InvalidArgument | Failure::Internal => {
                return Ending::Lasting { was_handed_over: false };
            }
            // A proxy that refuses.
            Failure::Connect if verdict.trouble == Trouble::Lasting => {
                return Ending::Lasting { was_handed_over: false };
            }
            _ => {}
        }
        let Some(reply) = &verdict.reply else { return Ending::Broke { was_handed_over } };
        match reply.status {
            200..=299 => {
                Ending::Unusable { is_object: was_handed_over && json::begins_object(&reply.body) }
            }
            400 if says(&reply.problem, "source-already-uploaded") => Ending::SourceAlreadyUploaded,
            400 if says(&reply.problem, "part-already-sent") => Ending::PartAlreadySent,
            400 if reply.problem == Problem::default() => Ending::Unexplained,
            // Who has not got all of it can have passed nothing on.
            408 | 500..=599 if !was_handed_over => Ending::Broke { was_handed_over },
            408 | 500..=599 => Ending::Failed,
            429 => Ending::RateLimited,
            400..=499 => Ending::Lasting { was_handed_over: false },
            _ => Ending::Lasting { was_handed_over },
        }
    }

    /// Whether the service may have the part.
    pub fn is_in_doubt(self) -> bool {
        match self {
            Ending::Broke { was_handed_over } | Ending::Lasting { was_handed_over } => {
                was_handed_over
            }
            Ending::Failed | Ending::Unusable { .. } | Ending::OtherVideo | Ending::Unproven => {
                true
            }
            Ending::RateLimited
            | Ending::PartAlreadySent
            | Ending::SourceAlreadyUploaded
            | Ending::Unexplained => false,
        }
    }
}

/// Whether a problem, or one of those that it lists, is of the kind that ends so: what stands before that in
/// its name, and where the name is explained, have changed over the years.
fn says(problem: &Problem, kind: &str) -> bool {
    let is_it = |problem: &Problem| {
        let slug = problem.kind.as_deref().and_then(|kind| kind.rsplit('/').next());
        slug.is_some_and(|slug| slug.ends_with(kind))
    };
    is_it(problem) || problem.problems.iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_refuses_is_not_asked_again_and_one_that_cannot_be_reached_is() {
        let of = |trouble| {
            let verdict = Verdict::before_attempt(Failure::Connect, "no way", None);
            Ending::of(&Verdict { trouble, ..verdict })
        };
        assert_eq!(of(Trouble::Lasting), Ending::Lasting { was_handed_over: false });
        assert_eq!(of(Trouble::NotSent), Ending::Broke { was_handed_over: false });
    }
}
