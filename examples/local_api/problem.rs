//! The error bodies, in the shapes and with the words that api.video publishes: `type`, `title`,
//! `status`, and for parameters, fields and files `name`, `detail`, `range` and a list of `problems`.

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue};
use serde_json::{Value, json};

use crate::answer::{self, Answer};

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    body: Value,
    allowed_methods: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, page: &str, title: &str) -> Self {
        Self {
            status,
            body: json!({ "type": reference(page), "title": title, "status": status.as_u16() }),
            allowed_methods: None,
        }
    }

    pub fn unauthorized(page: &str, title: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, page, title)
    }

    /// Published as a 400, and with an empty name.
    pub fn incorrect_user_credentials() -> Self {
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            "authentication-invalid-user-credentials",
            "The user credentials were incorrect.",
        );
        problem.body["name"] = json!("");
        problem
    }

    pub fn unrecognized_url() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unrecognized-request-url", "Unrecognized request URL.")
    }

    pub fn token_not_found() -> Self {
        Self::not_found("uploadToken")
    }

    pub fn video_not_found() -> Self {
        Self::not_found("videoId")
    }

    fn not_found(name: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::NOT_FOUND,
            "resource-not-found",
            "The requested resource was not found.",
        );
        problem.body["name"] = json!(name);
        problem
    }

    pub fn method_not_allowed(allowed_methods: &'static str) -> Self {
        Self {
            allowed_methods: Some(allowed_methods),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method is not allowed for this route.",
            )
        }
    }

    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests.")
    }

    pub fn server_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server-error", "Server error")
    }

    pub fn invalid_payload(status: StatusCode, detail: &str) -> Self {
        let mut problem = Self::new(status, "invalid-payload", "The payload is invalid.");
        problem.body["detail"] = json!(detail);
        problem
    }

    /// If there are any.
    pub fn refuse(violations: impl IntoIterator<Item = Violation>) -> Result<(), Self> {
        let mut violations = violations.into_iter();
        violations.next().map_or(Ok(()), |first| Err(Self::refused(first, violations)))
    }

    /// A 400 that says what the first violation says, and lists them all.
    pub fn refused(first: Violation, others: impl IntoIterator<Item = Violation>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        let mut body = first.0.clone();
        body["status"] = json!(status.as_u16());
        body["problems"] =
            std::iter::once(first).chain(others).map(|violation| violation.0).collect();
        Self { status, body, allowed_methods: None }
    }

    pub fn into_answer(self) -> Answer {
        let mut answer = answer::json(self.status, &self.body);
        if let Some(methods) = self.allowed_methods {
            let methods = HeaderValue::from_static(methods);
            answer.headers_mut().insert(ALLOW, methods);
        }
        answer
    }
}

/// One thing that is wrong with a query parameter, a field of the payload, or what is uploaded.
#[derive(Debug)]
pub struct Violation(Value);

impl Violation {
    /// Published without a `type`, unlike all others.
    pub fn out_of_range(name: &str, range: Value) -> Self {
        Self(json!({
            "title": "This parameter is out of the allowed range of values.",
            "name": name,
            "range": range,
        }))
    }

    pub fn invalid_attribute(name: &str, detail: &str) -> Self {
        Self(json!({
            "type": reference("invalid-attribute"),
            "title": "An attribute is invalid.",
            "name": name,
            "detail": detail,
        }))
    }

    pub fn missing_attribute(name: &str) -> Self {
        Self(json!({
            "type": reference("attribute-required"),
            "title": "This attribute is required.",
            "name": name,
        }))
    }

    /// `page` without what the names of all pages about files begin with.
    pub fn uploaded_file(page: &str, title: &str) -> Self {
        Self::upload(&format!("uploaded-file-{page}"), "file", title)
    }

    pub fn file_too_large(of_what: &str, most: u64) -> Self {
        Self::uploaded_file("too-large", "The uploaded file is too large.")
            .with_detail(format!("The maximum size of {of_what} is {most} bytes."))
    }

    pub fn upload(page: &str, name: &str, title: &str) -> Self {
        Self(json!({ "type": reference(page), "title": title, "name": name }))
    }

    pub fn with_detail(mut self, detail: String) -> Self {
        self.0["detail"] = json!(detail);
        self
    }

    pub fn invalid_query_parameter(name: &str, detail: &str) -> Self {
        Self(json!({
            "type": reference("request-invalid-query-parameter"),
            "title": "A query parameter is invalid.",
            "name": name,
            "detail": detail,
        }))
    }
}

fn reference(page: &str) -> String {
    format!("https://docs.api.video/reference/{page}")
}
