/** @file
 *
 * apivideo: upload tokens of api.video, and uploads with them, for C, C++ and every language with a C FFI.
 *
 * An upload token lets a device upload videos to an api.video account without knowing its API key.
 * A backend makes one, hands it out, lists what is active, looks one up and revokes it:
 * av_tokens_create(), av_tokens_list() and av_tokens_iterate(), av_tokens_get(), av_tokens_delete().
 * The device, which knows no key (AV_CLIENT_NO_CREDENTIAL), uploads with it: av_upload_file(), or
 * av_upload_begin() what is recorded meanwhile.
 *
 * @code
 * av_client_config config = {0};
 * av_client *client = NULL;
 * av_token *token = NULL;
 * av_error *error = NULL;
 * config.struct_size = sizeof config;
 * config.api_key = getenv("APIVIDEO_API_KEY");
 * if (av_client_new(&config, &client, &error) == AV_STATUS_OK &&
 *     av_tokens_create(client, 3600, NULL, &token, &error) == AV_STATUS_OK)
 *   puts(token->token);
 * else
 *   fprintf(stderr, "%s\n", av_error_message(error));
 * av_error_free(error);
 * av_token_free(token);
 * av_client_free(client);
 * @endcode
 *
 * Six rules hold for all of it:
 *
 * 1. Strings in are UTF-8, NUL-terminated, and copied before the call returns. Nothing that you pass
 *    is kept by pointer, except `userdata` and the handles named in rule 6.
 * 2. Inputs come first, then `options`, then `out`, then `error`. There are no in/out parameters
 *    (the `av_response` and `av_cancel` handles in `options` are the one exception) and no partial
 *    successes: on failure every `out` is set to NULL or 0. What `out` and `error` held before is
 *    overwritten, not freed.
 * 3. A call through `const T *` may run from any number of threads at once; one through `T *` needs
 *    the handle to itself. The exception is av_cancel_trigger(), which may run at any time before
 *    av_cancel_free() begins. Results never change once handed out.
 * 4. `T **out` is yours to free with the `_free` of `T`; `const T **out` is borrowed until the next
 *    call on its source or the `_free` of that. `_free(NULL)` is a no-op; `_free` does no I/O, never
 *    blocks, and trusts no public member. The order of freeing is irrelevant: what has begun keeps
 *    what it needs. But do not free a handle while another thread may be about to enter a call with
 *    it.
 * 5. The library calls back only on the thread that is inside the call, only during the call, with
 *    no lock held; a callback may call any function (but with the very response handle or iterator that
 *    the call is using: AV_STATUS_INVALID_ARGUMENT), and must not throw, longjmp or unwind. The
 *    library installs no signal handler, global logger, panic hook, fork handler or exit handler.
 * 6. `userdata` stays valid until the client and every iterator made from it are freed and every
 *    call has returned. A cancel or response handle passed in `options` is kept (by reference
 *    count) for the length of that call.
 *
 * Errors. Every function that can fail returns an av_status, 0 for success, and takes a trailing
 * `av_error **error`, which may be NULL. `*error` is always overwritten, with NULL on success; an
 * old value is not freed. There is no "last error" of a thread. An error tells besides its status
 * what may have happened to the service: av_error_outcome().
 *
 * Which errors there are, for what reads (get, list, iterate), a create and a delete: N, U and A are
 * AV_OUTCOME_NOT_APPLIED, _UNKNOWN and _APPLIED, the figure is what av_error_is_retryable() tells, and no
 * other combination occurs. With 1, make the call again later. After a create with U or A there may be a
 * token that nobody knows of: list before you create another. Deleting again does no harm.
 * How an upload may end, and what to do then, av_upload_file() tells.
 *
 * @code{.unparsed}
 * AV_STATUS_       read  create   delete      what to do
 * INVALID_ARGUMENT N0    N0       N0          mend the program
 * CONNECT          N0 N1 N0 N1    N0 N1 U0 U1 with 0 mend the proxy
 * TLS              N0    N0       N0 U0       see to the certificate
 * TRANSPORT        N1    N1 U0 A0 N1 U1
 * TIMEOUT          N1    N1 U0 A0 N1 U1       or allow more time
 * CANCELLED        N0    N0 U0 A0 N0 U0       as you wanted
 * UNAUTHORIZED     N0    N0       N0 U0       check key and environment
 * NOT_FOUND        N0    N0       N0 U0       it has gone, or base_url
 * REJECTED         N0 N1 N0 U0    N0 U0 U1    with 0 mend the request
 * RATE_LIMITED     N1    N1       N1 U1       wait as long as told
 * SERVER           N0 N1 U0       U0 U1
 * DECODE           N0    U0 A0    U0          see who answers there
 * INTERNAL         U0    U0       U0          report it: a bug of ours
 * @endcode
 *
 * Input structures begin with their size, so that they can grow: zero the whole structure, set
 * `struct_size`, then what you need; zero means the default. What a default stands for does not
 * change within a major version. A `struct_size` that no version has, unknown flags, and non-zero
 * bytes beyond what this version knows are AV_STATUS_INVALID_ARGUMENT. Result structures are
 * library-allocated, read-only and seen only through pointers; new members come out of their zeroed
 * reserve, so that a newer program on an older library reads "not told".
 *
 * Checked and refused: NULL, invalid UTF-8, values out of range. Undefined: dangling pointers and
 * handles used after their _free. A process that runs out of memory is aborted.
 *
 * Your process. A call needs up to 96 KiB of its thread's stack, most of it for a server's certificates:
 * give a thread that calls 128 KiB at the least. A thread that is cancelled by pthread_cancel() inside a
 * function of this library ends after it: cancellation is disabled until the function returns, callbacks
 * included, which must leave it so, and then acts as the thread has it set. (One that has set
 * PTHREAD_CANCEL_ASYNCHRONOUS may be struck as a function begins or returns, and the process be aborted:
 * POSIX allows no other library's functions to such a thread either.) In a child of fork(), _Fork()
 * or clone(), clients and handles that were inherited may be used, also if other threads were inside calls,
 * as far as the C library allows the child to call anything: it opens connections of its own, and touches
 * none of its parent's. (A response handle or an iterator that was in a call at that moment is of no use
 * there: make another.) A child of vfork(), or one that shares its parent's memory, must not call.
 * exit() may be called while other threads are inside calls, which end with the process; until then every
 * function still works, in handlers of atexit() as well. SIGPIPE is never raised by this library. Signal
 * handlers may run during calls, which go on after them, and may call av_cancel_trigger(), and nothing
 * else. A program with setuid, setgid or capabilities of its file has nothing read from its environment.
 *
 * Deleting while iterating skips tokens, and so may their expiring: to delete, collect first
 * (av_token_copy()), or list page 1 and delete until it is empty.
 *
 * Facts about the service are from its published OpenAPI document and reference pages.
 */

#ifndef APIVIDEO_H
#define APIVIDEO_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header; av_library_version() is that of the library. */
#define APIVIDEO_VERSION "0.1.0"
/** The major version of this header. */
#define APIVIDEO_VERSION_MAJOR 0
/** The minor version of this header. */
#define APIVIDEO_VERSION_MINOR 1
/** The patch version of this header. */
#define APIVIDEO_VERSION_PATCH 0

/** The production service, the default of av_client_config.base_url. */
#define APIVIDEO_PRODUCTION_URL "https://ws.api.video"
/** The sandbox: free, with keys of its own; videos are watermarked and deleted after a day. */
#define APIVIDEO_SANDBOX_URL "https://sandbox.api.video"


