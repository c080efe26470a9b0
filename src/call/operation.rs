//! What an operation of the API is to a call: one static row each, in the file of what it is about.
//! All that differs between operations stands in the row, and nothing is derived from the HTTP method.

use crate::answer::json;
use crate::error::Outcome;
use ureq::http::Method;

/// One operation of the API.
pub(crate) struct Operation {
    pub method: Method,
    /// The path below the base URL, which an item may follow.
    pub collection: &'static str,
    /// Whether the client's credential goes with it.
    pub sends_credential: bool,
    pub quota: Quota,
    pub repeat: Repeat,
    /// What a 404 shows that answers an attempt after one that may have been applied: that the former has
    /// done its work, in these words. Without them a 404 is a failure like any other.
    pub gone: Option<&'static str>,
    pub content: Content,
    pub evidence: Evidence,
    /// What it changes; without that, there is nothing that could have been applied.
    pub effect: Option<Effect>,
}

/// What the service counts a request against; each has a gate of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quota {
    /// What reads.
    Reads,
    /// What changes something.
    Writes,
    /// What carries a part of a file.
    Uploads,
}

/// After which attempts another may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// After any: doing it twice comes to the same as doing it once.
    Always,
    /// After one that was surely not applied: doing it twice would do two things.
    IfNotApplied,
}

/// What the body of a success must be: anything else somebody on the way has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A JSON object.
    Object,
    /// JSON.
    Json,
    /// The body does not matter: nothing, or JSON.
    JsonOrNothing,
}

impl Content {
    /// Complains about a body that is something else.
    pub fn check(self, body: &str) -> Result<(), String> {
        match self {
            Content::Object => json::check_object(body),
            Content::JsonOrNothing if body.is_empty() => Ok(()),
            Content::Json | Content::JsonOrNothing => json::check(body),
        }
    }
}

/// What in the body of a success shows that it was applied, even if the rest cannot be used: whoever
/// stands between can say 200, but hardly as the service says what it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Nothing does.
    Nothing,
    /// That a JSON object begins.
    Object,
}

/// What each outcome of a change means for a person.
#[derive(Debug)]
pub(crate) struct Effect {
    pub not_applied: &'static str,
    pub unknown: &'static str,
    pub applied: &'static str,
}

impl Operation {
    /// What a call did whose attempts came to `outcome`.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.effect.is_some() { outcome } else { Outcome::NotApplied }
    }

    /// What a success shows to have been done that cannot be used, by as much of its body as has come.
    pub fn shown_by(&self, body: &[u8]) -> Outcome {
        let is_shown = match self.evidence {
            Evidence::Nothing => false,
            Evidence::Object => json::begins_object(body),
        };
        self.outcome(if is_shown { Outcome::Applied } else { Outcome::Unknown })
    }

    /// What `outcome` means for a person, if it means anything.
    pub fn consequence(&self, outcome: Outcome) -> Option<&'static str> {
        let effect = self.effect.as_ref()?;
        Some(match outcome {
            Outcome::NotApplied => effect.not_applied,
            Outcome::Unknown => effect.unknown,
            Outcome::Applied => effect.applied,
        })
    }
}

/// Operations of no service, for the tests of what goes by such rows.
#[cfg(test)]
pub(crate) mod examples {
    use super::{Content, Effect, Evidence, Operation, Quota, Repeat};
    use ureq::http::Method;

    const EFFECT: Option<Effect> = Some(Effect {
        not_applied: "nothing was done",
        unknown: "it may have been done",
        applied: "it was done",
    });

    pub(crate) static READ: Operation = Operation {
        method: Method::GET,
        collection: "things",
        sends_credential: true,
        quota: Quota::Reads,
        repeat: Repeat::Always,
        gone: None,
        content: Content::Json,
        evidence: Evidence::Nothing,
        effect: None,
    };

    pub(crate) static MAKE: Operation = Operation {
        method: Method::POST,
        collection: "things",
        sends_credential: true,
        quota: Quota::Writes,
        repeat: Repeat::IfNotApplied,
        gone: None,
        content: Content::Object,
        evidence: Evidence::Object,
        effect: EFFECT,
    };

    /// Without the credential.
    pub(crate) static REPLACE: Operation = Operation {
        method: Method::PUT,
        collection: "things",
        sends_credential: false,
        quota: Quota::Writes,
        repeat: Repeat::Always,
        gone: None,
        content: Content::Json,
        evidence: Evidence::Nothing,
        effect: EFFECT,
    };
}

#[cfg(test)]
mod tests {
    use super::examples::{MAKE, READ, REPLACE};
    use super::*;

    const OBJECT: &[u8] = b" {\"na";

    #[test]
    fn what_reads_has_no_outcome_and_no_consequence() {
        for outcome in [Outcome::NotApplied, Outcome::Unknown, Outcome::Applied] {
            assert_eq!(READ.outcome(outcome), Outcome::NotApplied);
            assert_eq!(READ.consequence(outcome), None);
        }
        assert_eq!(READ.shown_by(OBJECT), Outcome::NotApplied);
    }

    #[test]
    fn what_changes_something_keeps_its_outcome_and_says_what_that_means() {
        for outcome in [Outcome::NotApplied, Outcome::Unknown, Outcome::Applied] {
            assert_eq!(MAKE.outcome(outcome), outcome);
        }
        let effect = MAKE.effect.as_ref().expect("it changes something");
        assert_eq!(MAKE.consequence(Outcome::NotApplied), Some(effect.not_applied));
        assert_eq!(MAKE.consequence(Outcome::Unknown), Some(effect.unknown));
        assert_eq!(MAKE.consequence(Outcome::Applied), Some(effect.applied));
    }

    #[test]
    fn a_body_is_what_the_row_says_or_somebody_elses() {
        // (body, as an object, as JSON, where it does not matter)
        for (body, object, json, nothing) in [
            ("{}", true, true, true),
            ("[1]", false, true, true),
            ("", false, false, true),
            ("<html>", false, false, false),
            (" ", false, false, false),
        ] {
            let is_taken = |content: Content| content.check(body).is_ok();
            let taken = [Content::Object, Content::Json, Content::JsonOrNothing].map(is_taken);
            assert_eq!(taken, [object, json, nothing], "{body:?}");
        }
    }

    #[test]
    fn only_the_evidence_that_the_row_asks_for_shows_that_it_was_applied() {
        assert_eq!(MAKE.shown_by(OBJECT), Outcome::Applied);
        for other in [&b""[..], b"[{}]", b"<html>", b"null"] {
            assert_eq!(MAKE.shown_by(other), Outcome::Unknown, "{other:?}");
        }
        assert_eq!(REPLACE.shown_by(OBJECT), Outcome::Unknown);
    }
}
