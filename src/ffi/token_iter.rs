//! The way through all tokens of all pages.

use super::boundary::Caller;
use super::client::av_client;
use super::error::{av_error, av_status};
use super::options::av_request_options;
use super::tokens::{Page, av_token, av_tokens_list_params};
use crate::answer::page::Pagination;
use crate::call::options::CallOptions;
use crate::client::Client;
use crate::error::Error;
use crate::tokens::{self, TokenPages};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

/// The way through all tokens of all pages: see av_tokens_iterate().
pub struct av_token_iter {
    iteration: Arc<Iteration>,
}

/// The inside of an iterator, kept alive by the call that uses it.
struct Iteration {
    /// For one call at a time.
    position: Mutex<Position>,
    /// How many tokens there are, as the last page told; 0 is not told.
    items_total: AtomicU64,
}

/// How far an iterator has come.
struct Position {
    client: Arc<Client>,
    pages: TokenPages,
    current: Option<CurrentPage>,
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
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let client = caller.required(client, "client")?.share();
        let pages = TokenPages::new(av_tokens_list_params::read(&caller, params)?)?;
        let position = Mutex::new(Position { client, pages, current: None });
        let iteration = Arc::new(Iteration { position, items_total: AtomicU64::new(0) });
        out.set(Box::into_raw(Box::new(av_token_iter { iteration })));
        Ok(())
    })
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
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let options = av_request_options::read(&caller, options)?;
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

/// How many tokens there are on all pages, as the page told that the iterator came to last: for a
/// progress bar. It may be other than what the iterator hands out in the end, for tokens come and go,
/// and it counts from the first page, wherever the iterator began.
///
/// @param iter  the iterator, or NULL; also while another thread is inside av_token_iter_next() with it.
///
/// @return the number; 0 if there are none, if it is not told, before the first page, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_iter_total(iter: *const av_token_iter) -> u64 {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.read(iter, 0, |iter| iter.iteration.items_total.load(Ordering::Relaxed))
}

/// Frees an iterator and the token it handed out last. NULL is a no-op. If a callback frees it during
/// av_token_iter_next(), that call goes on to its end, and then fails with AV_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_token_iter_free(iter: *mut av_token_iter) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(iter)
}

impl Iteration {
    /// The next token, unless another call is looking for it, on this thread or on another one.
    fn next(&self, options: &CallOptions) -> Result<Option<*const av_token>, Error> {
        let mut position = match self.position.try_lock() {
            Ok(position) => position,
            // A panic leaves it where it was.
            Err(TryLockError::Poisoned(position)) => position.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::invalid_argument("iter is in use by another call"));
            }
        };
        let token = position.next(options);
        self.items_total.store(position.pages.items_total(), Ordering::Relaxed);
        token
    }
}

impl Position {
    fn next(&mut self, options: &CallOptions) -> Result<Option<*const av_token>, Error> {
        loop {
            if let Some(token) = self.current.as_mut().and_then(CurrentPage::next) {
                return Ok(Some(token));
            }
            let Some(params) = self.pages.next() else {
                self.current = None;
                return Ok(None);
            };
            let pages = &mut self.pages;
            let finish = |page, pagination: &_| CurrentPage::new(page, pagination, pages);
            let page = tokens::list(&self.client, &params, options, Page::for_answer, finish)?;
            self.current = Some(page);
        }
    }
}

/// The page that an iterator is on.
struct CurrentPage {
    /// Keeps the tokens below alive.
    _page: Page,
    /// Those still to be handed out.
    tokens: std::vec::IntoIter<*const av_token>,
}

// SAFETY: a page belongs to its iterator alone and is plain memory, which any thread may read and
// free.
unsafe impl Send for CurrentPage {}

impl CurrentPage {
    /// Takes over `page` and leaves out the tokens that `pages` has told; or passes on what `pages`
    /// finds wrong with it.
    fn new(page: Page, pagination: &Pagination, pages: &mut TokenPages) -> Result<Self, String> {
        let all = || page.items().flatten();
        // SAFETY: the texts belong to `page`, and each has its NUL.
        let keys = all().map(|token| unsafe { CStr::from_ptr(token.token) }.to_str());
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let is_new = pages.take(pagination, &keys)?;
        let new = all().zip(is_new).filter_map(|(token, is_new)| is_new.then_some(token));
        let tokens: Vec<_> = new.map(std::ptr::from_ref).collect();
        Ok(CurrentPage { tokens: tokens.into_iter(), _page: page })
    }

    fn next(&mut self) -> Option<*const av_token> {
        self.tokens.next()
    }
}
