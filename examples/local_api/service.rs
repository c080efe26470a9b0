//! From a request to its answer: rate limit, faults, path, credentials, method, operation, in this
//! order.
//!
//! Assumed, where api.video publishes nothing:
//! - every request but those to `/auth` counts towards the rate limit, refused and failed ones too;
//!   an answer of `/auth` tells no limit;
//! - the `type` of a 500 ends in `server-error`;
//! - a 401 comes before a 405 and before the 404 of a token, but after that of an unknown path;
//! - a payload is JSON whatever `Content-Type` says, as one client sends it, and at most 64 KiB (else
//!   a 413);
//! - an integer has neither fraction nor exponent; one beyond 64 bits is out of range;
//! - a refresh token does not expire and may be used again, and a refresh ends no access token;
//! - what `/auth` is sent that is no text in the one field is refused like any other payload;
//! - HEAD is GET without its body; OPTIONS, a browser's preflight, is allowed on every path, counts
//!   nowhere, and what it tells is meant for pages of every origin;
//! - a list with a query parameter that is not known is refused, as published for analytics;
//! - a repeated parameter counts the last time; a page or size that is no integer is a 400;
//! - tokens are listed newest first; `sortBy` without `sortOrder` is descending too;
//! - no tokens make 0 pages, whose `first` and `last` link is page 1;
//! - `problems` are there even if there is only one.

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use crate::answer::{self, Answer};
use crate::credentials::Credentials;
use crate::faults::{Fault, Faults};
use crate::ledger::{self, Ledger};
use crate::list_query::ListQuery;
use crate::payload;
use crate::problem::Problem;
use crate::rate_limit::RateLimiter;
use crate::route::{Operation, Resource};
use crate::store::{Store, Token};

pub struct Service {
    credentials: Credentials,
    store: Store,
    rate_limiter: RateLimiter,
    faults: Faults,
    ledger: Ledger,
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
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        reads && request.uri().path() == ledger::PATH
    }

    pub fn ledger(&mut self) -> Answer {
        answer::json(StatusCode::OK, &self.ledger.to_json(&self.store.values()))
    }

    pub fn count_connection(&mut self) {
        self.ledger.connections += 1;
    }

    /// None if the answer is to be lost.
    pub fn answer(&mut self, request: &Parts, body: Body) -> Option<Answer> {
        self.ledger.begin_request();
        let resource = Resource::at(request.uri.path());
        let unlimited = resource.as_ref().is_some_and(Resource::is_authentication);
        let allowance = (!unlimited).then(|| self.rate_limiter.count(&request.method));
        let granted = allowance.as_ref().is_none_or(|allowance| allowance.granted);
        let fault = if granted { self.faults.draw() } else { None };
        let outcome = if !granted {
            self.ledger.rate_limited += 1;
            Err(Problem::too_many_requests())
        } else if fault == Some(Fault::Failure) {
            self.ledger.failed += 1;
            Err(Problem::server_error())
        } else {
            self.work(resource, request, body)
        };
        if fault == Some(Fault::AnswerLost) {
            self.ledger.lose_answer();
            return None;
        }
        let mut answer = outcome.unwrap_or_else(Problem::into_answer);
        if let Some(allowance) = allowance {
            allowance.tell(answer.headers_mut());
        }
        Some(answer)
    }

    fn work(
        &mut self,
        resource: Option<Resource>,
        request: &Parts,
        body: Body,
    ) -> Result<Answer, Problem> {
        let resource = resource.ok_or_else(Problem::unrecognized_url)?;
        if !resource.is_authentication() {
            self.credentials.check(&request.headers)?;
        }
        let methods = resource.methods();
        match resource.operation(&request.method) {
            Some(Operation::ListTokens) => self.list(request.uri.query()),
            Some(Operation::CreateToken) => self.create(body),
            Some(Operation::GetToken(token)) => self.find(&token),
            Some(Operation::DeleteToken(token)) => self.delete(&token),
            Some(Operation::LogIn) => self.log_in(body),
            Some(Operation::Refresh) => self.refresh(body),
            None => Err(Problem::method_not_allowed(methods)),
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
        self.ledger.create();
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
        self.ledger.delete();
        Ok(answer::no_content())
    }

    fn log_in(&mut self, body: Body) -> Result<Answer, Problem> {
        let grant = self.credentials.log_in(&payload::text(&body?, "apiKey")?)?;
        Ok(answer::json(StatusCode::OK, &grant))
    }

    fn refresh(&mut self, body: Body) -> Result<Answer, Problem> {
        let grant = self.credentials.refresh(&payload::text(&body?, "refreshToken")?)?;
        Ok(answer::json(StatusCode::OK, &grant))
    }
}