/**
 * av_client_config.trace_level: nothing.
 */
#define AV_TRACE_OFF 0

/**
 * av_client_config.trace_level: failed attempts.
 */
#define AV_TRACE_ERROR 1

/**
 * av_client_config.trace_level: every attempt.
 */
#define AV_TRACE_INFO 2

/**
 * av_client_config.trace_level: every attempt and its steps.
 */
#define AV_TRACE_DEBUG 3

/**
 * av_client_config.flags: allows a `base_url` of `http://` to another machine, over which the
 * credential travels in the clear.
 */
#define AV_CLIENT_ALLOW_PLAIN_HTTP 1

/**
 * av_client_config.flags: neither `api_key` nor `access_token` is set, on purpose: the client can only
 * upload with tokens (av_upload_file()), and every other call with it is AV_STATUS_INVALID_ARGUMENT.
 * Without this flag a missing key stays an error, so that an environment variable that is unset does not
 * pass.
 */
#define AV_CLIENT_NO_CREDENTIAL 2

/**
 * Success.
 */
#define AV_STATUS_OK 0

/**
 * The caller's mistake: a parameter is NULL, malformed or out of range. The message names it, and
 * nothing was sent.
 */
#define AV_STATUS_INVALID_ARGUMENT 1

/**
 * The host's name could not be looked up, no connection be made, or the proxy gave no way; also if
 * there is no descriptor or thread to be had. Nothing was sent.
 */
#define AV_STATUS_CONNECT 2

/**
 * The server's certificate was refused, or no TLS could be agreed on. Nothing was sent.
 */
#define AV_STATUS_TLS 3

/**
 * The connection broke during the exchange.
 */
#define AV_STATUS_TRANSPORT 4

/**
 * The time for the call, for its last attempt, or for connecting ran out.
 */
#define AV_STATUS_TIMEOUT 5

/**
 * The call was cancelled: av_cancel_trigger().
 */
#define AV_STATUS_CANCELLED 6

/**
 * HTTP 401 or 403: the credential, or the token of an upload, is wrong, has ended, or is for the other
 * environment; or the account is suspended.
 */
#define AV_STATUS_UNAUTHORIZED 7

/**
 * HTTP 404: there is no such token; it may have expired or been deleted; or no such video to upload to.
 * Whoever stands on the way may say 404 too: unless av_error_problem_type() or av_error_problem_title() is told, it was not the
 * service; nor was it if that type is "about:blank" or a URI of somebody else's.
 */
#define AV_STATUS_NOT_FOUND 8

/**
 * Any other HTTP 4xx: the service rejects the request; av_error_problem_title_at() and its siblings
 * tell why.
 */
#define AV_STATUS_REJECTED 9

/**
 * HTTP 429, too many requests, with no time left to wait as long as the service asks; or, with no
 * attempt made, the rate limit is known to be used up for longer than the call may take.
 * av_error_retry_after_ms() tells how long to wait.
 */
#define AV_STATUS_RATE_LIMITED 10

/**
 * HTTP 5xx: the service failed.
 */
#define AV_STATUS_SERVER 11

/**
 * An answer that the API does not promise: a redirect, a page instead of JSON, broken JSON, a missing
 * field, another token or page than the one asked for, too large.
 */
#define AV_STATUS_DECODE 12

/**
 * A bug of this library, contained.
 */
#define AV_STATUS_INTERNAL 13

/**
 * The file that is uploaded cannot be read, or has changed meanwhile; or what is gone on with is another
 * file than before. The message says which.
 */
#define AV_STATUS_SOURCE 14

/**
 * Nobody here can tell whether the service has done what was asked. Look before you repeat a
 * create.
 */
#define AV_OUTCOME_UNKNOWN 0

/**
 * The service has not done what was asked. Reads are always told as this.
 */
#define AV_OUTCOME_NOT_APPLIED 1

/**
 * The service has done what was asked, but its answer was lost or cannot be used.
 */
#define AV_OUTCOME_APPLIED 2

/**
 * av_tokens_create(), `ttl_seconds`: the token never ends by itself, but when it is deleted.
 */
#define AV_TOKEN_TTL_NEVER 0

/**
 * av_tokens_list_params.sort_by: as the service does by default, which is not documented.
 */
#define AV_TOKEN_SORT_DEFAULT 0

/**
 * av_tokens_list_params.sort_by: by when a token was made.
 */
#define AV_TOKEN_SORT_CREATED_AT 1

/**
 * av_tokens_list_params.sort_by: by how long a token is still valid.
 */
#define AV_TOKEN_SORT_TTL 2

/**
 * av_tokens_list_params.sort_order: as the service does by default.
 */
#define AV_SORT_DEFAULT 0

/**
 * av_tokens_list_params.sort_order: smallest first.
 */
#define AV_SORT_ASC 1

/**
 * av_tokens_list_params.sort_order: largest first.
 */
#define AV_SORT_DESC 2

/**
 * av_upload_progress.state: bytes are being sent.
 */
#define AV_UPLOAD_SENDING 0

/**
 * av_upload_progress.state: all of a part is sent, and its answer is waited for. The service may take
 * minutes to answer the last part.
 */
#define AV_UPLOAD_WAITING_FOR_ANSWER 1

/**
 * av_upload_progress.state: an attempt failed, and the next one begins after `wait_ms`.
 */
#define AV_UPLOAD_WAITING_TO_RETRY 2

/**
 * av_upload_progress.state: the rate limit is used up, and the upload goes on after about `wait_ms`.
 */
#define AV_UPLOAD_WAITING_FOR_RATE_LIMIT 3

/**
 * Cancels calls from another thread. It is passed to calls in av_request_options.cancel, and may
 * serve any number of them, one after the other or at once. It holds a file descriptor, if one is to
 * be had.
 */
typedef struct av_cancel av_cancel;

/**
 * A client: one credential, or none, one service, and the connections to it, which are kept open between
 * calls. Any number of threads may call through one client at once; a program rarely needs two.
 */
typedef struct av_client av_client;

/**
 * What went wrong with one call. Its strings live until av_error_free(); every accessor accepts
 * NULL, so that a program may ask without checking. An error never changes: any number of threads
 * may read it at once.
 */
typedef struct av_error av_error;

/**
 * Tells of the HTTP answer to a call, whether that succeeded or failed. It is passed to a call in
 * av_request_options.response, by one call at a time; another one with it meanwhile fails with
 * AV_STATUS_INVALID_ARGUMENT. It is reset when a call begins, and tells of the last attempt of the
 * last call; its strings live until its next use or av_response_free(). Every accessor accepts
 * NULL.
 *
 * In a child of fork(), a handle that was in a call at that moment is of no use: make another.
 */
typedef struct av_response av_response;

/**
 * The way through all tokens of all pages: see av_tokens_iterate().
 */
typedef struct av_token_iter av_token_iter;

/**
 * An upload of what is made while it is sent: see av_upload_begin().
 */
typedef struct av_upload av_upload;

/**
 * What became of a call: one of the `AV_STATUS_…` constants. 0 is success. Expect values that you
 * do not know: a later version may tell more kinds of failure. A situation keeps its status within
 * a major version.
 */
typedef int32_t av_status;

