//! Upload tokens.

use super::boundary::{Caller, Input, choice, contain, guard};
use super::client::{av_client, av_request_options};
use super::error::{av_error, av_status};
use super::memory::{self, Block, PageBuilder};
use crate::answer::page::Pagination;
use crate::call::run::CallOptions;
use crate::client::Client;
use crate::error::Error;
use crate::tokens::{self, ListParams, SortBy, SortOrder, Token, TokenPages};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

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

/// The way through all tokens of all pages: see av_tokens_iterate().
pub struct av_token_iter {
    iteration: Arc<Iteration>,
}

/// The inside of an iterator, kept alive by the call that uses it.
struct Iteration {
    /// For one call at a time.
    walk: Mutex<Walk>,
    /// How many tokens there are, as the last page told; 0 is not told.
    items_total: AtomicU64,
}

/// How far an iterator has come.
struct Walk {
    client: Arc<Client>,
    pages: TokenPages,
    current: Option<IteratedPage>,
}

impl av_token {
    pub(super) fn new(token: &Token<'_>, text: *const c_char) -> Self {
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

impl av_token_page {
    pub(super) fn new(
        pagination: &Pagination,
        items: *const *const av_token,
        count: usize,
    ) -> Self {
        av_token_page {
            items_total: pagination.items_total,
            reserved: [0; 4],
            items,
            count,
            current_page: pagination.current_page,
            pages_total: pagination.pages_total,
            page_size: pagination.page_size,
            reserved32: 0,
        }
    }
}

impl av_tokens_list_params {
    fn read(caller: Caller, params: *const Self) -> Result<ListParams, Error> {
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out, "out")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            out.set(tokens::create(&client, ttl_seconds, &options, memory::token)?);
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out, "out")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let token = caller.text(token, "token")?;
            out.set(tokens::get(&client, token, &options, memory::token)?);
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out, "out")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let params = av_tokens_list_params::read(caller, params)?;
            let finish = |builder: PageBuilder, told: &Pagination| Ok(builder.finish(told));
            let page = tokens::list(&client, &params, &options, PageBuilder::for_text, finish)?;
            out.set(page);
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let token = caller.text(token, "token")?;
            tokens::delete(&client, token, &options)
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out_json, "out_json")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let payload = caller.optional_text(payload_json, "payload_json")?.unwrap_or("{}");
            out.set(memory::string(&tokens::create_json(&client, payload, &options)?));
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out_json, "out_json")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let token = caller.text(token, "token")?;
            out.set(memory::string(&tokens::get_json(&client, token, &options)?));
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out_json, "out_json")?;
            let options = av_request_options::read(caller, options)?;
            let client = caller.required(client, "client")?.share();
            let params = av_tokens_list_params::read(caller, params)?;
            out.set(memory::string(&tokens::list_json(&client, &params, &options)?));
            Ok(())
        })
    }
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
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out, "out")?;
            out.set(memory::copy(caller, caller.required(token, "token")?));
            Ok(())
        })
    }
}

/// Frees a token, and wipes it. NULL is a no-op. Tokens of a page or an iterator are not yours to free.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_free(token: *mut av_token) {
    // SAFETY: NULL or a token that `memory::token` made and nobody has freed, as the header asks.
    unsafe { contain((), |_| drop(NonNull::new(token).map(|token| Block::from_first(token)))) }
}

/// Frees a page and all that belongs to it, and wipes that. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_page_free(page: *mut av_token_page) {
    // SAFETY: NULL or a page that `PageBuilder` made and nobody has freed, as the header asks.
    unsafe { contain((), |_| drop(NonNull::new(page).map(|page| Block::from_first(page)))) }
}

/// Begins to go through all active tokens of all pages; nothing is sent yet. Take them with
/// av_token_iter_next(), until it hands out NULL.
///
/// Unless `params` sorts, the oldest tokens come first, so that tokens made meanwhile come last.
/// Tokens may be made meanwhile: one that moves on to a later page is told once, as far as the last
/// 14,000 tokens are remembered (in less than 1 MB). But where tokens before it are deleted or expire
/// meanwhile, one may be skipped. To delete, collect first, or list page 1 and delete until it is
/// empty.
///
/// @param client  whom to ask; not NULL; it may be freed before the iterator.
/// @param params  what to list, or NULL; `current_page` is where to begin.
/// @param out     receives the iterator, to be freed with av_token_iter_free(); not NULL.
/// @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK, or INVALID_ARGUMENT, INTERNAL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_tokens_iterate(
    client: *const av_client,
    params: *const av_tokens_list_params,
    out: *mut *mut av_token_iter,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out(out, "out")?;
            let client = caller.required(client, "client")?.share();
            let pages = TokenPages::new(av_tokens_list_params::read(caller, params)?)?;
            let walk = Mutex::new(Walk { client, pages, current: None });
            let iteration = Arc::new(Iteration { walk, items_total: AtomicU64::new(0) });
            out.set(Box::into_raw(Box::new(av_token_iter { iteration })));
            Ok(())
        })
    }
}

