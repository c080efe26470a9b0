//! The problem document that the service sends with an error (RFC 9457 in shape). Its fields are
//! for people: read leniently, since what the status says holds without them.

use crate::answer::json;
use crate::limits::{LONGEST_TEXT_SHOWN, MOST_PROBLEMS_SHOWN};

/// What a problem document tells; `None` is not told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// A URI for the kind of problem. Its form has changed over the years: treat it as opaque.
    pub kind: Option<String>,
    /// One line about it.
    pub title: Option<String>,
    /// More about it; the service says `detail` or `details`.
    pub detail: Option<String>,
    /// The parameter that it is about.
    pub name: Option<String>,
    /// The HTTP status that it belongs to.
    pub status: Option<u64>,
    /// The single problems of a rejected request.
    pub problems: Vec<Problem>,
}

impl Problem {
    /// What `body` tells, which is nothing if it is no JSON object.
    pub fn parse(body: &[u8]) -> Self {
        let whole = std::str::from_utf8(body).ok().and_then(Document::of);
        let Some(Document { mut problem, problems }) = whole else { return Problem::default() };
        let parts = json::items(problems.unwrap_or_default());
        let parts = parts.iter().filter_map(|part| Document::of(part.get()));
        problem.problems = parts.map(|part| part.problem).collect();
        problem
    }

    /// Whether the service itself says it, of a resource and with this status: whoever stands between
    /// may answer too, with a page, with JSON of its own, or with a problem that no more than repeats
    /// the status.
    pub fn is_of_the_service(&self, status: u16) -> bool {
        /// The end of the kind that says that the path is none of the service's.
        const NO_SUCH_PATH: &str = "unrecognized-request-url";
        let is_its_kind = match self.kind.as_deref() {
            None => self.title.as_ref().is_some_and(|title| !title.is_empty()),
            Some("" | "about:blank") => false,
            // Where its kinds are described has changed over the years, but not by whom.
            Some(kind) => {
                !kind.ends_with(NO_SUCH_PATH)
                    && (!kind.contains("://") || kind.contains("api.video/"))
            }
        };
        is_its_kind && self.status.is_none_or(|told| told == u64::from(status))
    }

    /// The problem in a few words, each text passed through `hide` first, or nothing.
    pub fn summary(&self, hide: impl Fn(String) -> String) -> Option<String> {
        let mut summary = self.in_one_line(&hide);
        // The first of several problems usually repeats the document's own words.
        for text in self.problems.iter().take(MOST_PROBLEMS_SHOWN).map(|it| it.in_one_line(&hide)) {
            if !text.is_empty() && !summary.contains(&text) {
                let separator = if summary.is_empty() { "" } else { "; " };
                summary = format!("{summary}{separator}{text}");
            }
        }
        if self.problems.len() > MOST_PROBLEMS_SHOWN {
            let more = self.problems.len() - MOST_PROBLEMS_SHOWN;
            summary = format!("{summary}; and {more} more");
        }
        (!summary.is_empty()).then_some(summary)
    }

    /// This problem alone: its title and detail, and the parameter in brackets.
    fn in_one_line(&self, hide: impl Fn(String) -> String) -> String {
        // A secret may end in what is trimmed.
        let shown = |text: &String| shorten(hide(text.clone()).trim());
        let texts: Vec<String> =
            [&self.title, &self.detail].into_iter().flatten().map(shown).collect();
        // More will follow where the service ends its sentence.
        let text = texts.join(" ").trim_end_matches('.').to_owned();
        match self.name.as_ref().map(shown) {
            Some(name) if !name.is_empty() => format!("{text} ({name})").trim().to_owned(),
            _ => text,
        }
    }
}

/// A problem, and the single problems that it lists, if any.
struct Document<'de> {
    problem: Problem,
    problems: Option<&'de str>,
}

impl<'de> Document<'de> {
    /// What an object tells; any of its fields may be odd.
    fn of(text: &'de str) -> Option<Self> {
        let (mut problem, mut details, mut problems) = (Problem::default(), None, None);
        let text_of = |value| json::string(value).map(|text| text.into_owned());
        json::each_field(text, &mut |field, value| match field {
            "type" => problem.kind = text_of(value),
            "title" => problem.title = text_of(value),
            "detail" => problem.detail = text_of(value),
            "details" => details = text_of(value),
            "name" => problem.name = text_of(value),
            "status" => problem.status = json::whole(value),
            "problems" => problems = Some(value),
            _ => {}
        })
        .ok()?;
        problem.detail = problem.detail.or(details);
        Some(Document { problem, problems })
    }
}

