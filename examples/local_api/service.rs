//! From a request to its answer: rate limit, faults, path, credentials, method, operation, in this
//! order.
//!
//! Assumed, where api.video publishes nothing:
//! - every request but those to `/auth` counts towards the rate limit, refused and failed ones too;
//!   an answer of `/auth` tells no limit; each part of an upload is one request, of a limit of its own;
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
//! - `problems` are there even if there is only one;
//! - an upload is judged by rate limit, faults and token as it begins, by all else when its body has
//!   come; what is refused is read to its end, too, unless the options say otherwise, and a body that
//!   breaks off changes nothing;
//! - its Content-Range comes before its file, then the video, then what the video has already;
//!   problems with a Content-Range are named after it;
//! - a part whose total is not known yet is not the last: it may not be small; a total may be told by
//!   any part, and equal the highest number that has come;
//! - what an upload brings besides `videoId` and one file is not looked at, and of two `videoId` the
//!   last counts; what is no multipart/form-data has no file;
//! - a source that grows beyond 30 GiB is refused like a file that is too large; how long a video
//!   plays, and how long it waits for the rest of its parts, is not limited;
//! - a video may be made with a title, which has to be there, `description`, `public`, `mp4Support`
//!   and nothing else; it is not encoded, and playable as soon as it is whole.

use hyper::body::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use crate::answer::{self, Answer};
use crate::credentials::Credentials;
use crate::faults::{Fault, Faults};
use crate::ledger::{self, Ledger};
use crate::list_query::{self, ListQuery};
use crate::payload;
use crate::problem::Problem;
use crate::rate_limit::{Allowance, RateLimiter};
use crate::route::{Operation, Resource};
use crate::sizes::Sizes;
use crate::store::{Store, Token};
use crate::upload::Upload;
use crate::videos::{Description, Videos};

pub struct Service {
    credentials: Credentials,
    store: Store,
    rate_limiter: RateLimiter,
    faults: Faults,
    sizes: Sizes,
    videos: Videos,
    ledger: Ledger,
}

type Body = Result<Bytes, Problem>;

/// What is settled before a request's body has come.
pub struct Admission {
    /// It counts towards none otherwise.
    allowance: Option<Allowance>,
    refusal: Option<Problem>,
    loses_answer: bool,
}

impl Admission {
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }
}

impl Service {
    pub fn new(
        credentials: Credentials,
        store: Store,
        rate_limiter: RateLimiter,
        faults: Faults,
        sizes: Sizes,
    ) -> Self {
        Self {
            credentials,
            store,
            rate_limiter,
            faults,
            sizes,
            videos: Videos::default(),
            ledger: Ledger::default(),
        }
    }

    pub fn is_asked_for_ledger<B>(request: &Request<B>) -> bool {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        reads && request.uri().path() == ledger::PATH
    }

    pub fn ledger(&mut self, bytes_in_vain: u64) -> Answer {
        let videos = self.videos.to_ledger();
        let told = self.ledger.to_json(&self.store.values(), videos, bytes_in_vain);
        answer::json(StatusCode::OK, &told)
    }

    pub fn count_connection(&mut self) {
        self.ledger.connections += 1;
    }

    /// Answers a request whose body has come. None if the answer is to be lost.
    pub fn answer(&mut self, request: &Parts, body: Body) -> Option<Answer> {
        let admission = self.admit(request);
        self.finish(admission, |service| service.work(request, body))
    }

    pub fn is_upload(request: &Parts) -> bool {
        Resource::at(request.uri.path()).is_some_and(|it| it.is_upload(&request.method))
    }

    /// Judges an upload by its head. An Authorization beside the token is neither needed nor refused.
    pub fn admit_upload(&mut self, request: &Parts) -> Admission {
        let has_authorization = request.headers.contains_key(AUTHORIZATION);
        self.ledger.uploads_with_authorization += u64::from(has_authorization);
        let mut admission = self.admit(request);
        if admission.refusal.is_none() {
            admission.refusal = self.check_token(request.uri.query()).err();
        }
        admission
    }

    /// Takes what an upload has brought. None if the answer is to be lost.
    pub fn take(
        &mut self,
        admission: Admission,
        upload: Result<Upload, Problem>,
    ) -> Option<Answer> {
        self.finish(admission, |service| service.store(upload?))
    }