/**
 * Takes one line of the trace: on the thread that is inside the call, with no lock held. `level` is
 * that of the line, one of the AV_TRACE_… constants. `line` is UTF-8 without a line end, lives until
 * the function returns, and holds no credential and no whole token. The function may call any
 * function of this library; it must not throw or longjmp.
 */
typedef void (*av_trace_fn)(void *userdata,
                            int32_t level,
                            const char *line);

/**
 * What a client is made from. Zero the whole struct (`= {0}` in C, `= {}` in C++), set
 * `struct_size`, then what you need: `api_key` alone is enough.
 */
typedef struct av_client_config {
  /**
   * sizeof(av_client_config).
   */
  size_t struct_size;
  /**
   * The account's API key: 1 to 4096 bytes without ':' and control characters. Production and
   * sandbox have keys of their own. Exactly one of this and `access_token` is set, or none and
   * AV_CLIENT_NO_CREDENTIAL in `flags`.
   */
  const char *api_key;
  /**
   * An access token got from the service by other means: 1 to 4096 visible ASCII characters.
   * It is not renewed when it expires.
   */
  const char *access_token;
  /**
   * Where the service is: `https://`, or `http://` to this machine; it may carry a path prefix,
   * and no user name, query or fragment; at most 2048 bytes. NULL is APIVIDEO_PRODUCTION_URL;
   * APIVIDEO_SANDBOX_URL is the other one.
   */
  const char *base_url;
  /**
   * Your application, for the service's statistics: 1 to 50 of A-Z a-z 0-9 - _ . NULL is none,
   * then `app_version` must be NULL too; with one, it must not.
   */
  const char *app_name;
  /**
   * Your application's version: 1 to 3 numbers of 1 to 3 digits with dots, such as 1.20.3.
   */
  const char *app_version;
  /**
   * The name of a library of yours over this one, in the form of `app_name`, or NULL.
   */
  const char *sdk_name;
  /**
   * The version of that library, in the form of `app_version`, or NULL.
   */
  const char *sdk_version;
  /**
   * A PEM file of certificate authorities that replaces the system's; read by av_client_new(),
   * which takes all of its certificates or none, also those labelled TRUSTED or X509 CERTIFICATE; of
   * the former those that are trusted for servers, as OpenSSL does.
   * NULL is the system's; Windows and macOS judge certificates themselves then, which no deadline bounds,
   * and macOS not in a child of fork(). docs/CERTIFICATES.md tells more, and what kinds of certificates
   * are refused.
   */
  const char *ca_file;
  /**
   * The proxy to go through: `http://` (by CONNECT, also for a plain `base_url`), `socks5://` or
   * `socks5h://`, with `user:password@` (percent-encoded) if it asks for them. It is told the
   * service's name, which is not looked up here. What it refuses is not tried again: that ends the
   * call with AV_STATUS_CONNECT, not retryable. "" is none. NULL is what the environment says:
   * https_proxy (http_proxy for a plain `base_url`), else all_proxy, unless no_proxy excepts the
   * host. That is a list with commas or spaces of hosts (also for all below them, with or without a
   * leading dot), addresses, and networks such as 10.0.0.0/8, each with or without a port; or "*".
   * Each variable is also known in capitals, after the small one; HTTP_PROXY is not in a CGI
   * program, where it is a header of the request, nor on Windows, which takes them for one, is
   * http_proxy. An empty variable is unset, one that cannot be read AV_STATUS_INVALID_ARGUMENT. A
   * setuid or otherwise privileged program's environment says nothing.
   */
  const char *proxy_url;
  /**
   * Takes the trace, or NULL.
   */
  av_trace_fn trace_fn;
  /**
   * Passed to `trace_fn`. It must stay valid until the client and every iterator made from it
   * are freed and every call has returned.
   */
  void *trace_userdata;
  /**
   * What the whole of a call may take, in milliseconds: name lookup, every attempt, and every wait
   * between them. 0 is 30000, UINT32_MAX is no limit. A rate limit's window of 60 s rarely fits.
   */
  uint32_t timeout_ms;
  /**
   * What name lookup, TCP, proxy and TLS of one attempt may take together, in milliseconds, within
   * `timeout_ms`. Nothing has been sent when it expires. 0 is 10000, UINT32_MAX is no limit of its
   * own.
   */
  uint32_t connect_timeout_ms;
  /**
   * What one attempt of a get, list or delete may take, in milliseconds, while another is allowed;
   * the last one may take all that is left of `timeout_ms`, and so may a create, for which a slow
   * answer beats an unknown outcome. 0 is 10000, UINT32_MAX is no limit of its own.
   */
  uint32_t attempt_timeout_ms;
  /**
   * How many times a request may be tried in all. 0 is 3, 1 is never again. A create is tried again
   * only if it cannot have been applied. Waiting for the rate limit does not count, unless this is
   * 1.
   */
  uint32_t max_attempts;
  /**
   * One of the AV_TRACE_… constants.
   */
  int32_t trace_level;
  /**
   * 0, or one or both of AV_CLIENT_ALLOW_PLAIN_HTTP and AV_CLIENT_NO_CREDENTIAL.
   */
  uint32_t flags;
} av_client_config;

/**
 * What a single call may do otherwise than its client. NULL instead of it, and every member that is
 * NULL or 0, is what the client's configuration says.
 */
typedef struct av_request_options {
  /**
   * sizeof(av_request_options).
   */
  size_t struct_size;
  /**
   * Ends the call from another thread, or NULL. It may be freed before the call ends.
   */
  struct av_cancel *cancel;
  /**
   * Is told what the service answers, or NULL. It may be freed before the call ends.
   */
  struct av_response *response;
  /**
   * As in av_client_config. UINT32_MAX is no limit.
   */
  uint32_t timeout_ms;
  /**
   * As in av_client_config.
   */
  uint32_t max_attempts;
} av_request_options;

/**
 * An upload token. Made by the library alone: read it through the pointer you got, never copy it by
 * value or take its size: it is the library's to make. It never changes.
 */
typedef struct av_token {
  /**
   * When it was made, in Unix seconds by the service's clock, fractions floored; 0 is not told, or
   * in no form that is understood.
   */
  int64_t created_at;
  /**
   * When it ends, in Unix seconds; 0 is never if `ttl_seconds` is 0, otherwise not told, or in no
   * form that is understood.
   */
  int64_t expires_at;
  /**
   * Zero, for later versions.
   */
  uint64_t reserved[4];
  /**
   * The token: its id and the secret in one, so treat it as a password. UTF-8, not empty, of no
   * documented length.
   */
  const char *token;
  /**
   * NULL, for later versions.
   */
  const void *reserved_pointer;
  /**
   * The time to live that the service tells, in seconds, 0 to 2147483647; 0 is for ever, -1 is
   * not told, or no such number.
   */
  int32_t ttl_seconds;
  /**
   * Zero, for later versions.
   */
  uint32_t reserved32;
} av_token;

/**
 * What to list. NULL instead of it, and every member that is 0, leaves it to the service.
 */
typedef struct av_tokens_list_params {
  /**
   * sizeof(av_tokens_list_params).
   */
  size_t struct_size;
  /**
   * The page, from 1. 0 is the service's default, the first. One beyond the last is empty.
   */
  uint32_t current_page;
  /**
   * How many tokens a page holds at most, 1 to 100. 0 is the service's default, 25.
   */
  uint32_t page_size;
  /**
   * One of the AV_TOKEN_SORT_… constants.
   */
  int32_t sort_by;
  /**
   * One of the AV_SORT_… constants.
   */
  int32_t sort_order;
} av_tokens_list_params;

