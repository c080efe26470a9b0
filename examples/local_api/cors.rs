//! What a browser wants to hear before it lets a page of another origin call, and on each answer
//! before it lets that page read it. Any origin may: what is here is for tests, and on this machine.

use hyper::Method;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderValue,
};

use crate::answer::{self, Answer};
use crate::route::Resource;

/// What the official clients send besides what every page may. A `*` would not cover the first.
const REQUEST_HEADERS: &str =
    "Authorization, Content-Type, Content-Range, AV-Origin-Client, AV-Origin-App, AV-Origin-Sdk";
const ANSWER_HEADERS: &str =
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Retry-After, Retry-After";
const MAX_AGE_SECONDS: u32 = 3600;

pub fn is_preflight(method: &Method) -> bool {
    *method == Method::OPTIONS
}

/// For an unknown path too: a page would not be told of its 404 otherwise.
pub fn preflight(path: &str) -> Answer {
    let methods = Resource::at(path).map_or("GET, POST, DELETE", |resource| resource.methods());
    let mut answer = answer::no_content();
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS.into());
    answer
}

pub fn let_read(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
}
