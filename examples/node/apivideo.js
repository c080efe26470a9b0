// Upload tokens of api.video from Node.js, and uploads with them: the client, what it takes and what it hands
// out. A wrapper of libapivideo by koffi, to be copied together with the files that it imports and
// upload_thread.js.
import {
  callOptions, choice, known, milliseconds, needed, number, requestOptions, text, uint32Max, yes,
} from './arguments.js';
import * as native from './library.js';
import { takeError } from './errors.js';
import { UploadSession, upload, uploadOptions, uploadParameters } from './uploads.js';

export * from './errors.js';
export { UploadSession, UploadedVideo } from './uploads.js';

/** The version of the library that runs, such as '0.1.0'. */
export const libraryVersion = native.av_library_version();

/**
 * An upload token, as it was when the service told of it.
 * @typedef {object} Token
 * @property {string} id the token: its id and the secret in one, so treat it as a password
 * @property {Date | null} createdAt when it was made, by the service's clock; null if not told
 * @property {Date | null} expiresAt when it ends; null if never, or not told
 * @property {number | null} ttl how long it is valid, in seconds; null if for ever, or not told
 * @property {boolean} neverExpires whether it is valid for ever
 */

/**
 * One page of tokens; numbers are null if the service did not tell them.
 * @typedef {object} TokenPage
 * @property {Token[]} tokens the tokens of this page
 * @property {number | null} itemsTotal how many tokens there are on all pages
 * @property {number | null} currentPage the number of this page, from 1
 * @property {number | null} pagesTotal how many pages there are
 * @property {number | null} pageSize how many tokens a page holds at most
 */

/**
 * What one call may do otherwise than its client. Here and below an option that is undefined or null is not
 * given, and one of another name rejects with a TypeError.
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] ends the call
 * @property {number} [timeout] as for the client
 * @property {number} [maxAttempts] as for the client
 */

/**
 * What to list.
 * @typedef {object} Query
 * @property {number} [page] the page, from 1
 * @property {number} [pageSize] how many tokens a page holds at most, 1 to 100; 25 unless given
 * @property {'createdAt' | 'ttl'} [sortBy] when a token was made, or how long it is still valid
 * @property {'asc' | 'desc'} [sortOrder] smallest or largest first
 */

/**
 * What to upload with, and how: token alone is enough.
 * @typedef {object} UploadOptions
 * @property {string} token the upload token
 * @property {string} [videoId] the id of a video without a file that was made before, as for a private one;
 *   otherwise the upload makes a new one
 * @property {string} [fileName] the name that the service is told of the file, which becomes a new video's
 *   title; the last part of the path unless given, of what is no file "video"
 * @property {string} [resume] the state to go on from, as an error's uploadState or onState told it; it must be
 *   of the same bytes. The token may be another one
 * @property {number} [partBytes] the size of a part in bytes, 5242880 (5 MiB) to 209715200 (200 MiB); unless
 *   given 32 MiB of a file and 8 MiB of what is no file. A part that fails is sent again from its beginning
 * @property {number} [maxBytesPerSecond] how many bytes per second are sent at most, from 1; no limit unless given
 * @property {number} [parallelParts] 1 to 16: so many parts at once, for links that one connection does not
 *   fill; 0 unless given, one after the other
 * @property {number} [stallTimeout] after so many milliseconds without a byte that arrives, another connection
 *   is tried; 30000 unless given, Infinity is no limit
 * @property {number} [answerTimeout] how many milliseconds the answer to a part may take; 300000 unless given,
 *   Infinity is no limit
 * @property {number} [patience] how many milliseconds an outage may last before the upload is given up; 300000
 *   unless given, Infinity never
 * @property {number} [progressInterval] how many milliseconds there are at least between two calls of
 *   onProgress while bytes are sent, from 1; 250 unless given
 * @property {(progress: UploadProgress) => void | Promise<void>} [onProgress] is told how far it has come
 * @property {(state: string) => void | Promise<void>} [onState] is told what to go on from after each part but the
 *   last: keep it in the place of the one before, and a crash costs one part. After a failure with attempts
 *   the error's uploadState takes its place, null too
 */