/// A text of the service's as it goes into a message, which is one line for a person.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_every_problem_is_kept() {
        let problem = Problem::parse(
            br#"{"type":"https://x/invalid","title":"An attribute is invalid.","name":"ttl",
                "status":400,"detail":"Must be positive.",
                "problems":[{"title":"A","name":"a"},{"type":"t","detail":"B"}, 7]}"#,
        );
        assert_eq!(problem.kind.as_deref(), Some("https://x/invalid"));
        assert_eq!(problem.title.as_deref(), Some("An attribute is invalid."));
        assert_eq!(problem.detail.as_deref(), Some("Must be positive."));
        assert_eq!(problem.name.as_deref(), Some("ttl"));
        assert_eq!(problem.status, Some(400));
        assert_eq!(problem.problems.len(), 2);
        assert_eq!(problem.problems[0].name.as_deref(), Some("a"));
        assert_eq!(problem.problems[1].detail.as_deref(), Some("B"));
    }

    #[test]
    fn the_services_own_documents_are_told_from_those_of_others() {
        for body in [
            r#"{"title":"The requested resource was not found."}"#,
            r#"{"type":"https://docs.api.video/reference/resource-not-found","status":404}"#,
            r#"{"type":"https://docs.api.video/problems/resource.not_found","title":"x","name":""}"#,
            r#"{"type":"resource-not-found","title":"Not found","status":404}"#,
        ] {
            assert!(Problem::parse(body.as_bytes()).is_of_the_service(404), "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
            "404 page not found",
            "<html><title>404</title></html>",
            r#"{"title":""}"#,
            r#"{"title":404,"type":null}"#,
            r#"{"message":"no Route matched with those values"}"#,
            r#"{"error":"not found","status":404}"#,
            r#"{"detail":"Not Found"}"#,
            r#"{"timestamp":0,"status":404,"error":"Not Found","path":"/upload-tokens/x"}"#,
            r#"{"type":"about:blank","title":"Not Found","status":404}"#,
            r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.5","title":"Not Found"}"#,
            r#"{"type":"https://docs.api.video/reference/unrecognized-request-url","title":"x"}"#,
            r#"{"title":"The API key is invalid.","status":401}"#,
            r#"[{"title":"The requested resource was not found."}]"#,
            r#"{"title":"The requested resource was not found.""#,
        ] {
            assert!(!Problem::parse(body.as_bytes()).is_of_the_service(404), "{body}");
        }
    }

    #[test]
    fn details_is_read_as_detail() {
        assert_eq!(Problem::parse(br#"{"details":"Why"}"#).detail.as_deref(), Some("Why"));
    }

    #[test]
    fn what_is_no_problem_document_tells_nothing() {
        for body in ["", "<html>", "[]", "null", "\"x\"", "{", "\u{0}"] {
            assert_eq!(Problem::parse(body.as_bytes()), Problem::default(), "{body:?}");
        }
    }

    #[test]
    fn fields_of_another_type_are_not_told() {
        let problem = Problem::parse(br#"{"title":5,"detail":null,"name":"n","problems":{}}"#);
        assert_eq!(problem, Problem { name: Some("n".into()), ..Problem::default() });
    }

    #[test]
    fn a_summary_stays_one_that_a_person_reads() {
        let long = "x".repeat(1000);
        let problem = Problem {
            title: Some(long.clone()),
            problems: (0..1000)
                .map(|number| Problem { name: Some(format!("p{number}")), ..Problem::default() })
                .collect(),
            ..Problem::default()
        };
        let summary = problem.summary(|text| text).expect("there is something to say");
        assert!(summary.len() < 300, "{summary}");
        assert!(summary.ends_with("…; (p0); (p1); (p2); (p3); and 996 more"), "{summary}");
    }

    #[test]
    fn the_summary_names_each_parameter_once() {
        let problem = Problem::parse(
            br#"{"title":"Out of range.","name":"page","problems":[
                {"title":"Out of range.","name":"page"},{"title":"Out of range.","name":"pageSize"}]}"#,
        );
        assert_eq!(
            problem.summary(|text| text).as_deref(),
            Some("Out of range (page); Out of range (pageSize)")
        );
    }
}
