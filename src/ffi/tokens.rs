//! Upload tokens.

use super::boundary::Caller;
use super::client::av_client;
use super::error::{av_error, av_status};
use super::input::{Input, choice};
use super::options::av_request_options;
use super::owned::{self, Owned};
use crate::answer::page::{Pagination, Sink};
use crate::error::Error;
use crate::tokens::{self, ListParams, SortBy, SortOrder, Token};
use std::ffi::{c_char, c_void};

/// av_tokens_create(), `ttl_seconds`: the token never ends by itself, but when it is deleted.
pub const AV_TOKEN_TTL_NEVER: u32 = 0;

/// av_tokens_list_params.sort_by: as the service does by default, which is not documented.
pub const AV_TOKEN_SORT_DEFAULT: i32 = 0;
/// av_tokens_list_params.sort_by: by when a token was made.
pub const AV_TOKEN_SORT_CREATED_AT: i32 = 1;
/// av_tokens_list_params.sort_by: by how long a token is still valid.
pub const AV_TOKEN_SORT_TTL: i32 = 2;

/// av_tokens_list_params.sort_order: as the service does by default.
pub const AV_SORT_DEFAULT: i32 = 0;
/// av_tokens_list_params.sort_order: smallest first.
pub const AV_SORT_ASC: i32 = 1;
/// av_tokens_list_params.sort_order: largest first.
pub const AV_SORT_DESC: i32 = 2;

/// An upload token. Made by the library alone: read it through the pointer you got, never copy it by
/// value or take its size: it is the library's to make. It never changes.
#[repr(C)]
pub struct av_token {
    /// When it was made, in Unix seconds by the service's clock, fractions floored; 0 is not told, or
    /// in no form that is understood.
    pub created_at: i64,
    /// When it ends, in Unix seconds; 0 is never if `ttl_seconds` is 0, otherwise not told, or in no
    /// form that is understood.
    pub expires_at: i64,
    /// Zero, for later versions.
    pub reserved: [u64; 4],
    /// The token: its id and the secret in one, so treat it as a password. UTF-8, not empty, of no
    /// documented length.
    pub token: *const c_char,
    /// NULL, for later versions.
    pub reserved_pointer: *const c_void,
    /// The time to live that the service tells, in seconds, 0 to 2147483647; 0 is for ever, -1 is
    /// not told, or no such number.
    pub ttl_seconds: i32,
    /// Zero, for later versions.
    pub reserved32: u32,
}

/// One page of tokens, with all that belongs to it. Made by the library alone: read it through the
/// pointer you got, never copy it by value or take its size. It never changes.
#[repr(C)]
pub struct av_token_page {
    /// How many tokens there are on all pages; 0 is none if `count` is 0, otherwise not told.
    pub items_total: u64,
    /// Zero, for later versions.
    pub reserved: [u64; 4],
    /// The tokens of this page: `count` pointers, none of them NULL, owned by the page.
    pub items: *const *const av_token,
    /// How many tokens this page holds.
    pub count: usize,
    /// The number of this page, from 1; 0 is not told.
    pub current_page: u32,
    /// How many pages there are; 0 is not told.
    pub pages_total: u32,
    /// How many tokens a page holds at most; 0 is not told.
    pub page_size: u32,
    /// Zero, for later versions.
    pub reserved32: u32,
}

/// What to list. NULL instead of it, and every member that is 0, leaves it to the service.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct av_tokens_list_params {
    /// sizeof(av_tokens_list_params).
    pub struct_size: usize,
    /// The page, from 1. 0 is the service's default, the first. One beyond the last is empty.
    pub current_page: u32,
    /// How many tokens a page holds at most, 1 to 100. 0 is the service's default, 25.
    pub page_size: u32,
    /// One of the AV_TOKEN_SORT_… constants.
    pub sort_by: i32,
    /// One of the AV_SORT_… constants.
    pub sort_order: i32,
}

// SAFETY: integers, whose every pattern of bytes is a value; a test asserts that there is no
// padding.
unsafe impl Input for av_tokens_list_params {
    const ZEROED: Self = av_tokens_list_params {
        struct_size: 0,
        current_page: 0,
        page_size: 0,
        sort_by: AV_TOKEN_SORT_DEFAULT,
        sort_order: AV_SORT_DEFAULT,
    };
    const SIZES: &'static [usize] = &[];
}

impl av_token {
    fn new(token: &Token<'_>, text: *const c_char) -> Self {
        av_token {
            created_at: token.created_at.unwrap_or(0),
            expires_at: token.expires_at.unwrap_or(0),
            reserved: [0; 4],
            token: text,
            reserved_pointer: std::ptr::null(),
            ttl_seconds: token.ttl_seconds.map_or(-1, |ttl| i32::try_from(ttl).unwrap_or(i32::MAX)),
            reserved32: 0,
        }
    }
}