/**
 * How far an upload has come. bytesConfirmed + bytesSent never exceed bytesTotal.
 * @typedef {object} UploadProgress
 * @property {number} bytesConfirmed bytes in parts that the service has confirmed; it never goes back
 * @property {number} bytesSent bytes of the part under way that have arrived, besides
 * @property {number | null} bytesTotal how many there are; null if not known, as of a stream until its end
 * @property {number} bytesRepeated bytes that were sent in vain
 * @property {number} partsConfirmed how many parts the service has confirmed
 * @property {number | null} partsTotal how many there are; null if not known
 * @property {'sending' | 'waiting-for-answer' | 'waiting-to-retry' | 'waiting-for-rate-limit' | 'unknown'} activity
 *   what it is doing; 'unknown' is a later library's
 * @property {number} wait how many milliseconds it will wait before it goes on; 0 if it does not
 */

/**
 * A client: one credential, or none, one service, and the connections to it, kept open between calls. Calls run
 * beside the event loop, and reject with an ApiVideoError if they fail; any number may be under way.
 */
export class ApiVideo {
  /** The time to live of a token that is valid for ever. */
  static NEVER = Symbol('ApiVideo.NEVER');

  #client;
  #calls = 0;
  #closed = false;

  /**
   * Makes a client. Nothing is sent, so that a wrong key shows with the first call.
   * @param {object} options
   * @param {string} [options.apiKey] the account's API key; exactly one of this, accessToken and noCredential
   *   is set
   * @param {string} [options.accessToken] got from the service by other means; it is not renewed
   * @param {boolean} [options.noCredential] true: the client knows no key, on purpose, and can only upload
   * @param {string} [options.baseUrl] where the service is; the production service unless given
   * @param {string} [options.appName] your application, for the service's statistics
   * @param {string} [options.appVersion] its version, such as '1.20.3'
   * @param {string} [options.caFile] a PEM file that replaces the system's certificate authorities
   * @param {string} [options.proxyUrl] '' is none; unless given it is what the environment says
   * @param {number} [options.timeout] what a whole call may take, in milliseconds, from 1; Infinity is no
   *   limit; 30000 unless given
   * @param {number} [options.maxAttempts] how many times a request may be tried in all, from 1; 3 unless given
   */
  constructor(options, ...more) {
    const { apiKey, accessToken, noCredential, baseUrl, appName, appVersion, caFile, proxyUrl, timeout, maxAttempts } =
      known(options, clientOptions, more);
    const config = native.makeClientConfig({
      api_key: text('apiKey', apiKey),
      access_token: text('accessToken', accessToken),
      base_url: text('baseUrl', baseUrl),
      app_name: text('appName', appName),
      app_version: text('appVersion', appVersion),
      ca_file: text('caFile', caFile),
      proxy_url: text('proxyUrl', proxyUrl),
      timeout_ms: milliseconds('timeout', timeout),
      max_attempts: number('maxAttempts', maxAttempts, uint32Max),
      flags: yes('noCredential', noCredential) ? native.AV_CLIENT_NO_CREDENTIAL : 0,
    });
    const client = [null];
    const error = [null];
    const status = native.av_client_new(config, client, error);
    if (status !== 0) throw takeError(status, error[0]);
    this.#client = client[0];
  }

  /**
   * Makes an upload token. Whoever has it can upload videos to the account, until it ends or is deleted.
   * @param {CallOptions & { ttl: number | symbol }} options ttl: how long it is valid, in whole seconds,
   *   1 to 2147483647, or ApiVideo.NEVER for ever
   * @returns {Promise<Token>}
   */
  async createToken(options = {}, ...more) {
    const { ttl } = known(options, ['ttl', ...callOptions], more);
    return this.#call(options, native.av_tokens_create, [timeToLive(ttl)], takeToken);
  }

