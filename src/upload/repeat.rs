//! What follows an attempt at a part that brought no plain success, and what it means for the video: the one
//! table of an upload, a pure function. It keeps the promise that a call makes at most one playable video,
//! and that what is said of the outcome is true.

use super::ending::Ending;
use crate::error::Outcome;
use crate::limits::MOST_VIDEOS_ABANDONED;

/// Where in an upload an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Situation {
    /// Whether the video is known, and told to the service.
    pub knows_video: bool,
    /// Whether the part is the last one, or the only one.
    pub is_last: bool,
    /// Whether an attempt before may have brought the part there: one of this call, or one of which the state
    /// that is gone on with does not tell.
    pub was_in_doubt: bool,
    /// Whether the last part was sent once more already, to learn whether the video is whole.
    pub was_asked: bool,
    /// How many unfinished videos were left behind.
    pub videos_abandoned: u32,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt at the part.
    Again,
    /// The first part once more, of another video: what became of the one before nobody can tell.
    NewVideo,
    /// The last part once more, for the answer: that tells whether the video is whole.
    Ask,
    /// The part is there.
    Confirmed,
    /// The video is whole.
    Whole,
    /// The end.
    Stop(Stop),
}

/// What the end of an upload means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Whether the video is whole.
    pub outcome: Outcome,
    /// Whether the answer does not say what it should, whatever its status.
    pub is_undecodable: bool,
    /// Whether it may go on: not where somebody else uploads to the same video, whose parts would then be
    /// taken for its own.
    pub may_go_on: bool,
    /// Whether the cause may pass by itself, though its status does not look so.
    pub may_pass: bool,
}

impl Situation {
    /// Whether the video may be whole if nothing more is done, of which only the last part decides.
    fn outcome(&self, is_in_doubt: bool) -> Outcome {
        match self.is_last && (is_in_doubt || self.was_in_doubt) {
            true => Outcome::Unknown,
            false => Outcome::NotApplied,
        }
    }

    /// The end because nothing more may be tried, the last attempt having been in doubt or not.
    pub fn given_up(&self, is_in_doubt: bool) -> Stop {
        let outcome = self.outcome(is_in_doubt);
        Stop { outcome, is_undecodable: false, may_go_on: true, may_pass: false }
    }

    /// The end after an attempt that ended so, though the table says that `next` should follow.
    pub fn stopped_before(&self, next: Next, ending: Ending) -> Stop {
        let is_unproven = next == Next::Ask;
        let is_in_doubt = is_unproven || ending.is_in_doubt();
        let may_pass = ending == Ending::Unexplained;
        Stop { is_undecodable: is_unproven, may_pass, ..self.given_up(is_in_doubt) }
    }
}