/**
 * One page of tokens, with all that belongs to it. Made by the library alone: read it through the
 * pointer you got, never copy it by value or take its size. It never changes.
 */
typedef struct av_token_page {
  /**
   * How many tokens there are on all pages; 0 is none if `count` is 0, otherwise not told.
   */
  uint64_t items_total;
  /**
   * Zero, for later versions.
   */
  uint64_t reserved[4];
  /**
   * The tokens of this page: `count` pointers, none of them NULL, owned by the page.
   */
  const struct av_token *const *items;
  /**
   * How many tokens this page holds.
   */
  size_t count;
  /**
   * The number of this page, from 1; 0 is not told.
   */
  uint32_t current_page;
  /**
   * How many pages there are; 0 is not told.
   */
  uint32_t pages_total;
  /**
   * How many tokens a page holds at most; 0 is not told.
   */
  uint32_t page_size;
  /**
   * Zero, for later versions.
   */
  uint32_t reserved32;
} av_token_page;

/**
 * How far an upload has come. Made by the library, and valid until the callback returns: read it through
 * the pointer you got.
 */
typedef struct av_upload_progress {
  /**
   * Bytes in the parts that the service has confirmed, after a resume those of before included. It never
   * goes back.
   */
  uint64_t bytes_confirmed;
  /**
   * Bytes of the parts under way that have arrived at the other side. They are not in `bytes_confirmed`:
   * the sum of both is how far the upload has come. Those of a part go once it is confirmed, or has failed.
   * Windows does not tell what has arrived: there they are the bytes that it has taken, up to some hundred
   * KiB more.
   */
  uint64_t bytes_sent;
  /**
   * The size in bytes; 0 is not known, as of what is still being written.
   */
  uint64_t bytes_total;
  /**
   * Bytes that were sent in vain, over all attempts of this call, or of all calls with an av_upload: the
   * part had to be sent again, or was there before.
   */
  uint64_t bytes_repeated;
  /**
   * Zero, for later versions.
   */
  uint64_t reserved[4];
  /**
   * How many parts the service has confirmed.
   */
  uint32_t parts_confirmed;
  /**
   * How many parts there are; 0 is not known.
   */
  uint32_t parts_total;
  /**
   * One of the AV_UPLOAD_… constants. Expect values that you do not know.
   */
  int32_t state;
  /**
   * How many milliseconds the upload will wait, in AV_UPLOAD_WAITING_TO_RETRY and
   * AV_UPLOAD_WAITING_FOR_RATE_LIMIT; otherwise 0.
   */
  uint32_t wait_ms;
} av_upload_progress;

/**
 * Receives how far an upload has come, on the thread that is inside the call, with no lock held.
 * `progress` is valid until the function returns. It may call any function of this library, also
 * av_cancel_trigger() to end the upload: of a part that was confirmed just then `state_fn` still tells the
 * state. It must not throw or longjmp.
 */
typedef void (*av_upload_progress_fn)(void *userdata,
                                      const struct av_upload_progress *progress);

/**
 * Receives the state of an upload whenever a part is confirmed, but for the last one, on the thread that is
 * inside the call, with no lock held. `state` is one line of ASCII of at most 4096 bytes, with neither the
 * token nor a key in it, and is valid until the function returns: store a copy in the place of the one
 * before. Given to av_upload_params.resume after a crash, it costs at most one part that is sent again, or those
 * that were under way side by side.
 * Remove it when the call has succeeded. If the call has failed and av_error_attempts() is not 0, what
 * av_error_upload_state() returns takes its place; if that is NULL, remove it: the file has changed, or
 * somebody else uploads to the same video.
 * The function may call any function of this library; it must not throw or longjmp.
 */
typedef void (*av_upload_state_fn)(void *userdata,
                                   const char *state);

/**
 * What to upload with, and how. Zero the whole struct, set `struct_size` and `token`, then what you need.
 */
typedef struct av_upload_params {
  /**
   * sizeof(av_upload_params).
   */
  size_t struct_size;
  /**
   * The upload token: 1 to 4096 bytes; not NULL. Messages and the trace show it shortened.
   */
  const char *token;
  /**
   * The id, of 1 to 512 bytes, of a video without a file that somebody with a key has made before, as
   * for a private one. NULL: the upload makes a new video, with the account's defaults.
   */
  const char *video_id;
  /**
   * The name that the service is told of the file, 1 to 1024 bytes: it becomes the title of a new video.
   * NULL is the last component of the path.
   */
  const char *file_name;
  /**
   * The state to go on from, which av_error_upload_state() or `state_fn` has told. It must be of the same
   * service, of the same file, unchanged, and, if `video_id` is set, of that video. The parts stay as they
   * were cut, whatever `part_bytes` says. The token may be another one. NULL is from the beginning.
   */
  const char *resume;
  /**
   * Receives how far the upload has come, or NULL.
   */
  av_upload_progress_fn progress_fn;
  /**
   * Receives the state after each part, or NULL.
   */
  av_upload_state_fn state_fn;
  /**
   * Passed to both functions. It must stay valid until av_upload_file() returns, or av_upload_free().
   */
  void *userdata;
  /**
   * The size of a part in bytes, 5242880 (5 MiB) to 209715200 (200 MiB). 0 is 32 MiB, or more if the
   * file would make more than 10,000 parts. If the connection breaks, the part is sent again from its
   * beginning, so small ones suit a poor network; but each counts against the service's rate limit. The
   * first part of a new video always has 5 MiB.
   */
  uint64_t part_bytes;
  /**
   * How many bytes per second are sent at most. 0 is no limit.
   */
  uint64_t max_bytes_per_second;
  /**
   * 0: the calling thread sends everything, and no thread is started. 1 to 16: so many parts at once, by
   * as many threads of the library, for links that one connection does not fill. The first part of a new
   * video and the last one still go alone, on the calling thread; `response` tells of these. Callbacks, and
   * lines of the trace, come on the calling thread alone. The threads handle no signals. They end before
   * av_upload_file() returns; those of an av_upload live from call to call, and end by themselves once it
   * is finished or freed. Each takes up to 1.25 MiB, and a part of an av_upload besides. If the system
   * allows fewer threads, or none, there are fewer, and the trace says so.
   */
  uint32_t parallel_parts;
  /**
   * After so many milliseconds in which no byte of a part has arrived at the other side, the attempt
   * fails, and the next one takes a new connection. 0 is 30000, UINT32_MAX is no limit.
   */
  uint32_t stall_timeout_ms;
  /**
   * How many milliseconds the answer to a part may take, from when all of the part has arrived. 0 is
   * 300000, UINT32_MAX is no limit.
   */
  uint32_t answer_timeout_ms;
  /**
   * The upload is given up after so many milliseconds in which no byte has arrived, over all attempts
   * and the waits between them: this is how long an outage may last. Waits for an answer, for the rate
   * limit, or for as long as a 429 asks, do not count. 0 is 300000, UINT32_MAX is no limit.
   */
  uint32_t patience_ms;
  /**
   * How many milliseconds there are at least between two calls of `progress_fn` while bytes are sent; a
   * change of `state` is told at once. 0 is 250.
   */
  uint32_t progress_interval_ms;
  /**
   * 0; there are none yet.
   */
  uint32_t flags;
} av_upload_params;

