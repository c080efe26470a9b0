//! From a request to its answer: rate limit, faults, path, credentials, method, operation, in this
//! order.
//!
//! Assumed, where api.video publishes nothing:
//! - every request counts towards the rate limit, refused and failed ones too;
//! - the `type` of a 500 ends in `server-error`;
//! - a 401 comes before a 405 and before the 404 of a token, but after that of an unknown path;
//! - a payload is JSON whatever `Content-Type` says, as one client sends it, and at most 64 KiB (else
//!   a 413);
//! - an integer has neither fraction nor exponent; one beyond 64 bits is out of range;
//! - a list with a query parameter that is not known is refused, as published for analytics;
//! - a repeated parameter counts the last time; a page or size that is no integer is a 400;
//! - tokens are listed newest first; `sortBy` without `sortOrder` is descending too;
//! - no tokens make 0 pages, whose `first` and `last` link is page 1;
//! - `problems` are there even if there is only one.

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::credentials::Credentials;
use crate::faults::{Fault, Faults};
use crate::ledger::{self, Ledger};
use crate::list_query::ListQuery;
use crate::payload;
use crate::problem::Problem;
use crate::rate_limit::RateLimiter;
use crate::store::{Store, Token};

pub struct Service {
    credentials: Credentials,
    store: Store,
    rate_limiter: RateLimiter,
    faults: Faults,
    ledger: Ledger,
}

enum Route {
    Tokens,
    Token(String),
}

type Body = Result<Bytes, Problem>;

impl Service {
    pub fn new(
        credentials: Credentials,
        store: Store,
        rate_limiter: RateLimiter,
        faults: Faults,
    ) -> Self {
        Self { credentials, store, rate_limiter, faults, ledger: Ledger::default() }
    }

    pub fn is_asked_for_ledger<B>(request: &Request<B>) -> bool {
        request.method() == Method::GET && request.uri().path() == ledger::PATH
    }

    pub fn ledger(&mut self) -> Answer {
        answer::json(StatusCode::OK, &self.ledger.to_json(&self.store.values()))
    }

    pub fn count_connection(&mut self) {
        self.ledger.connections += 1;
    }

    /// None if the answer is to be lost.
    pub fn answer(&mut self, request: &Parts, body: Body) -> Option<Answer> {
        self.ledger.requests += 1;
        let allowance = self.rate_limiter.count(&request.method);
        let fault = if allowance.granted { self.faults.draw() } else { None };
        let outcome = if !allowance.granted {
            self.ledger.rate_limited += 1;
            Err(Problem::too_many_requests())
        } else if fault == Some(Fault::Failure) {
            self.ledger.failed += 1;
            Err(Problem::server_error())
        } else {
            self.work(request, body)
        };
        if fault == Some(Fault::AnswerLost) {
            self.ledger.lose_answer(&request.method, outcome.is_ok());
            return None;
        }
        let mut answer = outcome.unwrap_or_else(Problem::into_answer);
        allowance.tell(answer.headers_mut());
        Some(answer)
    }

    fn work(&mut self, request: &Parts, body: Body) -> Result<Answer, Problem> {
        let route = route(request.uri.path()).ok_or_else(Problem::unrecognized_url)?;
        self.credentials.check(&request.headers)?;
        match (route, &request.method) {
            (Route::Tokens, &Method::GET) => self.list(request.uri.query()),
            (Route::Tokens, &Method::POST) => self.create(body),
            (Route::Tokens, _) => Err(Problem::method_not_allowed("GET, POST")),
            (Route::Token(token), &Method::GET) => self.find(&token),
            (Route::Token(token), &Method::DELETE) => self.delete(&token),
            (Route::Token(_), _) => Err(Problem::method_not_allowed("GET, DELETE")),
        }
    }

    fn list(&mut self, query: Option<&str>) -> Result<Answer, Problem> {
        let query = ListQuery::parse(query.unwrap_or_default())?;
        let page = self.store.page(&query);
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

    fn create(&mut self, body: Body) -> Result<Answer, Problem> {
        let ttl = payload::ttl(&body?)?;
        let token = self.store.create(ttl);
        self.ledger.created += 1;
        Ok(answer::json(StatusCode::OK, &token.to_json()))
    }

    fn find(&self, token: &str) -> Result<Answer, Problem> {
        let token = self.store.find(token).ok_or_else(Problem::token_not_found)?;
        Ok(answer::json(StatusCode::OK, &token.to_json()))
    }

    fn delete(&mut self, token: &str) -> Result<Answer, Problem> {
        if !self.store.delete(token) {
            return Err(Problem::token_not_found());
        }
        self.ledger.deleted += 1;
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
