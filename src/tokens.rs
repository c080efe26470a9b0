//! Upload tokens: what one is, and the four operations on them.
//! Source of facts about the service: its OpenAPI document, "Upload Tokens".

use crate::answer::Answer;
use crate::answer::body::Body;
use crate::answer::date::unix_seconds;
use crate::answer::json::{self, Field, JsonPath, Object, Text};
use crate::answer::page::{self, Pager, Pagination, Sink};
use crate::answer::plain;
use crate::call::operation::{Content, Effect, Evidence, Operation, Quota, Repeat};
use crate::call::options::CallOptions;
use crate::call::payload::Payload;
use crate::call::request::Request;
use crate::call::run::send;
use crate::client::Client;
use crate::error::Error;
use serde::de::MapAccess;
use std::borrow::Cow;
use ureq::http::Method;

/// Where the service keeps them.
const COLLECTION: &str = "upload-tokens";

/// Makes a token: each time another one.
pub(crate) static CREATE: Operation = Operation {
    method: Method::POST,
    collection: COLLECTION,
    sends_credential: true,
    quota: Quota::Writes,
    repeat: Repeat::IfNotApplied,
    gone: None,
    content: Content::Object,
    evidence: Evidence::Object,
    effect: Some(Effect {
        not_applied: "nothing was changed",
        unknown: "it may have been created, look before you create another",
        applied: "it was created, look for it before you create another",
    }),
};

/// Looks up one token.
pub(crate) static GET: Operation = Operation {
    method: Method::GET,
    collection: COLLECTION,
    sends_credential: true,
    quota: Quota::Reads,
    repeat: Repeat::Always,
    gone: None,
    content: Content::Json,
    evidence: Evidence::Nothing,
    effect: None,
};

/// Lists the active tokens, page by page.
pub(crate) static LIST: Operation = Operation {
    method: Method::GET,
    collection: COLLECTION,
    sends_credential: true,
    quota: Quota::Reads,
    repeat: Repeat::Always,
    gone: None,
    content: Content::Json,
    evidence: Evidence::Nothing,
    effect: None,
};

/// Revokes a token, of which the service says nothing in particular.
pub(crate) static DELETE: Operation = Operation {
    method: Method::DELETE,
    collection: COLLECTION,
    sends_credential: true,
    quota: Quota::Writes,
    repeat: Repeat::Always,
    gone: Some("deleted by an earlier attempt"),
    content: Content::JsonOrNothing,
    evidence: Evidence::Nothing,
    effect: Some(Effect {
        not_applied: "nothing was changed",
        unknown: "it may have been deleted, deleting it again does no harm",
        applied: "it was deleted, deleting it again does no harm",
    }),
};

/// The longest time to live, in seconds.
pub(crate) const LONGEST_TTL: u32 = i32::MAX as u32;
/// The largest page.
pub(crate) const LARGEST_PAGE: u32 = 100;

/// An upload token as the service tells it, borrowed from its answer. It is a secret, and has no Debug.
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

static FIELDS: [&str; 4] = ["token", "ttl", "createdAt", "expiresAt"];
static TOKEN: Field = Field { name: "token", expected: json::NAME };