/**
 * A video that was uploaded. Made by the library alone: read it through the pointer you got, never copy it
 * by value or take its size. It never changes. Of a private video the addresses hold a secret.
 */
typedef struct av_uploaded_video {
  /**
   * When it was made, in Unix seconds by the service's clock, fractions floored; 0 is not told.
   */
  int64_t created_at;
  /**
   * When it was published, in Unix seconds; 0 is not told.
   */
  int64_t published_at;
  /**
   * The size of the file that was uploaded, in bytes.
   */
  uint64_t bytes;
  /**
   * Zero, for later versions.
   */
  uint64_t reserved[4];
  /**
   * Its id. Never NULL.
   */
  const char *video_id;
  /**
   * Its title; NULL is not told.
   */
  const char *title;
  /**
   * The address of a page that plays it; NULL is not told.
   */
  const char *player_url;
  /**
   * HTML with that page in a frame; NULL is not told.
   */
  const char *iframe_html;
  /**
   * The address of its HLS manifest; NULL is not told.
   */
  const char *hls_url;
  /**
   * The address of an MP4 file; NULL is not told, as where none is made.
   */
  const char *mp4_url;
  /**
   * The address of a picture of it; NULL is not told.
   */
  const char *thumbnail_url;
  /**
   * The service's answer as it is, one JSON object in UTF-8. NULL, and with it all of the above that may
   * be, if the answer was lost and only the refusal of the last part, sent once more, proved that the
   * video is whole.
   */
  const char *json;
  /**
   * NULL, for later versions.
   */
  const void *reserved_pointers[2];
  /**
   * 1 if anybody may see it, 0 if not, -1 is not told.
   */
  int32_t is_public;
  /**
   * How many unfinished videos this upload may have left behind, which the service drops after a week:
   * one for each time that the answer to a first part was lost.
   */
  uint32_t videos_abandoned;
} av_uploaded_video;



#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a cancel handle that is not triggered, to be freed with av_cancel_free(). Never NULL.
 */
struct av_cancel *av_cancel_new(void);

/**
 * Cancels every call that uses the handle, in whatever it is doing: it returns AV_STATUS_CANCELLED
 * within 20 ms, unless its answer has arrived already. The handle stays triggered: every later call
 * with it returns AV_STATUS_CANCELLED before anything is sent. NULL is a no-op.
 *
 * It may be called at any time before av_cancel_free() begins, from any thread, any number of
 * times; it never blocks. A signal handler may call it, also one that interrupts a call with this very
 * handle: it takes no lock and no memory, but may change errno, as write() does. In a child process it
 * cancels the child's calls alone.
 */
void av_cancel_trigger(struct av_cancel *cancel);

/**
 * Frees a cancel handle. NULL is a no-op. Calls that use it go on, and can no longer be cancelled.
 */
void av_cancel_free(struct av_cancel *cancel);

/**
 * Makes a client. Nothing is sent, so that a wrong key shows with the first call.
 *
 * @param config  what to make it from; not NULL; all of it is copied.
 * @param out     receives the client, to be freed with av_client_free(); not NULL.
 * @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK; AV_STATUS_INVALID_ARGUMENT, also if the environment says what cannot be used;
 * AV_STATUS_TLS if the system has no trusted certificates; AV_STATUS_INTERNAL.
 *
 * The first client for an `https://` service reads the system's certificates, once per process: its
 * bundle, and its directory of single ones only if there is no bundle.
 * The environment is read here alone: the proxies (see av_client_config.proxy_url), and SSL_CERT_FILE
 * and SSL_CERT_DIR, which say where the certificates are, the latter in one or more directories with
 * colons between. The message names a variable that leads to no certificate. In a program with rights
 * that its user has not (setuid, setgid, capabilities of its own: AT_SECURE) none of them is asked.
 *
 * A client may be used in a child process, even if other threads were inside calls: the child opens
 * connections of its own.
 *
 * A program that closes descriptors which it has not opened, as closefrom() does, frees its clients
 * and cancel handles before that: what they hold would be taken for whatever has the same number
 * by then, to be sent to, and closed by the `_free`. Calls end by their deadlines even so, and
 * av_cancel_trigger() neither blocks nor writes.
 */
av_status av_client_new(const struct av_client_config *config,
                        struct av_client **out,
                        struct av_error **error);

/**
 * Frees a client and closes its idle connections; its credential is wiped from memory. NULL is a
 * no-op. Calls that are under way in other threads end as if nothing had happened, and iterators
 * go on: what they need lives until they end. But no call may begin any more.
 */
void av_client_free(struct av_client *client);

/**
 * The status that the call returned; AV_STATUS_OK for NULL.
 */
av_status av_error_status(const struct av_error *error);

/**
 * One line for a person: which request, what failed, what may have happened. Never NULL; "" for
 * NULL. It holds no credential, and of a token at most the first 4 and last 2 characters.
 */
const char *av_error_message(const struct av_error *error);

/**
 * What is known of the call's effect on the service: one of the `AV_OUTCOME_…` constants.
 * AV_OUTCOME_UNKNOWN for NULL.
 */
int32_t av_error_outcome(const struct av_error *error);

/**
 * 1 if the cause is temporary and repeating the call cannot do anything twice, otherwise 0: for a
 * create always 0 unless its outcome is AV_OUTCOME_NOT_APPLIED, and for AV_STATUS_CANCELLED. 0 for
 * NULL. The table at the header's beginning has all that can come together.
 */
int32_t av_error_is_retryable(const struct av_error *error);

/**
 * The HTTP status of the answer, 100 to 999; 0 if there was none, and for NULL.
 */
int32_t av_error_http_status(const struct av_error *error);

/**
 * How many times the request was tried, 0 if it was never begun; a reconnection when a kept
 * connection turns out to be dead does not count. 0 for NULL.
 */
uint32_t av_error_attempts(const struct av_error *error);

/**
 * How long to wait before the next try, in milliseconds, 0 to a year (31536000000), as the service
 * asked or as the rate limit's window lasts; -1 if that is not known, and for NULL. Read from
 * `Retry-After` (seconds or a date), and on HTTP 429 from `X-RateLimit-Retry-After`, whichever is
 * longer; fractions of a second are rounded up.
 */
int64_t av_error_retry_after_ms(const struct av_error *error);

/**
 * The body of the answer as received, at most its first 65536 bytes, with a NUL after them; NULL
 * if there was no answer, and for NULL. `out_length`, which may be NULL, receives the number of
 * bytes without that NUL. After an AV_STATUS_DECODE of a create it may hold the new token, which
 * is a secret; and of an upload the addresses of a private video, which hold one.
 */
const char *av_error_body(const struct av_error *error,
                          size_t *out_length);

/**
 * The kind of problem that the service names, a URI whose form has changed over the years: compare
 * statuses instead. NULL if the answer names none, and for NULL.
 */
const char *av_error_problem_type(const struct av_error *error);

/**
 * The problem in the service's own words, in English; NULL if it has none, and for NULL.
 */
const char *av_error_problem_title(const struct av_error *error);

/**
 * More about the problem in the service's own words; NULL if it has none, and for NULL. The service
 * calls it `detail` or `details`; both are read.
 */
const char *av_error_problem_detail(const struct av_error *error);

/**
 * The parameter that the problem is about, by the service's name for it, such as "pageSize"; it may
 * be "". NULL if it names none, and for NULL.
 */
const char *av_error_problem_name(const struct av_error *error);

