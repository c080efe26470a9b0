// What a failed call rejects with: one class for each status, with all that is known of the failure.
import * as native from './library.js';

const outcomes = new Map([[1, 'not-applied'], [2, 'applied']]);

/** A call failed. A status of a later library that has no class here is this class itself. */
export class ApiVideoError extends Error {
  /** @internal */
  constructor(status, error) {
    super(native.av_error_message(error));
    this.name = new.target.name;
    /** The AV_STATUS_… of apivideo.h. @type {number} */
    this.status = status;
    /** Its name, such as 'AV_STATUS_NOT_FOUND'. @type {string} */
    this.code = native.av_status_name(status);
    /**
     * What the call may have done to the service. After a create that is not 'not-applied', a token
     * may exist that nobody knows of. @type {'unknown' | 'not-applied' | 'applied'}
     */
    this.outcome = outcomes.get(native.av_error_outcome(error)) ?? 'unknown';
    /** Whether the cause is temporary and repeating the call cannot do anything twice. @type {boolean} */
    this.isRetryable = native.av_error_is_retryable(error) !== 0;
    /** The HTTP status of the answer; null if there was none. @type {number | null} */
    this.httpStatus = native.av_error_http_status(error) || null;
    /** How many times the request was tried, 0 if it was never begun. @type {number} */
    this.attempts = native.av_error_attempts(error);
    const retryAfter = Number(native.av_error_retry_after_ms(error));
    /** How long to wait before the next try, in milliseconds; null if not known. @type {number | null} */
    this.retryAfter = retryAfter < 0 ? null : retryAfter;
    /** The problem in the service's own words; each member is null if it has none. */
    this.problem = {
      type: native.av_error_problem_type(error),
      title: native.av_error_problem_title(error),
      detail: native.av_error_problem_detail(error),
      name: native.av_error_problem_name(error),
    };
    /**
     * Of an upload, what to go on from, as its option resume; null if there is nothing. It holds no token.
     * @type {string | null}
     */
    this.uploadState = native.av_error_upload_state(error);
    /** Of an upload, the id of the unfinished video; null if none is known. @type {string | null} */
    this.uploadVideoId = native.av_error_upload_video_id(error);
    /** The single problems that the service lists, as it does with HTTP 400. */
    this.problems = Array.from({ length: Number(native.av_error_problem_count(error)) }, (_, index) => ({
      type: native.av_error_problem_type_at(error, index),
      title: native.av_error_problem_title_at(error, index),
      detail: native.av_error_problem_detail_at(error, index),
      name: native.av_error_problem_name_at(error, index),
    }));
  }
}

/** The caller's mistake, found by the library; nothing was sent. */
export class InvalidArgumentError extends ApiVideoError {}
/** No connection; nothing was sent. */
export class ConnectError extends ApiVideoError {}
/** No TLS, or the certificate was refused; nothing was sent. */
export class TlsError extends ApiVideoError {}
/** The connection broke during the exchange. */
export class TransportError extends ApiVideoError {}
/** The time ran out. */
export class TimeoutError extends ApiVideoError {}
/** The call's signal ended it. Its cause is the signal's reason. */
export class AbortError extends ApiVideoError {}
/** HTTP 401 or 403: the credential, or an upload's token, is wrong, has ended or is for the other environment. */
export class UnauthorizedError extends ApiVideoError {}
/** HTTP 404: there is no such token, which may have expired or been deleted; or no such video to upload to. */
export class NotFoundError extends ApiVideoError {}
/** Any other HTTP 4xx; problems tell why. */
export class RejectedError extends ApiVideoError {}
/** Too many requests; retryAfter tells how long to wait. */
export class RateLimitedError extends ApiVideoError {}
/** HTTP 5xx: the service failed. */
export class ServerError extends ApiVideoError {}
/** An answer that the API does not promise. */
export class DecodeError extends ApiVideoError {}
/** A bug of the library, contained. */
export class InternalError extends ApiVideoError {}
/**
 * The source of an upload cannot be read, has changed, or is another one. If it is a stream that failed, the
 * cause is what it failed with.
 */
export class SourceError extends ApiVideoError {}

const classes = new Map([
  [1, InvalidArgumentError], [2, ConnectError], [3, TlsError], [4, TransportError], [5, TimeoutError], [6, AbortError],
  [7, UnauthorizedError], [8, NotFoundError], [9, RejectedError], [10, RateLimitedError], [11, ServerError],
  [12, DecodeError], [13, InternalError], [14, SourceError],
]);

/** The error of a status. It takes the native error, which may be null: it is freed here. @internal */
export function takeError(status, error) {
  try {
    return new (classes.get(status) ?? ApiVideoError)(status, error);
  } finally {
    native.av_error_free(error);
  }
}