/// A token of its own.
fn handed_out(token: &Token<'_>) -> *mut av_token {
    let mut owned = Owned::<av_token>::with_room_for(token.token.len() + 1);
    let text = owned.text(token.token.as_bytes());
    owned.hand_out(av_token::new(token, text))
}

/// A page of tokens as it is made.
pub(super) type Page = Owned<av_token_page, av_token>;

impl Page {
    /// A page for what `text` tells. As the service tells tokens, each takes more than it does here.
    pub(super) fn for_answer(text: &str) -> Self {
        Page::with_room_for(text.len().min(owned::BLOCK))
    }

    fn handed_out(mut self, pagination: &Pagination) -> *mut av_token_page {
        let (items, count) = self.pointers();
        self.hand_out(av_token_page {
            items_total: pagination.items_total,
            reserved: [0; 4],
            items,
            count,
            current_page: pagination.current_page,
            pages_total: pagination.pages_total,
            page_size: pagination.page_size,
            reserved32: 0,
        })
    }
}

impl Sink<Token<'_>> for Page {
    fn clear(&mut self) {
        Owned::clear(self);
    }

    fn push(&mut self, token: Token<'_>) {
        Owned::push(self, token.token.as_bytes(), |text| av_token::new(&token, text));
    }
}

impl av_tokens_list_params {
    pub(super) fn read(caller: &Caller, params: *const Self) -> Result<ListParams, Error> {
        let params = caller.input(params, "params")?;
        let params = ListParams {
            current_page: (params.current_page > 0).then_some(params.current_page),
            page_size: (params.page_size > 0).then_some(params.page_size),
            sort_by: choice(
                params.sort_by,
                &[None, Some(SortBy::CreatedAt), Some(SortBy::Ttl)],
                "params.sort_by",
            )?,
            sort_order: choice(
                params.sort_order,
                &[None, Some(SortOrder::Ascending), Some(SortOrder::Descending)],
                "params.sort_order",
            )?,
        };
        params.check()?;
        Ok(params)
    }
}

/// Makes an upload token: `POST /upload-tokens`. Whoever has it can upload videos to the account,
/// until it ends or is deleted.
///
/// @param client       whom to ask; not NULL.
/// @param ttl_seconds  how long the token is valid, in seconds, 1 to 2147483647, or AV_TOKEN_TTL_NEVER
///                     for one that never ends by itself.
/// @param options      for this call alone, or NULL.
/// @param out          receives the token, to be freed with av_token_free(); not NULL.
/// @param error        receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
/// NOT_FOUND (a wrong path prefix), REJECTED, RATE_LIMITED, SERVER, DECODE, INTERNAL. Unless
/// av_error_outcome() is AV_OUTCOME_NOT_APPLIED, a token may have been made that nobody knows of;
/// AV_OUTCOME_APPLIED is told only where the answer began as a JSON object, as that of the service
/// does: a page that somebody on the way puts in its place is AV_OUTCOME_UNKNOWN.
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_create(
    client: *const av_client,
    ttl_seconds: u32,
    options: *const av_request_options,
    out: *mut *mut av_token,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        out.set(tokens::create(&client, ttl_seconds, &options, handed_out)?);
        Ok(())
    })
}

/// Looks up one token that is active: `GET /upload-tokens/{token}`.
///
/// @param client   whom to ask; not NULL.
/// @param token    the token; not NULL or ""; at most 4096 bytes; percent-encoded as needed. What
///                 could lead to another path is refused: a slash, a backslash, a control
///                 character, and the dot segments "." and "..", even percent-encoded, or before
///                 "?", "#" or ";".
/// @param options  for this call alone, or NULL.
/// @param out      receives the token, to be freed with av_token_free(); not NULL.
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
/// NOT_FOUND (never made, expired or deleted), REJECTED, RATE_LIMITED, SERVER, DECODE (also if the
/// answer is another token than the one asked for), INTERNAL.
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_get(
    client: *const av_client,
    token: *const c_char,
    options: *const av_request_options,
    out: *mut *mut av_token,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let token = caller.text(token, "token")?;
        out.set(tokens::get(&client, token, &options, handed_out)?);
        Ok(())
    })
}

/// Lists one page of the active tokens: `GET /upload-tokens`. For all pages see
/// av_tokens_iterate().
///
/// @param client   whom to ask; not NULL.
/// @param params   what to list, or NULL for the service's defaults.
/// @param options  for this call alone, or NULL.
/// @param out      receives the page, to be freed with av_token_page_free(); not NULL.
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
/// NOT_FOUND (a wrong path prefix), REJECTED, RATE_LIMITED, SERVER, DECODE, INTERNAL.
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_list(
    client: *const av_client,
    params: *const av_tokens_list_params,
    options: *const av_request_options,
    out: *mut *mut av_token_page,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let params = av_tokens_list_params::read(&caller, params)?;
        let finish = |page: Page, pagination: &Pagination| Ok(page.handed_out(pagination));
        out.set(tokens::list(&client, &params, &options, Page::for_answer, finish)?);
        Ok(())
    })
}