/**
 * How many single problems the service lists, as it does with HTTP 400. 0 for NULL.
 */
size_t av_error_problem_count(const struct av_error *error);

/**
 * As av_error_problem_type(), of the single problem `index`, from 0; NULL beyond the last.
 */
const char *av_error_problem_type_at(const struct av_error *error,
                                     size_t index);

/**
 * As av_error_problem_title(), of the single problem `index`, from 0; NULL beyond the last.
 */
const char *av_error_problem_title_at(const struct av_error *error,
                                      size_t index);

/**
 * As av_error_problem_detail(), of the single problem `index`, from 0; NULL beyond the last.
 */
const char *av_error_problem_detail_at(const struct av_error *error,
                                       size_t index);

/**
 * As av_error_problem_name(), of the single problem `index`, from 0; NULL beyond the last.
 */
const char *av_error_problem_name_at(const struct av_error *error,
                                     size_t index);

/**
 * What an upload that has failed can go on from, for av_upload_params.resume: one line of ASCII of at most
 * 4096 bytes, without token or key. Copy it before av_error_free(). NULL if there is nothing to go on from
 * (begin anew, if the outcome is AV_OUTCOME_NOT_APPLIED), if the error is not an upload's, and for NULL.
 */
const char *av_error_upload_state(const struct av_error *error);

/**
 * The id of the video that an upload which has failed was making, for whoever has a key to look at it or
 * delete it. NULL if none was begun that is known, if the error is not an upload's, and for NULL.
 */
const char *av_error_upload_video_id(const struct av_error *error);

/**
 * Frees an error and its strings. NULL is a no-op.
 */
void av_error_free(struct av_error *error);

/**
 * The name of a status, such as "AV_STATUS_NOT_FOUND", for logs; "AV_STATUS_(unknown)" for values
 * that this version does not know. A static string, never NULL.
 */
const char *av_status_name(av_status status);

/**
 * The name of an outcome, such as "AV_OUTCOME_APPLIED", for logs; "AV_OUTCOME_(unknown)" for values
 * that this version does not know. A static string, never NULL.
 */
const char *av_outcome_name(int32_t outcome);

/**
 * The version of the library that runs, such as "0.1.0"; `APIVIDEO_VERSION` is that of the header
 * a program was compiled with. A static string, never NULL.
 */
const char *av_library_version(void);

/**
 * Frees a string that a function of this library handed out as `char **out`, whatever has been
 * written into it since. NULL is a no-op.
 */
void av_string_free(char *string);

/**
 * Makes a response handle, to be freed with av_response_free(). Never NULL.
 */
struct av_response *av_response_new(void);

/**
 * The HTTP status of the answer, 100 to 999; 0 if there was none, and for NULL.
 */
int32_t av_response_http_status(const struct av_response *response);

/**
 * How many times the request was tried; 0 for NULL. A reconnection when a kept connection turns
 * out to be dead does not count.
 */
uint32_t av_response_attempts(const struct av_response *response);

/**
 * The first value of a header of the answer, as received: bytes that need not be UTF-8. `name` is
 * compared without regard to case. NULL if the answer has no such header, if `name` is NULL, and for
 * NULL.
 */
const char *av_response_header(const struct av_response *response,
                               const char *name);

/**
 * What the answer tells about the rate limit.
 *
 * @param response       the response, or NULL.
 * @param limit          receives how many requests a window (a minute) allows; may be NULL.
 * @param remaining      receives how many are left in this window; may be NULL.
 * @param reset_seconds  receives the seconds until the next window; may be NULL.
 *
 * Each is -1 if it was not told. Source: the service's reference, "Rate limiting".
 *
 * @return 1 if anything was told, otherwise 0.
 */
int32_t av_response_rate_limit(const struct av_response *response,
                               int64_t *limit,
                               int64_t *remaining,
                               int64_t *reset_seconds);

/**
 * Frees a response handle and its strings. NULL is a no-op. A call that uses it goes on.
 */
void av_response_free(struct av_response *response);

/**
 * Makes an upload token: `POST /upload-tokens`. Whoever has it can upload videos to the account,
 * until it ends or is deleted.
 *
 * @param client       whom to ask; not NULL.
 * @param ttl_seconds  how long the token is valid, in seconds, 1 to 2147483647, or AV_TOKEN_TTL_NEVER
 *                     for one that never ends by itself.
 * @param options      for this call alone, or NULL.
 * @param out          receives the token, to be freed with av_token_free(); not NULL.
 * @param error        receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
 * NOT_FOUND (a wrong path prefix), REJECTED, RATE_LIMITED, SERVER, DECODE, INTERNAL. Unless
 * av_error_outcome() is AV_OUTCOME_NOT_APPLIED, a token may have been made that nobody knows of;
 * AV_OUTCOME_APPLIED is told only where the answer began as a JSON object, as that of the service
 * does: a page that somebody on the way puts in its place is AV_OUTCOME_UNKNOWN.
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_create(const struct av_client *client,
                           uint32_t ttl_seconds,
                           const struct av_request_options *options,
                           struct av_token **out,
                           struct av_error **error);

/**
 * Looks up one token that is active: `GET /upload-tokens/{token}`.
 *
 * @param client   whom to ask; not NULL.
 * @param token    the token; not NULL or ""; at most 4096 bytes; percent-encoded as needed. What
 *                 could lead to another path is refused: a slash, a backslash, a control
 *                 character, and the dot segments "." and "..", even percent-encoded, or before
 *                 "?", "#" or ";".
 * @param options  for this call alone, or NULL.
 * @param out      receives the token, to be freed with av_token_free(); not NULL.
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
 * NOT_FOUND (never made, expired or deleted), REJECTED, RATE_LIMITED, SERVER, DECODE (also if the
 * answer is another token than the one asked for), INTERNAL.
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_get(const struct av_client *client,
                        const char *token,
                        const struct av_request_options *options,
                        struct av_token **out,
                        struct av_error **error);

/**
 * Lists one page of the active tokens: `GET /upload-tokens`. For all pages see
 * av_tokens_iterate().
 *
 * @param client   whom to ask; not NULL.
 * @param params   what to list, or NULL for the service's defaults.
 * @param options  for this call alone, or NULL.
 * @param out      receives the page, to be freed with av_token_page_free(); not NULL.
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
 * NOT_FOUND (a wrong path prefix), REJECTED, RATE_LIMITED, SERVER, DECODE, INTERNAL.
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_list(const struct av_client *client,
                         const struct av_tokens_list_params *params,
                         const struct av_request_options *options,
                         struct av_token_page **out,
                         struct av_error **error);

/**
 * Revokes a token: `DELETE /upload-tokens/{token}`. Nothing more can be uploaded with it.
 *
 * @param client   whom to ask; not NULL.
 * @param token    the token; not NULL or ""; at most 4096 bytes; percent-encoded as needed. What
 *                 could lead to another path is refused: a slash, a backslash, a control
 *                 character, and the dot segments "." and "..", even percent-encoded, or before
 *                 "?", "#" or ";".
 * @param options  for this call alone, or NULL.
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, CONNECT, TLS, TRANSPORT, TIMEOUT, CANCELLED, UNAUTHORIZED,
 * NOT_FOUND (never made, expired or deleted already; but if an earlier attempt of this call may
 * have deleted it, and the service itself says so in a problem document, that is success, and
 * av_response tells the 404), REJECTED, RATE_LIMITED, SERVER, DECODE (also if a 2xx has a body that is
 * no JSON: whoever stands between can say 200), INTERNAL. Unless av_error_outcome() is
 * AV_OUTCOME_NOT_APPLIED, it may have been deleted; doing it again does no harm.
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_delete(const struct av_client *client,
                           const char *token,
                           const struct av_request_options *options,
                           struct av_error **error);

/**
 * As av_tokens_create(), in JSON both ways: for fields that this library does not know, and for
 * languages with a decoder of their own.
 *
 * @param client        whom to ask; not NULL.
 * @param payload_json  a JSON object in UTF-8, nested at most 128 deep, sent as it is; NULL is
 *                      `{}`. Its fields are not checked here.
 * @param options       for this call alone, or NULL.
 * @param out_json      receives the service's answer as it is, to be freed with av_string_free();
 *                      not NULL. It is one JSON text in UTF-8, an object, at most 4 MiB and nested
 *                      at most 128 deep; its fields are not checked.
 * @param error         receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_tokens_create().
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_create_json(const struct av_client *client,
                                const char *payload_json,
                                const struct av_request_options *options,
                                char **out_json,
                                struct av_error **error);

/**
 * As av_tokens_get(), with the answer in JSON.
 *
 * @param client    whom to ask; not NULL.
 * @param token     as for av_tokens_get().
 * @param options   for this call alone, or NULL.
 * @param out_json  as for av_tokens_create_json(), but any JSON text, unless it is another token.
 * @param error     receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_tokens_get().
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_get_json(const struct av_client *client,
                             const char *token,
                             const struct av_request_options *options,
                             char **out_json,
                             struct av_error **error);

/**
 * As av_tokens_list(), with the answer in JSON.
 *
 * @param client    whom to ask; not NULL.
 * @param params    as for av_tokens_list().
 * @param options   for this call alone, or NULL.
 * @param out_json  as for av_tokens_create_json(), but any JSON text.
 * @param error     receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_tokens_list().
 *
 * It blocks until the answer is there, at most for the call's `timeout_ms`.
 */
