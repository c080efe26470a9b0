//! From a request to its answer: rate limit, path, credentials, method, operation, in this order.
//!
//! Assumed, where api.video publishes nothing:
//! - every request counts towards the rate limit, refused ones too;
//! - a 401 comes before a 405 and before the 404 of a token, but after that of an unknown path;
//! - a POST must be of type `application/json` (else a 400), its body at most 64 KiB (else a 413);
//! - query parameters that are not known are ignored, but kept in the links: refusing them is
//!   published for analytics only;
//! - a repeated parameter counts the last time; a page or size that is no integer is a 400;
//! - tokens are listed newest first; `sortBy` without `sortOrder` is descending too;
//! - no tokens make 0 pages, whose `first` and `last` link is page 1;
//! - `problems` are there even if there is only one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::credentials::Credentials;
use crate::list_query::ListQuery;
use crate::payload;
use crate::problem::Problem;
use crate::rate_limit::RateLimiter;
use crate::store::{Store, Token};

const BODY_LIMIT: usize = 64 * 1024;

pub struct Service {
    credentials: Credentials,
    store: Mutex<Store>,
    rate_limiter: Mutex<RateLimiter>,
    latency: Duration,
}

enum Route {
    Tokens,
    Token(String),
}

impl Service {
    pub fn new(
        credentials: Credentials,
        store: Store,
        rate_limiter: RateLimiter,
        latency: Duration,
    ) -> Self {
        Self {
            credentials,
            store: Mutex::new(store),
            rate_limiter: Mutex::new(rate_limiter),
            latency,
        }
    }

    pub async fn answer(&self, request: Request<Incoming>) -> Answer {
        let allowance = lock(&self.rate_limiter).count(request.method());
        let outcome = if allowance.granted {
            self.work(request).await
        } else {
            Err(Problem::too_many_requests())
        };
        let mut answer = outcome.unwrap_or_else(Problem::into_answer);
        allowance.tell(answer.headers_mut());
        if !self.latency.is_zero() {
            // After the work, so that a client which gives up waiting has made its token all the
            // same: the case that is worth testing.
            tokio::time::sleep(self.latency).await;
        }
        answer
    }

    async fn work(&self, request: Request<Incoming>) -> Result<Answer, Problem> {
        let route = route(request.uri().path()).ok_or_else(Problem::unrecognized_url)?;
        self.credentials.check(request.headers())?;
        match (route, request.method()) {
            (Route::Tokens, &Method::GET) => self.list(request.uri().query()),
            (Route::Tokens, &Method::POST) => self.create(request).await,
            (Route::Tokens, _) => Err(Problem::method_not_allowed("GET, POST")),
            (Route::Token(token), &Method::GET) => self.find(&token),
            (Route::Token(token), &Method::DELETE) => self.delete(&token),
            (Route::Token(_), _) => Err(Problem::method_not_allowed("GET, DELETE")),
        }
    }

    fn list(&self, query: Option<&str>) -> Result<Answer, Problem> {
        let query = ListQuery::parse(query.unwrap_or_default())?;
        let page = lock(&self.store).page(&query);
        Ok(answer::json(
            StatusCode::OK,
            &json!({
                "data": page.tokens.iter().map(Token::to_json).collect::<Vec<_>>(),
                "pagination": {
                    "currentPage": query.current_page,
                    "currentPageItems": page.tokens.len(),
                    "pageSize": query.page_size,
                    "pagesTotal": page.pages_total,
                    "itemsTotal": page.items_total,
                    "links": query.links(page.pages_total),
                },
            }),
        ))
    }

    async fn create(&self, request: Request<Incoming>) -> Result<Answer, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::invalid_payload(
                StatusCode::BAD_REQUEST,
                r#"The "Content-Type" header must be "application/json"."#,
            ));
        }
        let body = read(request.into_body()).await?;
        let ttl = payload::ttl(&body)?;
        let token = lock(&self.store).create(ttl);
        Ok(answer::json(StatusCode::OK, &token.to_json()))
    }

    fn find(&self, token: &str) -> Result<Answer, Problem> {
        let store = lock(&self.store);
        let token = store.find(token).ok_or_else(Problem::token_not_found)?;
        Ok(answer::json(StatusCode::OK, &token.to_json()))
    }

    fn delete(&self, token: &str) -> Result<Answer, Problem> {
        if !lock(&self.store).delete(token) {
            return Err(Problem::token_not_found());
        }
        Ok(answer::no_content())
    }
}

fn route(path: &str) -> Option<Route> {
    let rest = path.strip_prefix("/upload-tokens")?;
    if rest.is_empty() {
        return Some(Route::Tokens);
    }
    let segment = rest.strip_prefix('/')?;
    if segment.is_empty() || segment.contains('/') {
        return None;
    }
    // What is not UTF-8 is no token either: the lossy form is not found just the same.
    let token = percent_decode_str(segment).decode_utf8_lossy();
    Some(Route::Token(token.into_owned()))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Incoming) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::invalid_payload(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The payload is too large.",
        )),
        Err(_) => Err(Problem::invalid_payload(
            StatusCode::BAD_REQUEST,
            "The payload ends before its announced length.",
        )),
    }
}

/// A panic in one request must not take the others' tokens away with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