impl<'de> Object<'de> for Token<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A, path: &JsonPath) -> Result<Self, A::Error> {
        // What may be absent does not spoil the rest if it cannot be read: it is not told then.
        let date = |value: &str| unix_seconds(&json::string(value)?);
        let (mut token, mut ttl_seconds, mut created_at, mut expires_at) = (None, None, None, None);
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "token" => {
                    let accept = |Text(text)| json::names_something(&text).then_some(text);
                    token = Some(path.read(&mut map, &TOKEN, accept)?);
                }
                "ttl" => {
                    let ttl = json::whole(json::raw(&mut map)?);
                    let ttl = ttl.and_then(|ttl| u32::try_from(ttl).ok());
                    ttl_seconds = ttl.filter(|ttl| *ttl <= LONGEST_TTL);
                }
                "createdAt" => created_at = date(json::raw(&mut map)?),
                "expiresAt" => expires_at = date(json::raw(&mut map)?),
                _ => json::skip(&mut map)?,
            }
        }
        let token = path.require(&TOKEN, token)?;
        Ok(Token { token, ttl_seconds, created_at, expires_at })
    }

    #[inline(always)] // it has two callers, of which one calls it by the hundred
    fn from_plain(text: &'de str) -> Option<(Self, &'de str)> {
        let (token, rest) = plain::string(text.strip_prefix(r#"{"token":""#)?)?;
        let (ttl, rest) = plain::integer(rest.strip_prefix(r#","ttl":"#)?)?;
        let (created_at, rest) = plain::date(rest.strip_prefix(r#","createdAt":""#)?)?;
        let (expires_at, rest) = plain::date(rest.strip_prefix(r#"","expiresAt":""#)?)?;
        let rest = match rest.strip_prefix("\"}") {
            Some(rest) => rest,
            // Fields of a later API come behind those of today.
            None => plain::other_fields(rest.strip_prefix('"')?, &FIELDS)?,
        };
        let token = Token {
            token: Cow::Borrowed(token),
            ttl_seconds: Some(ttl),
            created_at: Some(created_at),
            expires_at: Some(expires_at),
        };
        (!token.token.is_empty() && ttl <= LONGEST_TTL).then_some((token, rest))
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
        let mut request = Request::new(&LIST);
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
            request = request.query_number("currentPage", page);
        }
        if let Some(size) = self.page_size {
            request = request.query_number("pageSize", size);
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
    let request = Request::new(&CREATE).with(Payload::Json(payload.into_bytes()));
    decode_token(&send(client, &request, options)?, None, make)
}

/// Makes a token as the JSON object `payload` asks, and returns the service's answer as it is.
pub(crate) fn create_json(
    client: &Client,
    payload: &str,
    options: &CallOptions,
) -> Result<Body, Error> {
    json::check_object(payload).map_err(|why| {
        Error::invalid_argument(format_args!("payload_json must be a JSON object: {why}"))
    })?;
    let request = Request::new(&CREATE).with(Payload::Json(payload.into()));
    send(client, &request, options)?.into_body()
}

/// Looks up one token and hands it to `make`.
pub(crate) fn get<T>(
    client: &Client,
    token: &str,
    options: &CallOptions,
    make: impl FnOnce(&Token<'_>) -> T,
) -> Result<T, Error> {
    let request = Request::new(&GET).secret_item("token", token)?;
    decode_token(&send(client, &request, options)?, Some(token), make)
}

/// Looks up one token, and returns the service's answer as it is, unless it is about another token.
pub(crate) fn get_json(client: &Client, token: &str, options: &CallOptions) -> Result<Body, Error> {
    let request = Request::new(&GET).secret_item("token", token)?;
    let answer = send(client, &request, options)?;
    // What is no token here may be more to the caller.
    answer.decode(|text| json::object(text).map_or(Ok(()), |found| must_be(&found, token)))?;
    answer.into_body()
}

/// Lists one page of the active tokens into the sink that `begin` makes for the answer's text, and
/// that `finish` makes something of, unless it complains about the page.
pub(crate) fn list<S: for<'de> Sink<Token<'de>>, T>(
    client: &Client,
    params: &ListParams,
    options: &CallOptions,
    begin: impl FnOnce(&str) -> S,
    finish: impl FnOnce(S, &Pagination) -> Result<T, String>,
) -> Result<T, Error> {
    let request = params.request()?;
    send(client, &request, options)?.decode(|text| {
        let mut sink = begin(text);
        let pagination = page::decode::<Token<'_>, S>(text, &mut sink)?;
        finish(sink, &pagination)
    })
}

/// Lists one page of the active tokens, and returns the service's answer as it is.
pub(crate) fn list_json(
    client: &Client,
    params: &ListParams,
    options: &CallOptions,
) -> Result<Body, Error> {
    let request = params.request()?;
    send(client, &request, options)?.into_body()
}

/// Revokes a token.
pub(crate) fn delete(client: &Client, token: &str, options: &CallOptions) -> Result<(), Error> {
    let request = Request::new(&DELETE).secret_item("token", token)?;
    send(client, &request, options)?.into_body().map(drop)
}

/// Decodes an answer that is a token, and the one that was `asked` for.
fn decode_token<T>(
    answer: &Answer<'_>,
    asked: Option<&str>,
    make: impl FnOnce(&Token<'_>) -> T,
) -> Result<T, Error> {
    answer.decode(|text| {
        let found = json::object(text)?;
        asked.map_or(Ok(()), |asked| must_be(&found, asked))?;
        Ok(make(&found))
    })
}

fn must_be(found: &Token<'_>, asked: &str) -> Result<(), String> {
    if found.token == asked {
        return Ok(());
    }
    Err("token must be the one that was asked for".into())
}

/// The way through all active tokens, page by page.
#[derive(Debug)]
pub(crate) struct TokenPages {
    params: ListParams,
    pager: Pager,
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
        Ok(TokenPages { pager: Pager::starting_at(params.current_page.unwrap_or(0)), params })
    }

    /// What to list next, or `None` at the end. It stays the same until a page has been taken.
    pub fn next(&self) -> Option<ListParams> {
        let page = self.pager.next_page()?;
        Some(ListParams { current_page: (page > 0).then_some(page), ..self.params })
    }

    /// Takes the page that was listed and tells for each of its tokens whether it is a new one; or
    /// complains, and it is as if the page had not been listed.
    pub fn take(&mut self, pagination: &Pagination, tokens: &[&str]) -> Result<Vec<bool>, String> {
        self.pager.take(pagination, tokens)
    }

    /// How many tokens there are on all pages, as the last page told; 0 is not told.
    pub fn items_total(&self) -> u64 {
        self.pager.items_total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_the_one_that_the_service_describes() {
        let rows = [
            (&CREATE, "POST", Quota::Writes, Repeat::IfNotApplied, Evidence::Object),
            (&GET, "GET", Quota::Reads, Repeat::Always, Evidence::Nothing),
            (&LIST, "GET", Quota::Reads, Repeat::Always, Evidence::Nothing),
            (&DELETE, "DELETE", Quota::Writes, Repeat::Always, Evidence::Nothing),
        ];
        for (row, method, quota, repeat, evidence) in rows {
            assert_eq!((row.method.as_str(), row.collection), (method, "upload-tokens"));
            assert!(row.sends_credential, "{method}");
            assert_eq!(
                (row.quota, row.repeat, row.evidence),
                (quota, repeat, evidence),
                "{method}"
            );
            assert_eq!(row.effect.is_some(), quota == Quota::Writes, "{method}");
            assert_eq!(row.gone.is_some(), method == "DELETE", "{method}");
        }
    }

    #[test]
    fn what_an_outcome_means_is_said_in_words_of_the_operation() {
        use crate::error::Outcome::{Applied, NotApplied, Unknown};
        for (row, outcome, words) in [
            (&CREATE, NotApplied, "nothing was changed"),
            (&CREATE, Unknown, "may have been created, look before"),
            (&CREATE, Applied, "was created, look for it"),
            (&DELETE, NotApplied, "nothing was changed"),
            (&DELETE, Unknown, "may have been deleted, deleting it again does no harm"),
        ] {
            assert!(row.consequence(outcome).is_some_and(|said| said.contains(words)), "{words}");
        }
        assert_eq!(GET.consequence(Unknown), None);
        assert_eq!(LIST.consequence(Unknown), None);
    }

    /// What a decoder makes of a page: its tokens and its pagination, or the complaint.
    type Decoded = Result<(Vec<Plain>, Pagination), String>;
    type Plain = (String, Option<u32>, Option<i64>, Option<i64>);

    #[derive(Default)]
    struct Tokens(Vec<Plain>);

    impl Sink<Token<'_>> for Tokens {
        fn clear(&mut self) {
            self.0.clear();
        }
        fn push(&mut self, token: Token<'_>) {
            let Token { token, ttl_seconds, created_at, expires_at } = token;
            self.0.push((token.into_owned(), ttl_seconds, created_at, expires_at));
        }
    }

    fn decode(text: &str) -> Decoded {
        let mut tokens = Tokens::default();
        let pagination = page::decode::<Token<'_>, _>(text, &mut tokens)?;
        Ok((tokens.0, pagination))
    }

    fn decode_any(text: &str) -> Decoded {
        let mut tokens = Tokens::default();
        let pagination = page::decode_any::<Token<'_>, _>(text, &mut tokens)?;
        Ok((tokens.0, pagination))
    }

    /// What the plain form alone makes of a page, if it is in that form.
    fn decode_plain(text: &str) -> Option<(Vec<Plain>, Pagination)> {
        let mut tokens = Tokens::default();
        let pagination = page::decode_plain::<Token<'_>, _>(text, &mut tokens)?;
        Some((tokens.0, pagination))
    }

    const PAGE: &str = concat!(
        r#"{"data":[{"token":"to1","ttl":3600,"createdAt":"2020-12-02T10:13:19+00:00","#,
        r#""expiresAt":"2020-12-02T11:13:19+00:00"},{"token":"to2","ttl":0,"#,
        r#""createdAt":"2024-02-29T23:59:59+00:00","expiresAt":"9999-12-31T00:00:00+00:00","#,
        r#""later":"x","more":7}],"#,
        r#""pagination":{"currentPage":1,"pagesTotal":1,"pageSize":25,"itemsTotal":2,"links":[]}}"#
    );

    #[test]
    fn a_page_as_the_service_is_known_to_send_it_has_the_plain_form() {
        let plain = decode_plain(PAGE).expect("the plain form");
        let (tokens, pagination) = &plain;
        assert_eq!(tokens[0], ("to1".into(), Some(3600), Some(1_606_903_999), Some(1_606_907_599)));
        assert_eq!(tokens[1].2, Some(1_709_251_199));
        assert_eq!((tokens.len(), pagination.items_total), (2, 2));
        assert_eq!(decode_any(PAGE), Ok(plain));
    }

    #[test]
    fn a_second_array_of_items_counts_in_the_place_of_the_first() {
        let twice = PAGE.replace(r#","pagination""#, r#","data":[{"token":"last"}],"pagination""#);
        assert_eq!(decode_plain(&twice), None);
        let (tokens, _) = decode(&twice).expect("a page");
        assert_eq!(tokens, [("last".into(), None, None, None)]);
    }

    #[test]
    fn the_plain_form_is_taken_for_what_any_decoder_takes_it_for() {
        // Pieces that a page is made of, or that have broken decoders before.
        const PIECES: &[&str] = &[
            "\"",
            "\\",
            "\\\"",
            "\\u0000",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\n",
            "\0",
            "0",
            "00",
            "-",
            "-1",
            "1.5",
            "1e3",
            "2147483648",
            "4294967296",
            "null",
            "true",
            "é",
            "\u{1f600}",
            "Z",
            "z",
            "T",
            "t",
            "+00:00",
            "-00:00",
            "+01:00",
            ".5",
            "24:00:00",
            "23:59:60",
            "02-30",
            "0000",
            "\"ttl\":1,",
            "\"token\":\"\",",
            ",\"ttl\":2",
            ",\"x\":\"y\"",
            ",\"x\":{}",
            "\"data\":[],",
            "\"pagination\":{},",
            "],[",
        ];
        let mut random = fastrand::Rng::with_seed(20_201_202);
        let (mut plain, mut good) = (0, 0);
        for round in 0..100_000 {
            let mut text = PAGE.to_owned();
            for _ in 0..random.usize(1..=3) {
                let at = random.usize(0..=text.len());
                let length = random.usize(0..=4).min(text.len() - at);
                let piece = PIECES[random.usize(0..PIECES.len())];
                if text.is_char_boundary(at) && text.is_char_boundary(at + length) {
                    text.replace_range(at..at + length, piece);
                }
            }
            let verdict = decode_any(&text);
            if let Some(found) = decode_plain(&text) {
                plain += 1;
                assert_eq!(verdict.as_ref(), Ok(&found), "round {round}: {text}");
            }
            good += u32::from(verdict.is_ok());
            assert_eq!(decode(&text), verdict, "round {round}: {text}");
            // Its last token by itself.
            let token = text.rfind("},{").map_or("", |at| &text[at + 2..]);
            let token = token.find("}]").map_or(token, |end| &token[..=end]);
            let told = |token: Token<'_>| {
                let Token { token, ttl_seconds, created_at, expires_at } = token;
                (token.into_owned(), ttl_seconds, created_at, expires_at)
            };
            assert_eq!(
                json::object(token).map(told),
                json::object_in_any_form(token).map(told),
                "{round}: {token}"
            );
        }
        assert!(plain > 1_000 && good > plain && good < 99_000, "{plain} plain, {good} good");
    }
}