/// Revokes a token: `DELETE /upload-tokens/{token}`. Nothing more can be uploaded with it.
///
/// @param client   whom to ask; not NULL.
/// @param token    the token; not NULL or ""; at most 4096 bytes; percent-encoded as needed. What
///                 could lead to another path is refused: a slash, a backslash, a control
///                 character, and the dot segments "." and "..", even percent-encoded, or before
///                 "?", "#" or ";".
/// @param options  for this call alone, or NULL.
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
/// NOT_FOUND (never made, expired or deleted already; but if an earlier attempt of this call may
/// have deleted it, and the service itself says so in a problem document, that is success, and
/// av_response tells the 404), REJECTED, RATE_LIMITED, SERVER, DECODE (also if a 2xx has a body that is
/// no JSON: whoever stands between can say 200), INTERNAL. Unless av_error_outcome() is
/// AV_OUTCOME_NOT_APPLIED, it may have been deleted; doing it again does no harm.
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_delete(
    client: *const av_client,
    token: *const c_char,
    options: *const av_request_options,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let token = caller.text(token, "token")?;
        tokens::delete(&client, token, &options)
    })
}

/// As av_tokens_create(), in JSON both ways: for fields that this library does not know, and for
/// languages with a decoder of their own.
///
/// @param client        whom to ask; not NULL.
/// @param payload_json  a JSON object in UTF-8, nested at most 128 deep, sent as it is; NULL is
///                      `{}`. Its fields are not checked here.
/// @param options       for this call alone, or NULL.
/// @param out_json      receives the service's answer as it is, to be freed with av_string_free();
///                      not NULL. It is one JSON text in UTF-8, an object, at most 4 MiB and nested
///                      at most 128 deep; its fields are not checked.
/// @param error         receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_tokens_create().
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_create_json(
    client: *const av_client,
    payload_json: *const c_char,
    options: *const av_request_options,
    out_json: *mut *mut c_char,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out_json, "out_json")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let payload = caller.optional_text(payload_json, "payload_json")?.unwrap_or("{}");
        out.set(owned::string(&tokens::create_json(&client, payload, &options)?));
        Ok(())
    })
}

/// As av_tokens_get(), with the answer in JSON.
///
/// @param client    whom to ask; not NULL.
/// @param token     as for av_tokens_get().
/// @param options   for this call alone, or NULL.
/// @param out_json  as for av_tokens_create_json(), but any JSON text, unless it is another token.
/// @param error     receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_tokens_get().
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_get_json(
    client: *const av_client,
    token: *const c_char,
    options: *const av_request_options,
    out_json: *mut *mut c_char,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out_json, "out_json")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let token = caller.text(token, "token")?;
        out.set(owned::string(&tokens::get_json(&client, token, &options)?));
        Ok(())
    })
}

/// As av_tokens_list(), with the answer in JSON.
///
/// @param client    whom to ask; not NULL.
/// @param params    as for av_tokens_list().
/// @param options   for this call alone, or NULL.
/// @param out_json  as for av_tokens_create_json(), but any JSON text.
/// @param error     receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_tokens_list().
///
/// It blocks until the answer is there, at most for the call's `timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_list_json(
    client: *const av_client,
    params: *const av_tokens_list_params,
    options: *const av_request_options,
    out_json: *mut *mut c_char,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out_json, "out_json")?;
        let options = av_request_options::read(&caller, options)?;
        let client = caller.required(client, "client")?.share();
        let params = av_tokens_list_params::read(&caller, params)?;
        out.set(owned::string(&tokens::list_json(&client, &params, &options)?));
        Ok(())
    })
}

/// Makes a copy of a token, which lives on when what it was read from is freed: an iterator, whose next
/// call takes the token back, or a page.
///
/// @param token  the token to copy, of whatever origin; not NULL.
/// @param out    receives the copy, to be freed with av_token_free(); not NULL.
/// @param error  receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_copy(
    token: *const av_token,
    out: *mut *mut av_token,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let original = caller.required(token, "token")?;
        let text = caller.optional_bytes(original.token).unwrap_or_default();
        let mut copy = Owned::<av_token>::with_room_for(text.len() + 1);
        let text = copy.text(text);
        out.set(copy.hand_out(av_token { token: text, ..*original }));
        Ok(())
    })
}

/// Frees a token, and wipes it. NULL is a no-op. Tokens of a page or an iterator are not yours to free.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_free(token: *mut av_token) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    owned::free(&caller, token)
}

/// Frees a page and all that belongs to it, and wipes that. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_page_free(page: *mut av_token_page) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    owned::free(&caller, page)
}
