// Upload tokens of api.video from Node.js: the client, what it takes and what it hands out. A wrapper
// of libapivideo by koffi, to be copied together with errors.js and library.js.
import * as native from './library.js';
import { takeError } from './errors.js';

export * from './errors.js';

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
 * A client: one credential, one service, and the connections to it, kept open between calls. Calls run
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
   * @param {string} [options.apiKey] the account's API key; exactly one of this and accessToken is set
   * @param {string} [options.accessToken] got from the service by other means; it is not renewed
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
    const { apiKey, accessToken, baseUrl, appName, appVersion, caFile, proxyUrl, timeout, maxAttempts } =
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

  // A call may wait for a thread before it enters the library: until the last one has come back, a
  // client that was closed is not freed.
  async #call(options, call, inputs, take) {
    this.#refuseClosed();
    this.#calls++;
    try {
      return await request(options, call, [this.#client, ...inputs], take);
    } finally {
      this.#calls--;
      if (this.#closed && this.#calls === 0) native.av_client_free(this.#client);
    }
  }
}

/** Runs one call on a thread of koffi's; `take` turns what it hands out into an object, and frees it. */
async function request({ signal, timeout, maxAttempts }, call, inputs, take) {
  const options = native.makeRequestOptions({
    timeout_ms: milliseconds('timeout', timeout),
    max_attempts: number('maxAttempts', maxAttempts, uint32Max),
  });
  refuseOddSignal(signal);
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

const uint32Max = 0xffff_ffff;

const callOptions = ['signal', 'timeout', 'maxAttempts'];
const queryOptions = ['page', 'pageSize', 'sortBy', 'sortOrder', ...callOptions];
const clientOptions = [
  'apiKey', 'accessToken', 'baseUrl', 'appName', 'appVersion', 'caFile', 'proxyUrl', 'timeout', 'maxAttempts',
];

// What is misspelt, comes behind the options, or is none at all, would otherwise silently mean the default.
function known(options, names, more) {
  if (more.length > 0) throw new TypeError('options are one object, and nothing comes behind it');
  // Not by its prototype, which of an object from another realm is another one.
  if (Object.prototype.toString.call(options) !== '[object Object]') throw new TypeError('options must be an object');
  for (const name of namesIn(options)) {
    if (!names.includes(name)) throw new TypeError(`unknown option '${String(name)}'; there are ${names.join(', ')}`);
  }
  return options;
}

// Those of prototypes are read like its own; what every object has is at the root of them.
function* namesIn(options) {
  yield* Reflect.ownKeys(options);
  let from = Object.getPrototypeOf(options);
  for (let next; from !== null && (next = Object.getPrototypeOf(from)) !== null; from = next)
    yield* Reflect.ownKeys(from).filter((name) => name !== 'constructor');
}

function refuseOddSignal(signal) {
  if (signal === undefined || signal === null) return;
  if (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')
    throw new TypeError('signal must be an AbortSignal');
}

// What C can express, and the library's 0 or NULL for what is not given.

function text(name, value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  // C would read a string with a NUL in it as a shorter one; UTF-8 cannot express half of a surrogate pair.
  if (value.includes('\0')) throw new TypeError(`${name} contains a NUL character`);
  if (/\p{Surrogate}/u.test(value)) throw new TypeError(`${name} is not valid Unicode`);
  return value;
}

function needed(name, value) {
  if (value === undefined || value === null) throw new TypeError(`${name} must be a string`);
  return text(name, value);
}

function number(name, value, most) {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new RangeError(`${name} must be a whole number from 1 to ${most}`);
  return value;
}

// The library's 0 is for ever, which nothing but its name may ask for.
function timeToLive(ttl) {
  if (ttl === ApiVideo.NEVER) return 0;
  if (ttl === undefined || ttl === null) throw new TypeError('ttl is missing: a number of seconds, or ApiVideo.NEVER');
  return number('ttl', ttl, 0x7fff_ffff);
}

// The largest number is the library's word for no limit.
function milliseconds(name, value) {
  return value === Infinity ? uint32Max : number(name, value, uint32Max - 1);
}

function choice(name, value, choices) {
  if (value === undefined || value === null) return 0;
  const index = choices.indexOf(value);
  if (index < 0) throw new RangeError(`${name} must be one of ${choices.join(', ')}`);
  return index + 1;
}