av_status av_tokens_list_json(const struct av_client *client,
                              const struct av_tokens_list_params *params,
                              const struct av_request_options *options,
                              char **out_json,
                              struct av_error **error);

/**
 * Makes a copy of a token, which lives on when what it was read from is freed: an iterator, whose next
 * call takes the token back, or a page.
 *
 * @param token  the token to copy, of whatever origin; not NULL.
 * @param out    receives the copy, to be freed with av_token_free(); not NULL.
 * @param error  receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, INTERNAL.
 */
av_status av_token_copy(const struct av_token *token,
                        struct av_token **out,
                        struct av_error **error);

/**
 * Frees a token, and wipes it. NULL is a no-op. Tokens of a page or an iterator are not yours to free.
 */
void av_token_free(struct av_token *token);

/**
 * Frees a page and all that belongs to it, and wipes that. NULL is a no-op.
 */
void av_token_page_free(struct av_token_page *page);

/**
 * Begins to go through all active tokens of all pages; nothing is sent yet. Take them with
 * av_token_iter_next(), until it hands out NULL.
 *
 * Unless `params` sorts, the oldest tokens come first, so that tokens made meanwhile come last.
 * Tokens may be made meanwhile: one that moves on to a later page is told once, as far as the last
 * 14,000 tokens are remembered (in less than 1 MB). But where tokens before it are deleted or expire
 * meanwhile, one may be skipped. To delete, collect first, or list page 1 and delete until it is
 * empty.
 *
 * @param client  whom to ask; not NULL; it may be freed before the iterator.
 * @param params  what to list, or NULL; `current_page` is where to begin.
 * @param out     receives the iterator, to be freed with av_token_iter_free(); not NULL.
 * @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT, INTERNAL.
 */
av_status av_tokens_iterate(const struct av_client *client,
                            const struct av_tokens_list_params *params,
                            struct av_token_iter **out,
                            struct av_error **error);

/**
 * Hands out the next token; at the end, and ever after, AV_STATUS_OK with NULL. It makes one
 * request a page, `GET /upload-tokens`, when it comes to it; pages that hold nothing new are passed
 * over. The end is the last page, as each page tells anew which that is, or an empty one if none
 * tells. It never ends early in silence: another page than the one asked for, an empty one before the
 * last, or the same tokens again and again are AV_STATUS_DECODE. After an error the next call asks for
 * the same page again.
 *
 * @param iter     the iterator; not NULL; by one call at a time: another one with it meanwhile, from its
 *                 own trace or another thread, fails with AV_STATUS_INVALID_ARGUMENT.
 * @param options  for this call alone, or NULL.
 * @param out      receives the token, or NULL at the end; not NULL. The token belongs to the
 *                 iterator and lives until the next call with it, or its av_token_iter_free().
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_tokens_list().
 *
 * It blocks only when it comes to a new page, at most for the call's `timeout_ms` a page.
 */
av_status av_token_iter_next(struct av_token_iter *iter,
                             const struct av_request_options *options,
                             const struct av_token **out,
                             struct av_error **error);

/**
 * How many tokens there are on all pages, as the page told that the iterator came to last: for a
 * progress bar. It may be other than what the iterator hands out in the end, for tokens come and go,
 * and it counts from the first page, wherever the iterator began.
 *
 * @param iter  the iterator, or NULL; also while another thread is inside av_token_iter_next() with it.
 *
 * @return the number; 0 if there are none, if it is not told, before the first page, and for NULL.
 */
uint64_t av_token_iter_total(const struct av_token_iter *iter);

/**
 * Frees an iterator and the token it handed out last. NULL is a no-op. If a callback frees it during
 * av_token_iter_next(), that call goes on to its end, and then fails with AV_STATUS_INVALID_ARGUMENT.
 */
void av_token_iter_free(struct av_token_iter *iter);

/**
 * Uploads a file with an upload token: `POST /upload`, once for each part. The client needs no credential
 * (AV_CLIENT_NO_CREDENTIAL), and if it has one, that is not sent.
 *
 * One call makes at most one video that plays, whatever the network does. A part that fails is sent again
 * where that does no harm, until it is given up by `max_attempts`, `patience_ms` or `timeout_ms`. The last part
 * is sent last: before that the video is surely not whole. After a failure or a crash, another call can go
 * on from the state of this one, and does not send again what was confirmed.
 *
 * To pause, cancel the call (av_request_options.cancel), and copy av_error_upload_state() before the error
 * is freed. To go on, call again with the copy in av_upload_params.resume and a new cancel handle, for
 * a handle stays triggered.
 *
 * @param client   whose service to upload to; not NULL.
 * @param path     the file, a regular one that is not empty (others are refused as INVALID_ARGUMENT, what
 *                 cannot be opened as SOURCE); not NULL. On Windows it is UTF-8, elsewhere whatever bytes the
 *                 system has for it. It is opened once, and must not be written to until
 *                 the call returns. If rename(2) puts another file in its place, the one
 *                 that was opened is uploaded.
 * @param params   what to upload with, and how; not NULL.
 * @param options  for this call alone, or NULL. `timeout_ms` bounds the whole upload, and 0 is no limit
 *                 here: the client's does not apply. `max_attempts` is how many attempts in a row at one
 *                 part may fail without getting further in it than any before them. If it is 0, here and in
 *                 the client, it is 3, and once bytes have got through, attempts that cannot connect
 *                 do not count: an outage is waited for, as long as `patience_ms` allows.
 *                 `response` tells of the last attempt.
 * @param out      receives the video, to be freed with av_uploaded_video_free(); not NULL.
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK if the service says that the video is whole; or INVALID_ARGUMENT (also for a state
 * of another service or video, and in a child that a callback has forked, which must not go on), SOURCE,
 * CONNECT, TLS, TRANSPORT, TIMEOUT (of the call, or a stall), CANCELLED, UNAUTHORIZED (the token is wrong,
 * or has expired), NOT_FOUND (no such video), REJECTED (also if somebody else uploads to the same video),
 * RATE_LIMITED, SERVER, DECODE, INTERNAL.
 * After a failure av_error_outcome() tells whether the video is whole: AV_OUTCOME_NOT_APPLIED, a part is
 * surely missing; AV_OUTCOME_UNKNOWN, the last or only part may have arrived; AV_OUTCOME_APPLIED, it is whole,
 * but the answer cannot be used. If av_error_is_retryable() is 1, call again with av_error_upload_state() in
 * `resume`; NULL begins anew. If it is 0, see to the cause first, such as by a new token: a state that is
 * not NULL can be gone on from all the same. With neither, look for the video before you upload the file again,
 * unless the outcome is AV_OUTCOME_NOT_APPLIED.
 *
 * It blocks until all is sent and answered, which may take hours. The callbacks and the trace are called on
 * the calling thread, within the call. It takes at most 1.25 MiB of memory, and as much for each of
 * `parallel_parts` beyond the first, whatever the file's size.
 */