  /**
   * Looks up one active token; NotFoundError if it was never made, has expired or was deleted.
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Token>}
   */
  async getToken(id, options = {}, ...more) {
    known(options, callOptions, more);
    return this.#call(options, native.av_tokens_get, [needed('id', id)], takeToken);
  }

  /**
   * Lists one page of the active tokens.
   * @param {Query & CallOptions} [options]
   * @returns {Promise<TokenPage>}
   */
  async listTokens(options = {}, ...more) {
    const parameters = listParameters(known(options, queryOptions, more));
    return this.#call(options, native.av_tokens_list, [parameters], takePage);
  }

  /**
   * All active tokens of all pages, the oldest first unless sorted; one request a page, when it is
   * needed. Deleting meanwhile skips tokens: collect them first.
   * @param {Query & CallOptions} [options] page: where to begin; timeout: for each page
   * @returns {AsyncGenerator<Token, void, void>}
   */
  async *tokens(options = {}, ...more) {
    const parameters = listParameters(known(options, queryOptions, more));
    this.#refuseClosed();
    const iterator = [null];
    const error = [null];
    const status = native.av_tokens_iterate(this.#client, parameters, iterator, error);
    if (status !== 0) throw takeError(status, error[0]);
    try {
      let token;
      while ((token = await request(options, native.av_token_iter_next, [iterator[0]], borrowToken)) !== null) yield token;
    } finally {
      native.av_token_iter_free(iterator[0]);
    }
  }

  /**
   * Revokes a token; NotFoundError if it was never made, has expired or was deleted already.
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  async deleteToken(id, options = {}, ...more) {
    known(options, callOptions, more);
    return this.#call(options, native.av_tokens_delete, [needed('id', id)]);
  }

  /**
   * Uploads with a token, whether or not the client knows a key, on a thread of its own. One call makes at most
   * one video that plays; after a failure another goes on from the error's uploadState. What onProgress or
   * onState throws, or rejects with, ends the upload, and is what this rejects with.
   *
   * The source is what to upload: the path of a file, or its file: URL, which must not be written to meanwhile;
   * a Uint8Array; a stream, or any other iterable, of Uint8Arrays, which is read as fast as they are sent, and
   * destroyed if the upload ends before it; or a function that is passed how many bytes are uploaded already
   * and returns such a stream, or a promise of one, of what follows them. To go on from a state, all others are
   * the whole once more: of a stream what is uploaded already is read and dropped. If the source fails, that is
   * a SourceError, whose cause is what it failed with.
   * @param {string | URL | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>
   *   | ((offset: number) => AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>)} source
   * @param {UploadOptions & CallOptions} options timeout: of the whole upload; it has none unless given, for that
   *   of the client does not apply. maxAttempts: how many attempts in a row at one part may fail without
   *   getting further in it
   * @returns {Promise<UploadedVideo>}
   */
  async upload(source, options = {}, ...more) {
    const parameters = uploadParameters(known(options, [...uploadOptions, ...callOptions], more));
    const call = { signal: options.signal, ...requestOptions(options) };
    return this.#use((client) => upload(client, source, parameters, call));
  }

  /**
   * Begins to upload bytes that are passed one after the other as they are made. Nothing is sent yet. Of the
   * containers those may be sent so that are never changed at their beginning again: fragmented MP4, MPEG-TS,
   * WebM. The client may be closed before the session.
   * @param {UploadOptions} options
   * @returns {Promise<UploadSession>}
   */
  async beginUpload(options = {}, ...more) {
    const parameters = uploadParameters(known(options, uploadOptions, more));
    return this.#use((client) => UploadSession.begin(client, parameters));
  }

  /** Closes the client. Calls and loops under way end as if nothing had happened; later ones reject. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#calls === 0) native.av_client_free(this.#client);
  }

  [Symbol.dispose]() {
    this.close();
  }

  #refuseClosed() {
    if (this.#closed) throw new Error('the client is closed');
  }

  async #call(options, call, inputs, take) {
    return this.#use((client) => request(options, call, [client, ...inputs], take));
  }

  // A call may wait for a thread before it enters the library: until the last one has come back, a
  // client that was closed is not freed.
  async #use(call) {
    this.#refuseClosed();
    this.#calls++;
    try {
      return await call(this.#client);
    } finally {
      this.#calls--;
      if (this.#closed && this.#calls === 0) native.av_client_free(this.#client);
    }
  }
}

/** Runs one call on a thread of koffi's; `take` turns what it hands out into an object, and frees it. */
async function request(given, call, inputs, take) {
  const options = requestOptions(given);
  const { signal } = given;
  const cancel = signal ? native.av_cancel_new() : null;
  const trigger = () => native.av_cancel_trigger(cancel);
  try {
    options.cancel = cancel;
    signal?.addEventListener('abort', trigger);
    if (signal?.aborted) trigger();
    const out = [null];
    const error = [null];
    const outputs = take ? [out, error] : [error];
    const status = await new Promise((resolve, reject) => {
      call.async(...inputs, options, ...outputs, (failure, result) => (failure ? reject(failure) : resolve(result)));
    });
    if (status === 0) return take?.(out[0]);
    const failure = takeError(status, error[0]);
    if (signal?.aborted) failure.cause = signal.reason;
    throw failure;
  } finally {
    signal?.removeEventListener('abort', trigger);
    native.av_cancel_free(cancel);
  }
}

function takeToken(address) {
  try {
    return toToken(native.readToken(address));
  } finally {
    native.av_token_free(address);
  }
}

function takePage(address) {
  try {
    const page = native.readPage(address);
    return {
      tokens: page.tokens.map(toToken),
      itemsTotal: page.tokens.length === 0 ? Number(page.items_total) : told(page.items_total),
      currentPage: told(page.current_page),
      pagesTotal: told(page.pages_total),
      pageSize: told(page.page_size),
    };
  } finally {
    native.av_token_page_free(address);
  }
}

// A token of an iterator is the iterator's; null is the end.
function borrowToken(address) {
  return address === null ? null : toToken(native.readToken(address));
}

function toToken({ token, created_at, expires_at, ttl_seconds }) {
  const date = (seconds) => (seconds ? new Date(Number(seconds) * 1000) : null);
  return {
    id: token,
    createdAt: date(created_at),
    expiresAt: date(expires_at),
    ttl: ttl_seconds > 0 ? ttl_seconds : null,
    neverExpires: ttl_seconds === 0,
  };
}

// Counts come as BigInts if they are beyond what a number holds exactly.
const told = (count) => Number(count) || null;

function listParameters({ page, pageSize, sortBy, sortOrder }) {
  return native.makeListParameters({
    current_page: number('page', page, uint32Max),
    page_size: number('pageSize', pageSize, uint32Max),
    sort_by: choice('sortBy', sortBy, ['createdAt', 'ttl']),
    sort_order: choice('sortOrder', sortOrder, ['asc', 'desc']),
  });
}

// The library's 0 is for ever, which nothing but its name may ask for.
function timeToLive(ttl) {
  if (ttl === ApiVideo.NEVER) return 0;
  if (ttl === undefined || ttl === null) throw new TypeError('ttl is missing: a number of seconds, or ApiVideo.NEVER');
  return number('ttl', ttl, 0x7fff_ffff);
}

const queryOptions = ['page', 'pageSize', 'sortBy', 'sortOrder', ...callOptions];
const clientOptions = [
  'apiKey', 'accessToken', 'noCredential', 'baseUrl', 'appName', 'appVersion', 'caFile', 'proxyUrl', 'timeout', 'maxAttempts',
];
