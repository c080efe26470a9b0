//! Upload tokens: what one is, and the four operations on them.
//! Source of facts about the service: its OpenAPI document, "Upload Tokens".

use crate::answer::Answer;
use crate::client::Client;
use crate::error::Error;
use crate::json::{self, Object, ObjectSeed, Place, Text};
use crate::page::{self, Pagination, Sink, Walk};
use crate::request::Request;
use crate::send::{CallOptions, send};
use serde::de::MapAccess;
use std::borrow::Cow;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::Method;

/// Where the service keeps them.
const COLLECTION: &str = "upload-tokens";
/// The longest time to live, in seconds.
pub(crate) const LONGEST_TTL: u32 = i32::MAX as u32;
/// The largest page.
pub(crate) const LARGEST_PAGE: u32 = 100;

/// An upload token as the service tells it, borrowed from its answer.
#[derive(Debug)]
pub(crate) struct Token<'de> {
    /// The id and the secret in one.
    pub token: Cow<'de, str>,
    /// Its time to live in seconds, 0 for ever.
    pub ttl_seconds: Option<u32>,
    /// When it was made, in Unix seconds.
    pub created_at: Option<i64>,
    /// When it ends, in Unix seconds.
    pub expires_at: Option<i64>,
}

impl<'de> Object<'de> for Token<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A, place: &Place) -> Result<Self, A::Error> {
        const DATE: &str = "an RFC 3339 date";
        let (mut token, mut ttl_seconds, mut created_at, mut expires_at) = (None, None, None, None);
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "token" => {
                    let accept = |Text(text)| is_usable(&text).then_some(text);
                    let expected = "a non-empty string without NUL";
                    token = Some(place.read(&mut map, "token", expected, accept)?);
                }
                "ttl" => {
                    let accept =
                        |ttl: Option<u32>| ttl.is_none_or(|ttl| ttl <= LONGEST_TTL).then_some(ttl);
                    let expected = "an integer from 0 to 2147483647";
                    ttl_seconds = place.read(&mut map, "ttl", expected, accept)?;
                }
                "createdAt" => {
                    created_at = place.read(&mut map, "createdAt", DATE, unix_seconds)?;
                }
                "expiresAt" => {
                    expires_at = place.read(&mut map, "expiresAt", DATE, unix_seconds)?;
                }
                _ => json::skip(&mut map)?,
            }
        }
        let token = place.require("token", token)?;
        Ok(Token { token, ttl_seconds, created_at, expires_at })
    }
}

/// Whether a token can be told to C, which takes a NUL for the end.
fn is_usable(token: &str) -> bool {
    !token.is_empty() && !token.contains('\0')
}

/// A date that may be absent, in Unix seconds with the fraction floored; `None` if it is no date.
#[expect(clippy::option_option, reason = "the outer one is the verdict, the inner one the value")]
fn unix_seconds(date: Option<Text<'_>>) -> Option<Option<i64>> {
    match date {
        None => Some(None),
        Some(Text(text)) => {
            let date = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
            Some(Some(date.unix_timestamp()))
        }
    }
}

/// By what a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// When a token was made.
    CreatedAt,
    /// How long it is still valid.
    Ttl,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// What to list; `None` leaves it to the service.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListParams {
    /// The page, from 1.
    pub current_page: Option<u32>,
    /// How many tokens a page holds, from 1 to 100.
    pub page_size: Option<u32>,
    pub sort_by: Option<SortBy>,
    pub sort_order: Option<SortOrder>,
}

impl ListParams {
    /// Refuses what the service would.
    pub fn check(&self) -> Result<(), Error> {
        if self.page_size.is_some_and(|size| size > LARGEST_PAGE) {
            return Err(Error::invalid_argument(format_args!(
                "params.page_size must be from 1 to {LARGEST_PAGE}, or 0 for the service's default"
            )));
        }
        Ok(())
    }

    fn request<'a>(&self) -> Result<Request<'a>, Error> {
        self.check()?;
        let mut request = Request::new(Method::GET, COLLECTION);
        if let Some(sort_by) = self.sort_by {
            request = request.query(
                "sortBy",
                match sort_by {
                    SortBy::CreatedAt => "createdAt",
                    SortBy::Ttl => "ttl",
                },
            );
        }
        if let Some(sort_order) = self.sort_order {
            request = request.query(
                "sortOrder",
                match sort_order {
                    SortOrder::Ascending => "asc",
                    SortOrder::Descending => "desc",
                },
            );
        }
        if let Some(page) = self.current_page {
            request = request.query("currentPage", page);
        }
        if let Some(size) = self.page_size {
            request = request.query("pageSize", size);
        }
        Ok(request)
    }
}