av_status av_upload_file(const struct av_client *client,
                         const char *path,
                         const struct av_upload_params *params,
                         const struct av_request_options *options,
                         struct av_uploaded_video **out,
                         struct av_error **error);

/**
 * Frees a video, and wipes what was told of it. NULL is a no-op.
 */
void av_uploaded_video_free(struct av_uploaded_video *video);

/**
 * Begins to upload what is made meanwhile, such as a recording: its bytes are passed to av_upload_write() as
 * they come, and av_upload_finish() completes the video. Nothing is sent yet. All that av_upload_file()
 * promises holds here, too: at most one video that plays, and a state to go on from after any failure.
 *
 * Of the containers those may be sent while they are written that are never changed at their beginning
 * again: fragmented MP4, MPEG-TS, WebM or Matroska whose cues are at the end. Not plain MP4 or MOV: whoever
 * writes one comes back to its head in the end, when that has long been sent. With FFmpeg,
 * `-movflags frag_keyframe+empty_moov`.
 *
 * To go on after a crash, set av_upload_params.resume, ask av_upload_offset(), and pass all bytes from there
 * on once more: they must be the same.
 *
 * @param client  whose service to upload to; not NULL; it may be freed before the upload.
 * @param params  what to upload with, and how; not NULL. Its texts are copied; `userdata` must stay valid until
 *                av_upload_free(). `file_name` NULL is "video"; `part_bytes` 0 is 8 MiB. A recording of more
 *                than 10,000 parts, 78 GiB then, takes larger ones.
 * @param out     receives the upload, to be freed with av_upload_free(); not NULL.
 * @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return AV_STATUS_OK, or INVALID_ARGUMENT (also for the state of a file), INTERNAL.
 *
 * It takes (`parallel_parts` + 1) * `part_bytes` of memory at most, and what av_upload_file() takes besides.
 */
av_status av_upload_begin(const struct av_client *client,
                          const struct av_upload_params *params,
                          struct av_upload **out,
                          struct av_error **error);

/**
 * Takes the next bytes of an upload, and returns at once, but for this: once a part is full and another
 * byte follows it, the part is sent. With `parallel_parts` 0 the call blocks until the service has confirmed
 * it. Otherwise a thread sends it, and the call blocks only while each of them has a part that is not
 * confirmed. The first part of a new video blocks in any case: only its answer tells which video it is.
 * A cancel ends what is under way, a deadline what blocks; bytes that are only taken are taken all the same.
 *
 * After an error the upload is still there, and nothing that was taken is lost: av_upload_offset() tells how
 * much of `data` was taken. Go on writing from there when the network is back, or keep
 * av_error_upload_state(), free the upload, and go on another day.
 *
 * @param upload   the upload; not NULL; by one call at a time: another one with it meanwhile, from its own
 *                 callbacks or another thread, fails with AV_STATUS_INVALID_ARGUMENT.
 * @param data     the bytes, copied before the call returns; not NULL unless `length` is 0.
 * @param length   how many there are.
 * @param options  for this call alone, or NULL; as for av_upload_file().
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_upload_file(), except SOURCE; INVALID_ARGUMENT also if the upload is finished, if its last
 * part may have been sent as such, or if its parts are used up. What failed on a thread is told by the next
 * call. After AV_OUTCOME_UNKNOWN without a state nothing more can be done with it.
 */
av_status av_upload_write(struct av_upload *upload,
                          const void *data,
                          size_t length,
                          const struct av_request_options *options,
                          struct av_error **error);

/**
 * Completes an upload: sends what is left as its last part, and hands out the video. Nothing can be written
 * after that. If it fails, call it again, as often as you like; only if the last part may have been sent,
 * nothing can be written any more.
 *
 * @param upload   the upload, to which something was written; not NULL; by one call at a time.
 * @param options  for this call alone, or NULL; as for av_upload_file().
 * @param out      receives the video, to be freed with av_uploaded_video_free(); not NULL.
 * @param error    receives what went wrong, to be freed with av_error_free(); may be NULL.
 *
 * @return as av_upload_write(); INVALID_ARGUMENT also if nothing was written, or nothing from where an upload
 * goes on.
 */
av_status av_upload_finish(struct av_upload *upload,
                           const struct av_request_options *options,
                           struct av_uploaded_video **out,
                           struct av_error **error);

/**
 * How many bytes of what is uploaded have been taken, from its very beginning: what av_upload_write() is to
 * be passed next. It is 0 at the beginning, what is confirmed after a resume, and after a write that failed
 * it tells what of that was taken.
 *
 * @param upload  the upload, or NULL. During a call with it, it is what it was before that.
 *
 * @return the number of bytes; 0 for NULL.
 */
uint64_t av_upload_offset(const struct av_upload *upload);

/**
 * What an upload can be gone on from by another one, such as after the program was started anew: for
 * av_upload_params.resume. Who keeps what `state_fn` tells, or has an error, has it already; this is for when
 * whatever makes the bytes has failed. With `parallel_parts`, what a thread has sent since the last call
 * with the upload is not in it yet: it is sent again then, or found to be there.
 *
 * @param upload  the upload, or NULL.
 *
 * @return one line of ASCII of at most 4096 bytes, as av_error_upload_state(), which is valid until the next
 * call with the upload. NULL if there is nothing to go on from: before the service has confirmed the first part
 * of a new video, once the upload is finished or has failed for good, during a call with it, and for NULL.
 */
const char *av_upload_state(struct av_upload *upload);

/**
 * Frees an upload, finished or not. NULL is a no-op. It never blocks, and sends nothing: of an unfinished
 * one what the service has is kept there for a week, for who goes on from its state. If a callback frees it
 * during a call, that call goes on to its end; av_upload_write() then fails with
 * AV_STATUS_INVALID_ARGUMENT.
 */
void av_upload_free(struct av_upload *upload);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* APIVIDEO_H */