/// The table.
pub(crate) fn next(ending: Ending, situation: Situation) -> Next {
    let Situation { knows_video, is_last, was_in_doubt, .. } = situation;
    let stop = |outcome| Stop { outcome, is_undecodable: false, may_go_on: true, may_pass: false };
    let undecodable = |outcome| Stop { is_undecodable: true, ..stop(outcome) };
    let somebody_else = |outcome| Stop { may_go_on: false, ..stop(outcome) };
    let begin_anew = match situation.videos_abandoned < MOST_VIDEOS_ABANDONED {
        true => Next::NewVideo,
        false => Next::Stop(stop(Outcome::NotApplied)),
    };
    let ask = match situation.was_asked {
        false => Next::Ask,
        true => Next::Stop(undecodable(Outcome::Unknown)),
    };
    match ending {
        Ending::RateLimited | Ending::Broke { was_handed_over: false } => Next::Again,
        Ending::Broke { .. } | Ending::Failed => match (knows_video, is_last) {
            (true, _) => Next::Again,
            (false, false) => begin_anew,
            (false, true) => Next::Stop(stop(Outcome::Unknown)),
        },
        Ending::PartAlreadySent if knows_video && was_in_doubt => match is_last {
            false => Next::Confirmed,
            // So are all others; but that they were made one video nobody has said yet.
            true => ask,
        },
        Ending::SourceAlreadyUploaded if knows_video && was_in_doubt && is_last => Next::Whole,
        Ending::PartAlreadySent | Ending::SourceAlreadyUploaded => match knows_video {
            true => Next::Stop(somebody_else(Outcome::Unknown)),
            false => Next::Stop(somebody_else(Outcome::NotApplied)),
        },
        // It may have been that the part is there.
        Ending::Unexplained if knows_video && was_in_doubt => Next::Again,
        Ending::Unexplained => Next::Stop(situation.given_up(false)),
        Ending::Unusable { is_object } => match (knows_video, is_last) {
            (true, true) => ask,
            // Whoever said it: sent again, the part is refused if it is there, and otherwise kept.
            (true, false) => Next::Again,
            (false, false) => begin_anew,
            (false, true) => Next::Stop(undecodable(match is_object {
                true => Outcome::Applied,
                false => Outcome::Unknown,
            })),
        },
        Ending::OtherVideo => Next::Stop(undecodable(Outcome::Unknown)),
        Ending::Unproven => ask,
        Ending::Lasting { was_handed_over } => Next::Stop(situation.given_up(was_handed_over)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ending::{
        Broke, Failed, Lasting, OtherVideo, PartAlreadySent, RateLimited, SourceAlreadyUploaded,
        Unexplained, Unproven, Unusable,
    };
    use Next::{Again, Ask, Confirmed, NewVideo, Whole};

    const CUT: Ending = Broke { was_handed_over: false };
    const LOST: Ending = Broke { was_handed_over: true };
    const OBJECT: Ending = Unusable { is_object: true };
    const PAGE: Ending = Unusable { is_object: false };
    const REFUSED: Ending = Lasting { was_handed_over: false };
    const CANCELLED: Ending = Lasting { was_handed_over: true };

    /// A part but the last of a known video, none of whose attempts was in doubt.
    const PART: Situation = Situation {
        knows_video: true,
        is_last: false,
        was_in_doubt: false,
        was_asked: false,
        videos_abandoned: 0,
    };
    const DOUBTED: Situation = Situation { was_in_doubt: true, ..PART };
    const LAST: Situation = Situation { is_last: true, ..PART };
    const LAST_DOUBTED: Situation = Situation { is_last: true, ..DOUBTED };
    const LAST_ASKED: Situation = Situation { was_asked: true, ..LAST_DOUBTED };
    const FIRST: Situation = Situation { knows_video: false, ..PART };
    const ONLY: Situation = Situation { is_last: true, ..FIRST };

    const fn stop(outcome: Outcome) -> Next {
        Next::Stop(Stop { outcome, is_undecodable: false, may_go_on: true, may_pass: false })
    }
    const fn undecodable(outcome: Outcome) -> Next {
        Next::Stop(Stop { outcome, is_undecodable: true, may_go_on: true, may_pass: false })
    }
    const fn somebody_else(outcome: Outcome) -> Next {
        Next::Stop(Stop { outcome, is_undecodable: false, may_go_on: false, may_pass: false })
    }
    const MISSING: Next = stop(Outcome::NotApplied);
    const PERHAPS: Next = stop(Outcome::Unknown);
    const UNPROVEN: Next = undecodable(Outcome::Unknown);
    const THEIRS: Next = somebody_else(Outcome::Unknown);
    const REJECTED: Next = somebody_else(Outcome::NotApplied);

    #[test]
    fn the_table_is_that_of_the_design() {
        let situations = [PART, DOUBTED, LAST, LAST_DOUBTED, LAST_ASKED, FIRST, ONLY];
        let whole = undecodable(Outcome::Applied);
        // One column for each of the situations.
        let rows = [
            (CUT, [Again, Again, Again, Again, Again, Again, Again]),
            (RateLimited, [Again, Again, Again, Again, Again, Again, Again]),
            (LOST, [Again, Again, Again, Again, Again, NewVideo, PERHAPS]),
            (Failed, [Again, Again, Again, Again, Again, NewVideo, PERHAPS]),
            (PartAlreadySent, [THEIRS, Confirmed, THEIRS, Ask, UNPROVEN, REJECTED, REJECTED]),
            (SourceAlreadyUploaded, [THEIRS, THEIRS, THEIRS, Whole, Whole, REJECTED, REJECTED]),
            (Unexplained, [MISSING, Again, MISSING, Again, Again, MISSING, MISSING]),
            (REFUSED, [MISSING, MISSING, MISSING, PERHAPS, PERHAPS, MISSING, MISSING]),
            (CANCELLED, [MISSING, MISSING, PERHAPS, PERHAPS, PERHAPS, MISSING, PERHAPS]),
            (OBJECT, [Again, Again, Ask, Ask, UNPROVEN, NewVideo, whole]),
            (PAGE, [Again, Again, Ask, Ask, UNPROVEN, NewVideo, UNPROVEN]),
            (OtherVideo, [UNPROVEN, UNPROVEN, UNPROVEN, UNPROVEN, UNPROVEN, UNPROVEN, UNPROVEN]),
            (Unproven, [Ask, Ask, Ask, Ask, UNPROVEN, Ask, Ask]),
        ];
        for (ending, expected) in rows {
            for (situation, expected) in situations.into_iter().zip(expected) {
                assert_eq!(next(ending, situation), expected, "{ending:?} {situation:?}");
            }
        }
    }

    #[test]
    fn at_most_three_unfinished_videos_are_left_behind() {
        for ending in [LOST, Failed, PAGE, OBJECT] {
            for (videos_abandoned, expected) in [(2, NewVideo), (3, MISSING), (9, MISSING)] {
                let situation = Situation { videos_abandoned, ..FIRST };
                assert_eq!(next(ending, situation), expected, "{ending:?}");
            }
        }
    }

    #[test]
    fn what_follows_never_makes_a_second_whole_video() {
        for ending in all_endings() {
            // Once the only part may be there, it is sent to no new video; nor is the last one ever.
            let may_be_repeated = matches!(next(ending, ONLY), Again | NewVideo);
            assert!(!(may_be_repeated && ending.is_in_doubt()), "{ending:?}");
            for situation in [PART, DOUBTED, LAST, LAST_DOUBTED, LAST_ASKED, ONLY] {
                assert_ne!(next(ending, situation), NewVideo, "{ending:?} {situation:?}");
            }
        }
    }

    #[test]
    fn that_nothing_was_applied_is_said_only_if_a_part_is_surely_missing() {
        for ending in all_endings() {
            for situation in [LAST, LAST_DOUBTED, LAST_ASKED, ONLY] {
                let is_in_doubt = ending.is_in_doubt() || situation.was_in_doubt;
                if let Next::Stop(stop) = next(ending, situation) {
                    let is_denied = stop.outcome == Outcome::NotApplied;
                    assert!(!(is_denied && is_in_doubt), "{ending:?} {situation:?}");
                }
            }
        }
    }

    fn all_endings() -> [Ending; 13] {
        [
            CUT,
            LOST,
            RateLimited,
            Failed,
            PartAlreadySent,
            SourceAlreadyUploaded,
            Unexplained,
            OBJECT,
            PAGE,
            OtherVideo,
            Unproven,
            REFUSED,
            CANCELLED,
        ]
    }
}