/// Hands out the next token; at the end, and ever after, AV_STATUS_OK with NULL. It makes one
/// request a page, `GET /upload-tokens`, when it comes to it; pages that hold nothing new are passed
/// over. The end is the last page, as each page tells anew which that is, or an empty one if none
/// tells. It never ends early in silence: another page than the one asked for, an empty one before the
/// last, or the same tokens again and again are AV_STATUS_DECODE. After an error the next call asks for
/// the same page again.
///
/// @param iter     the iterator; not NULL; by one call at a time: another one with it meanwhile, from its
///                 own trace or another thread, fails with AV_STATUS_INVALID_ARGUMENT.
/// @param options  for this call alone, or NULL.
/// @param out      receives the token, or NULL at the end; not NULL. The token belongs to the
///                 iterator and lives until the next call with it, or its av_token_iter_free().
/// @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return as av_tokens_list().
///
/// It blocks only when it comes to a new page, at most for the call's `timeout_ms` a page.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_iter_next(
    iter: *mut av_token_iter,
    options: *const av_request_options,
    out: *mut *const av_token,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: all pointers are as the header asks.
    unsafe {
        guard(error, |caller| {
            let out = caller.out_borrowed(out, "out")?;
            let options = av_request_options::read(caller, options)?;
            let iteration = caller.required(iter, "iter")?.iteration.clone();
            let token = iteration.next(&options)?;
            // With the iterator the token is gone as well.
            if Arc::strong_count(&iteration) == 1 {
                return Err(Error::freed_meanwhile("iter"));
            }
            out.set(token.unwrap_or(std::ptr::null()));
            Ok(())
        })
    }
}

/// How many tokens there are on all pages, as the page told that the iterator came to last: for a
/// progress bar. It may be other than what the iterator hands out in the end, for tokens come and go,
/// and it counts from the first page, wherever the iterator began.
///
/// @param iter  the iterator, or NULL; also while another thread is inside av_token_iter_next() with it.
///
/// @return the number; 0 if there are none, if it is not told, before the first page, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_iter_total(iter: *const av_token_iter) -> u64 {
    // SAFETY: NULL or an iterator that has not been freed, as the header asks.
    unsafe {
        contain(0, |caller| {
            caller.optional(iter).map_or(0, |it| it.iteration.items_total.load(Ordering::Relaxed))
        })
    }
}

/// Frees an iterator and the token it handed out last. NULL is a no-op. If a callback frees it during
/// av_token_iter_next(), that call goes on to its end, and then fails with AV_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_iter_free(iter: *mut av_token_iter) {
    // SAFETY: NULL or an iterator that has not been freed, as the header asks.
    unsafe { contain((), |caller| drop(caller.take(iter))) }
}

impl Iteration {
    /// The next token, unless another call is looking for it, on this thread or on another one.
    fn next(&self, options: &CallOptions) -> Result<Option<*const av_token>, Error> {
        let mut walk = match self.walk.try_lock() {
            Ok(walk) => walk,
            // A panic leaves it where it was.
            Err(TryLockError::Poisoned(walk)) => walk.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::invalid_argument("iter is in use by another call"));
            }
        };
        let token = walk.next(options);
        self.items_total.store(walk.pages.items_total(), Ordering::Relaxed);
        token
    }
}

impl Walk {
    fn next(&mut self, options: &CallOptions) -> Result<Option<*const av_token>, Error> {
        loop {
            if let Some(token) = self.current.as_mut().and_then(IteratedPage::next) {
                return Ok(Some(token));
            }
            let Some(params) = self.pages.next() else {
                self.current = None;
                return Ok(None);
            };
            let pages = &mut self.pages;
            let begin = PageBuilder::for_text;
            self.current = tokens::list(&self.client, &params, options, begin, |builder, told| {
                IteratedPage::new(builder.finish(told), told, pages)
            })?;
        }
    }
}

/// The page that an iterator is on.
struct IteratedPage {
    /// Keeps the tokens below alive.
    _block: Block,
    /// Those still to be handed out.
    tokens: std::vec::IntoIter<*const av_token>,
}

// SAFETY: a page belongs to its iterator alone and is plain memory, which any thread may read and
// free.
unsafe impl Send for IteratedPage {}

impl IteratedPage {
    /// Takes over `page`, which has just been made, and leaves out the tokens that `pages` has told;
    /// or passes on what `pages` finds wrong with it.
    fn new(
        page: *mut av_token_page,
        pagination: &Pagination,
        pages: &mut TokenPages,
    ) -> Result<Option<Self>, String> {
        let Some(page) = NonNull::new(page) else { return Ok(None) };
        // SAFETY: the page has just been made, and nobody else knows of it.
        let block = unsafe { Block::from_first(page) };
        // SAFETY: `block` keeps the page, its array of `count` pointers to tokens and their texts
        // alive to the end of this function; the texts were made of strings.
        let (items, keys): (&[*const av_token], Vec<&str>) = unsafe {
            let items = std::slice::from_raw_parts(page.as_ref().items, page.as_ref().count);
            let text = |item: &*const av_token| CStr::from_ptr((**item).token).to_bytes();
            let text = |item| std::str::from_utf8_unchecked(text(item));
            (items, items.iter().map(text).collect())
        };
        let is_new = pages.take(pagination, &keys)?;
        let new_items = items.iter().zip(is_new).filter(|(_, is_new)| *is_new);
        let tokens: Vec<_> = new_items.map(|(item, _)| *item).collect();
        Ok(Some(IteratedPage { _block: block, tokens: tokens.into_iter() }))
    }

    fn next(&mut self) -> Option<*const av_token> {
        self.tokens.next()
    }
}