    /// Refuses one whose body has not come. None if the answer is to be lost.
    pub fn refuse(&mut self, admission: Admission) -> Option<Answer> {
        self.finish(admission, |_| unreachable!("it is refused"))
    }

    fn admit(&mut self, request: &Parts) -> Admission {
        self.ledger.requests += 1;
        let resource = Resource::at(request.uri.path());
        let limited_as = Resource::limited_as(resource.as_ref(), &request.method);
        let allowance = limited_as.map(|kind| self.rate_limiter.count(kind));
        let granted = allowance.as_ref().is_none_or(|allowance| allowance.granted);
        let fault = if granted { self.faults.draw() } else { None };
        let refusal = if !granted {
            self.ledger.rate_limited += 1;
            Some(Problem::too_many_requests())
        } else if fault == Some(Fault::Failure) {
            self.ledger.failed += 1;
            Some(Problem::server_error())
        } else {
            None
        };
        Admission { allowance, refusal, loses_answer: fault == Some(Fault::AnswerLost) }
    }

    fn finish(
        &mut self,
        admission: Admission,
        work: impl FnOnce(&mut Self) -> Result<Answer, Problem>,
    ) -> Option<Answer> {
        self.ledger.begin_work();
        let outcome = admission.refusal.map_or_else(|| work(self), Err);
        if admission.loses_answer {
            self.ledger.lose_answer();
            return None;
        }
        let mut answer = outcome.unwrap_or_else(Problem::into_answer);
        if let Some(allowance) = admission.allowance {
            allowance.tell(answer.headers_mut());
        }
        Some(answer)
    }

    fn work(&mut self, request: &Parts, body: Body) -> Result<Answer, Problem> {
        let resource = Resource::at(request.uri.path()).ok_or_else(Problem::unrecognized_url)?;
        if resource.needs_credential() {
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
            Some(Operation::CreateVideo) => self.create_video(body),
            Some(Operation::GetVideo(video)) => self.find_video(&video),
            Some(Operation::GetVideoStatus(video)) => self.find_video_status(&video),
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

    fn create_video(&mut self, body: Body) -> Result<Answer, Problem> {
        let video = self.videos.new_video(payload::video(&body?)?);
        let video = self.videos.add(video);
        self.ledger.make_video();
        Ok(answer::json(StatusCode::CREATED, &video.to_json()))
    }

    fn find_video(&self, id: &str) -> Result<Answer, Problem> {
        let video = self.videos.find(id).ok_or_else(Problem::video_not_found)?;
        Ok(answer::json(StatusCode::OK, &video.to_json()))
    }

    fn find_video_status(&self, id: &str) -> Result<Answer, Problem> {
        let video = self.videos.find(id).ok_or_else(Problem::video_not_found)?;
        Ok(answer::json(StatusCode::OK, &video.to_status()))
    }

    fn check_token(&self, query: Option<&str>) -> Result<(), Problem> {
        let token = list_query::value(query.unwrap_or_default(), "token");
        let token = token.ok_or_else(missing_upload_token)?;
        self.store.find(&token).map(|_| ()).ok_or_else(invalid_upload_token)
    }

    fn store(&mut self, upload: Upload) -> Result<Answer, Problem> {
        let Upload { range, video_id, file_name, content } = upload;
        let video = match video_id {
            Some(id) => {
                let video = self.videos.find_mut(&id).ok_or_else(Problem::video_not_found)?;
                video.take(&range, content, &self.sizes)?;
                video
            }
            None => {
                let mut video = self.videos.new_video(Description::of_file(&file_name));
                video.take(&range, content, &self.sizes)?;
                self.videos.add(video)
            }
        };
        self.ledger.store_part();
        Ok(answer::json(StatusCode::CREATED, &video.to_upload_answer()))
    }
}

fn missing_upload_token() -> Problem {
    Problem::unauthorized("authentication-missing-upload-token", "The upload token is missing.")
}

fn invalid_upload_token() -> Problem {
    Problem::unauthorized(
        "authentication-invalid-upload-token",
        "The upload token is invalid or expired.",
    )
}