/// Makes a token that is valid for `ttl_seconds`, or for ever if that is 0, and hands it to `make`.
pub(crate) fn create<T>(
    client: &Client,
    ttl_seconds: u32,
    options: &CallOptions,
    make: impl FnOnce(&Token<'_>) -> T,
) -> Result<T, Error> {
    if ttl_seconds > LONGEST_TTL {
        return Err(Error::invalid_argument(format_args!(
            "ttl_seconds must be from 0 (never expires) to {LONGEST_TTL}"
        )));
    }
    let payload = format!("{{\"ttl\":{ttl_seconds}}}");
    let request = Request::new(Method::POST, COLLECTION).json(payload.into_bytes());
    decode_token(&send(client, &request, options)?, make)
}

/// Makes a token as the JSON object `payload` asks, and returns the service's answer as it is.
pub(crate) fn create_json(
    client: &Client,
    payload: &str,
    options: &CallOptions,
) -> Result<Vec<u8>, Error> {
    json::check_object(payload).map_err(|why| {
        Error::invalid_argument(format_args!("payload_json must be a JSON object: {why}"))
    })?;
    let request = Request::new(Method::POST, COLLECTION).json(payload.into());
    send(client, &request, options)?.into_checked(json::check)
}

/// Looks up one token and hands it to `make`.
pub(crate) fn get<T>(
    client: &Client,
    token: &str,
    options: &CallOptions,
    make: impl FnOnce(&Token<'_>) -> T,
) -> Result<T, Error> {
    let request = Request::new(Method::GET, COLLECTION).item("token", token)?;
    decode_token(&send(client, &request, options)?, make)
}

/// Looks up one token, and returns the service's answer as it is.
pub(crate) fn get_json(
    client: &Client,
    token: &str,
    options: &CallOptions,
) -> Result<Vec<u8>, Error> {
    let request = Request::new(Method::GET, COLLECTION).item("token", token)?;
    send(client, &request, options)?.into_checked(json::check)
}

/// Lists one page of the active tokens into the sink that `begin` makes for the answer's text.
pub(crate) fn list<S: for<'de> Sink<Token<'de>>>(
    client: &Client,
    params: &ListParams,
    options: &CallOptions,
    begin: impl FnOnce(&str) -> S,
) -> Result<(S, Pagination), Error> {
    let request = params.request()?;
    send(client, &request, options)?.decode(|text| {
        let mut sink = begin(text);
        let pagination = page::decode::<Token<'_>, S>(text, &mut sink)?;
        Ok((sink, pagination))
    })
}

/// Lists one page of the active tokens, and returns the service's answer as it is.
pub(crate) fn list_json(
    client: &Client,
    params: &ListParams,
    options: &CallOptions,
) -> Result<Vec<u8>, Error> {
    let request = params.request()?;
    send(client, &request, options)?.into_checked(json::check)
}

/// Revokes a token.
pub(crate) fn delete(client: &Client, token: &str, options: &CallOptions) -> Result<(), Error> {
    let request = Request::new(Method::DELETE, COLLECTION).item("token", token)?;
    send(client, &request, options).map(drop)
}

fn decode_token<T>(answer: &Answer<'_>, make: impl FnOnce(&Token<'_>) -> T) -> Result<T, Error> {
    answer.decode(|text| {
        let place = Place::default();
        let token = json::decode(text, &place, ObjectSeed::<Token<'_>>::new(&place))?;
        Ok(make(&token))
    })
}

/// The way through all active tokens, page by page.
#[derive(Debug)]
pub(crate) struct TokenPages {
    params: ListParams,
    walk: Walk,
}

impl TokenPages {
    /// Begins at the page that `params` names. Unless the caller sorts, the oldest come first, so
    /// that tokens made meanwhile come last.
    pub fn new(mut params: ListParams) -> Result<Self, Error> {
        params.check()?;
        if params.sort_by.is_none() && params.sort_order.is_none() {
            params.sort_by = Some(SortBy::CreatedAt);
            params.sort_order = Some(SortOrder::Ascending);
        }
        Ok(TokenPages { walk: Walk::starting_at(params.current_page.unwrap_or(0)), params })
    }

    /// What to list next, or `None` at the end. It stays the same until a page has been taken.
    pub fn next(&self) -> Option<ListParams> {
        let page = self.walk.next_page()?;
        Some(ListParams { current_page: (page > 0).then_some(page), ..self.params })
    }

    /// Takes the page that was listed and tells for each of its tokens whether it is a new one.
    pub fn take(&mut self, pagination: &Pagination, tokens: &[&str]) -> Vec<bool> {
        self.walk.take(pagination, tokens)
    }
}
