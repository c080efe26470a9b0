//! The problem document that the service sends with an error (RFC 9457 in shape). Its fields are
//! for people: read leniently, since what the status says holds without them.

use serde_json::Value;

/// How many single problems a summary tells of.
const MOST_SHOWN: usize = 4;
/// How many characters of a text of the service's go into a message.
const LONGEST_SHOWN: usize = 200;

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
    /// The single problems of a rejected request.
    pub problems: Vec<Problem>,
}

impl Problem {
    /// What `body` tells, which is nothing if it is no JSON object.
    pub fn parse(body: &[u8]) -> Self {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return Problem::default();
        };
        let mut problem = Problem::of(&object);
        if let Some(Value::Array(problems)) = object.get("problems") {
            problem.problems =
                problems.iter().filter_map(Value::as_object).map(Problem::of).collect();
        }
        problem
    }

    fn of(object: &serde_json::Map<String, Value>) -> Self {
        let text = |key| object.get(key).and_then(Value::as_str).map(str::to_owned);
        Problem {
            kind: text("type"),
            title: text("title"),
            detail: text("detail").or_else(|| text("details")),
            name: text("name"),
            problems: Vec::new(),
        }
    }

    /// The problem in a few words, each text passed through `hide` first, or nothing.
    pub fn summary(&self, hide: impl Fn(String) -> String) -> Option<String> {
        let mut summary = self.in_one_line(&hide);
        // The first of several problems usually repeats the document's own words.
        for text in self.problems.iter().take(MOST_SHOWN).map(|it| it.in_one_line(&hide)) {
            if !text.is_empty() && !summary.contains(&text) {
                let separator = if summary.is_empty() { "" } else { "; " };
                summary = format!("{summary}{separator}{text}");
            }
        }
        if self.problems.len() > MOST_SHOWN {
            let more = self.problems.len() - MOST_SHOWN;
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

/// A text of the service's as it goes into a message, which is one line for a person.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
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
        assert_eq!(problem.problems.len(), 2);
        assert_eq!(problem.problems[0].name.as_deref(), Some("a"));
        assert_eq!(problem.problems[1].detail.as_deref(), Some("B"));
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
