//! Doors for the fuzzers in `fuzz/`, which are there with `--cfg fuzzing` alone: the parts that read
//! what a service says, and the way a token takes into a path, without a network between.
#![allow(missing_docs, reason = "for the targets in fuzz/, which say what they do")]

use crate::answer::json;
use crate::answer::page::{self, Pagination, Sink};
use crate::answer::problem::Problem;
use crate::call::rate_limit::RateLimit;
use crate::call::request::Request;
use crate::client::Client;
use crate::tokens::{self, Token};
use crate::upload::multipart::{Boundary, Frame};
use crate::upload::plan::Sizes;
use crate::upload::state::{self, State};
use crate::upload::video::Video;
use std::sync::OnceLock;
use std::time::Duration;
use ureq::http::HeaderMap;

/// A token's text, time to live, and when it was made and ends.
pub type Told = (String, Option<u32>, Option<i64>, Option<i64>);
/// The tokens of a page, and its number, the pages, its size and the items in all.
pub type Page = (Vec<Told>, [u64; 4]);

pub fn token(text: &str) -> Result<Told, String> {
    json::object_in_any_form(text).map(told)
}

pub fn page(text: &str) -> Result<Page, String> {
    let mut tokens = Tokens::default();
    page::decode::<Token<'_>, _>(text, &mut tokens).map(|pagination| tokens.page(pagination))
}

pub fn page_any(text: &str) -> Result<Page, String> {
    let mut tokens = Tokens::default();
    page::decode_any::<Token<'_>, _>(text, &mut tokens).map(|pagination| tokens.page(pagination))
}

pub fn page_plain(text: &str) -> Option<Page> {
    let mut tokens = Tokens::default();
    page::decode_plain::<Token<'_>, _>(text, &mut tokens).map(|pagination| tokens.page(pagination))
}

pub fn check(text: &str) -> Result<(), String> {
    json::check(text)
}

/// Whether a text is one JSON value, however deep and large its parts are.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

pub fn check_object(text: &str) -> Result<(), String> {
    json::check_object(text)
}

/// A problem's single problems, and its summary.
pub fn problem(body: &[u8]) -> (usize, Option<String>) {
    let problem = Problem::parse(body);
    (problem.problems.len(), problem.summary(|text| text))
}

pub fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    crate::call::retry_after::told(status, headers)
}

/// The limit, what remains of it, and the seconds until it is whole again.
pub fn rate_limit(headers: &HeaderMap) -> [Option<u64>; 3] {
    let RateLimit { limit, remaining, reset_seconds } = RateLimit::of(headers);
    [limit, remaining, reset_seconds]
}

/// The path that a token is asked for at, unless it is refused.
pub fn path(token: &str) -> Result<String, String> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| Client::for_test("http://127.0.0.1:1/prefix"));
    let request = Request::new(&tokens::GET).secret_item("token", token);
    let request = request.and_then(|request| request.to_http(client, ()));
    request.map(|request| request.uri().to_string()).map_err(|error| error.to_string())
}

/// The state that a text tells, as text again.
pub fn upload_state(text: &str) -> Result<Option<String>, String> {
    State::parse(text, &Sizes::OF_THE_SERVICE).map(|state| state.to_text())
}

/// The text with the checksum that it lacks.
pub fn with_checksum(text: &str) -> String {
    state::with_checksum(text)
}

/// The boundary of a part's payload, and what stands before the bytes of a file and after them, unless the
/// video's id is none.
pub fn upload_frame(video_id: Option<&str>, file_name: &str) -> Option<[String; 3]> {
    if !video_id.is_none_or(state::is_video_id) {
        return None;
    }
    let boundary = Boundary::random().ok()?;
    let content_type = boundary.content_type().ok()?.to_str().ok()?.to_owned();
    let value = content_type.strip_prefix("multipart/form-data; boundary=")?;
    let Frame { head, tail } = Frame::new(&boundary, video_id, file_name);
    Some([value.to_owned(), head, tail])
}

/// An uploaded video's id and title, and whether more than its id is told.
pub fn uploaded_video(text: &str) -> Result<(String, Option<String>, bool), String> {
    let video = Video::parse(text)?;
    Ok((video.id.into_owned(), video.title.map(Into::into), video.is_described))
}

fn told(token: Token<'_>) -> Told {
    (token.token.into_owned(), token.ttl_seconds, token.created_at, token.expires_at)
}

#[derive(Default)]
struct Tokens(Vec<Told>);

impl Tokens {
    fn page(self, told: Pagination) -> Page {
        let [page, pages, size] = [told.current_page, told.pages_total, told.page_size];
        (self.0, [page.into(), pages.into(), size.into(), told.items_total])
    }
}

impl Sink<Token<'_>> for Tokens {
    fn clear(&mut self) {
        self.0.clear();
    }
    fn push(&mut self, token: Token<'_>) {
        self.0.push(told(token));
    }
}
