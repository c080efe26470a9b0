// Uploads: of files, of streams, and of what is passed piece by piece. Each has a thread of its own
// (upload_thread.js), which ends with it.
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import { callback, callOptions, known, milliseconds, needed, number, requestOptions, text, uint32Max } from './arguments.js';
import * as native from './library.js';
import { takeError } from './errors.js';

/** The names of what there is to say of an upload. @internal */
export const uploadOptions = [
  'token', 'videoId', 'fileName', 'resume', 'partBytes', 'maxBytesPerSecond', 'parallelParts', 'stallTimeout',
  'answerTimeout', 'patience', 'progressInterval', 'onProgress', 'onState',
];

/** The same in C, and who is told. @internal */
export function uploadParameters(options) {
  return {
    parameters: {
      token: needed('token', options.token),
      video_id: text('videoId', options.videoId),
      file_name: text('fileName', options.fileName),
      resume: text('resume', options.resume),
      part_bytes: number('partBytes', options.partBytes, Number.MAX_SAFE_INTEGER),
      max_bytes_per_second: number('maxBytesPerSecond', options.maxBytesPerSecond, Number.MAX_SAFE_INTEGER),
      parallel_parts: number('parallelParts', options.parallelParts, 16, 0),
      stall_timeout_ms: milliseconds('stallTimeout', options.stallTimeout),
      answer_timeout_ms: milliseconds('answerTimeout', options.answerTimeout),
      patience_ms: milliseconds('patience', options.patience),
      progress_interval_ms: number('progressInterval', options.progressInterval, uint32Max),
    },
    onProgress: callback('onProgress', options.onProgress),
    onState: callback('onState', options.onState),
  };
}

/**
 * A video that was uploaded. Of a private one the addresses, and json, hold a secret: they are read by their
 * names, and neither console.log nor JSON.stringify shows them.
 */
export class UploadedVideo {
  #addresses;

  /** @internal */
  constructor({ video_id, title, bytes, created_at, published_at, is_public, videos_abandoned, ...addresses }) {
    const date = (seconds) => (seconds ? new Date(Number(seconds) * 1000) : null);
    /** Its id. @type {string} */
    this.id = video_id;
    /** Its title; null if not told. @type {string | null} */
    this.title = title;
    /** How many bytes were uploaded in all. @type {number} */
    this.bytes = Number(bytes);
    /** When it was made, by the service's clock; null if not told. @type {Date | null} */
    this.createdAt = date(created_at);
    /** When it was published; null if not told. @type {Date | null} */
    this.publishedAt = date(published_at);
    /** Whether anybody may see it; null if not told. @type {boolean | null} */
    this.isPublic = is_public < 0 ? null : is_public !== 0;
    /** How many unfinished videos this upload may have left behind, which the service drops. @type {number} */
    this.videosAbandoned = videos_abandoned;
    this.#addresses = addresses;
  }

  /** The address of a page that plays it; null if not told. @type {string | null} */
  get playerUrl() { return this.#addresses.player_url; }
  /** HTML with that page in a frame; null if not told. @type {string | null} */
  get iframeHtml() { return this.#addresses.iframe_html; }
  /** The address of its HLS manifest; null if not told. @type {string | null} */
  get hlsUrl() { return this.#addresses.hls_url; }
  /** The address of an MP4 file; null if not told. @type {string | null} */
  get mp4Url() { return this.#addresses.mp4_url; }
  /** The address of a picture of it; null if not told. @type {string | null} */
  get thumbnailUrl() { return this.#addresses.thumbnail_url; }
  /**
   * The service's answer as it is; null, as all of the above but the id, if that was lost and it was proved
   * otherwise that the video is whole. @type {string | null}
   */
  get json() { return this.#addresses.json; }
}

function takeVideo(address) {
  try {
    return new UploadedVideo(native.readVideo(address));
  } finally {
    native.av_uploaded_video_free(address);
  }
}

const activities = ['sending', 'waiting-for-answer', 'waiting-to-retry', 'waiting-for-rate-limit'];

/** How far an upload has come, in this language's words. @internal */
export const toProgress = (progress) => ({
  bytesConfirmed: Number(progress.bytes_confirmed),
  bytesSent: Number(progress.bytes_sent),
  bytesTotal: Number(progress.bytes_total) || null,
  bytesRepeated: Number(progress.bytes_repeated),
  partsConfirmed: progress.parts_confirmed,
  partsTotal: progress.parts_total || null,
  activity: activities[progress.state] ?? 'unknown',
  wait: progress.wait_ms,
});

// When the program ends Node.js waits for its threads, and those for the library.
const underWay = new Set();
process.on('exit', () => {
  for (const cancel of underWay) native.av_cancel_trigger(cancel);
});

/**
 * What ends a call before it is done: its signal, what a callback throws, its time. It is in the main thread's
 * hands, so that it acts at once, whatever the upload's thread is inside of.
 */
class Ending {
  #options;
  #signal;
  #deadline;
  #timer;
  #leave = () => {};
  /** What a callback threw, in an array of its own: it may be anything. */
  thrown = null;

  constructor({ signal, ...options }) {
    this.#signal = signal;
    this.#options = { ...options, cancel: native.av_cancel_new() };
    underWay.add(this.#options.cancel);
    const { timeout_ms } = options;
    this.#deadline = timeout_ms === 0 || timeout_ms === uint32Max ? Infinity : performance.now() + timeout_ms;
    signal?.addEventListener('abort', this.trigger);
    if (signal?.aborted) this.trigger();
  }

  trigger = () => {
    native.av_cancel_trigger(this.#options.cancel);
    this.#leave();
  };

  throw(reason) {
    this.thrown ??= [reason];
    this.trigger();
  }

  get #left() {
    return Math.ceil(this.#deadline - performance.now());
  }

  /** For the next call in the library, which may take what is left of the time. */
  options() {
    if (this.#deadline === Infinity) return this.#options;
    return { ...this.#options, timeout_ms: Math.max(1, this.#left) };
  }

  get isAborted() {
    return this.#signal?.aborted ?? false;
  }

  get reason() {
    return this.#signal.reason;
  }

  /** What the promise that `begin` makes comes to; undefined if the call is to end before. */
  async waitFor(begin) {
    if (this.isAborted || this.#left <= 0) return undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#leave = () => resolve(undefined);
        // Longer ones are cut short by Node.js, and are none that anybody waits for.
        if (this.#left < 2 ** 31) this.#timer = setTimeout(this.#leave, this.#left);
        begin().then(resolve, reject);
      });
    } finally {
      clearTimeout(this.#timer);
      this.#leave = () => {};
    }
  }

  close() {
    this.#signal?.removeEventListener('abort', this.trigger);
    underWay.delete(this.#options.cancel);
    native.av_cancel_free(this.#options.cancel);
  }
}

/** The thread of an upload, and what it tells. It keeps the program running while a call is under way. */
class Thread {
  #worker;
  #exit;
  #answer = null;
  #failure = null;
  #ending = null;
  // Settled once all callbacks are: they may be asynchronous.
  #told = Promise.resolve();
  /** How many bytes were taken. */
  offset = 0;

  constructor({ parameters, onProgress, onState }) {
    this.#worker = new Worker(new URL('./upload_thread.js', import.meta.url), {
      workerData: { parameters, tellsProgress: onProgress !== null, tellsState: onState !== null },
      execArgv: [], // none of the program's is for it
    });
    this.#worker.on('message', ({ answer, progress, state }) => {
      if (progress !== undefined) this.#tell(onProgress, toProgress(progress));
      else if (state !== undefined) this.#tell(onState, state);
      else this.#answer.resolve(answer);
    });
    const fail = (failure) => {
      this.#failure ??= failure;
      this.#answer?.reject(this.#failure);
    };
    this.#worker.on('error', fail);
    this.#exit = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        fail(new Error("the upload's thread has ended"));
        resolve();
      });
    });
  }

  #tell(callback, value) {
    const told = (async () => callback(value))().catch((reason) => this.#ending?.throw(reason));
    this.#told = this.#told.then(() => told);
  }

  /** Makes one call, and hands out what `take` makes of what it does. */
  async call(name, inputs, ending, take) {
    const { status, out, error } = await this.#ask(name, inputs, ending);
    if (ending?.thrown) {
      native.av_error_free(error);
      native.av_uploaded_video_free(out);
      throw ending.thrown[0];
    }
    if (status === 0) return take?.(out);
    const failure = takeError(status, error);
    if (ending?.isAborted) failure.cause = ending.reason;
    throw failure;
  }

  /**
   * The error for an upload of which no call failed, with all that the library knows of it: a call that is
   * cancelled beforehand sends nothing and tells that.
   */
  async interrupt(status, message, ending, resume) {
    ending.trigger();
    const answer = await this.#ask('finish', {}, ending);
    const failure = takeError(status, answer.error);
    if (message) failure.message = message;
    // Of what nothing was added to, it says nothing.
    failure.uploadState ??= resume;
    return failure;
  }

  async #ask(name, inputs, ending) {
    if (this.#failure) throw this.#failure;
    this.#ending = ending;
    this.#worker.ref();
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#answer = { resolve, reject };
        const message = { name, inputs: { ...inputs, options: ending?.options() ?? null } };
        this.#worker.postMessage(message, inputs.bytes ? [inputs.bytes.buffer] : []);
      });
      this.offset = answer.offset;
      await this.#told;
      return answer;
    } finally {
      this.#worker.unref();
      this.#answer = null;
      this.#ending = null;
    }
  }

  /** Frees what the thread has, after the call that it is inside of, and ends it. */
  end() {
    this.#worker.ref();
    this.#worker.postMessage({ name: 'end' });
    return this.#exit;
  }
}

/** How much is passed to a thread at once: each piece is copied. */
const pieceBytes = 1 << 20;

async function write(thread, bytes, ending) {
  for (let begin = 0; begin < bytes.length; begin += pieceBytes)
    // Not by slice, which of a Buffer is a view: a copy, and no more of the memory than that.
    await thread.call('write', { bytes: new Uint8Array(bytes.subarray(begin, begin + pieceBytes)) }, ending);
}

const finish = (thread, ending) => thread.call('finish', {}, ending, takeVideo);

/** Uploads from any source. @internal */
export async function upload(client, source, parameters, call) {
  const path = pathOf(source);
  const stream = path === null ? new Stream(source) : null;
  const ending = new Ending(call);
  let thread = null;
  try {
    thread = new Thread(parameters);
    if (path !== null) return await thread.call('file', { client, path }, ending, takeVideo);
    await thread.call('begin', { client });
    return await uploadStream(thread, stream, parameters.parameters.resume, ending);
  } finally {
    stream?.close();
    await thread?.end();
    ending.close();
  }
}

async function uploadStream(thread, stream, resume, ending) {
  stream.beginAt(thread.offset);
  let bytes;
  do {
    try {
      bytes = await ending.waitFor(() => stream.next());
    } catch (cause) {
      const failure = await thread.interrupt(14, 'the source failed, as the cause tells', ending, resume);
      failure.cause = cause;
      throw failure;
    }
    if (bytes === undefined) throw await endedWhileWaiting(thread, resume, ending);
    await write(thread, bytes ?? [], ending);
  } while (bytes !== null);
  return finish(thread, ending);
}

async function endedWhileWaiting(thread, resume, ending) {
  if (!ending.isAborted) return thread.interrupt(5, "the upload's time is over: the source gave nothing more", ending, resume);
  const failure = await thread.interrupt(6, null, ending, resume);
  failure.cause = ending.reason;
  return failure;
}

function pathOf(source) {
  if (source instanceof URL) return text('source', fileURLToPath(source));
  return typeof source === 'string' ? text('source', source) : null;
}

/** A source that is no file. */
class Stream {
  #open = null;
  #iterator = null;
  #first = null;
  #source = null;
  #skip = 0;
  #isAtEnd = false;

  constructor(source) {
    if (typeof source === 'function') {
      this.#open = source;
      return;
    }
    if (!source?.[Symbol.asyncIterator] && !source?.[Symbol.iterator])
      throw new TypeError('source must be a path, a file: URL, a Uint8Array, a stream of them, or a function that opens one');
    this.#source = types.isUint8Array(source) ? [source] : source;
    this.#iterator = each(this.#source);
    // At once: an error of a stream that nobody reads yet would end the program.
    this.#first = this.#iterator.next();
    this.#first.catch(() => {});
  }

  /** So much is uploaded already. */
  beginAt(offset) {
    if (this.#open === null) this.#skip = offset;
    else this.#iterator = this.#opened(offset);
  }

  async *#opened(offset) {
    this.#source = await this.#open(offset);
    yield* this.#source;
  }

  /** Its next bytes; null at its end. */
  async next() {
    for (;;) {
      const next = this.#first ?? this.#iterator.next();
      this.#first = null;
      const { done, value } = await next;
      this.#isAtEnd = done;
      if (done && this.#skip > 0) throw new RangeError('the source ended before what is uploaded of it already');
      if (done) return null;
      if (!types.isUint8Array(value)) throw new TypeError('a source must give Uint8Arrays');
      const skipped = Math.min(this.#skip, value.length);
      this.#skip -= skipped;
      if (value.length > skipped) return value.subarray(skipped);
    }
  }

  /** Leaves it, as `for await` does; but one that gives nothing is not waited for. */
  close() {
    if (this.#isAtEnd) return;
    this.#iterator?.return().catch(() => {});
    if (typeof this.#source?.destroy === 'function') this.#source.destroy();
  }
}

async function* each(iterable) {
  yield* iterable;
}

// A session that was forgotten.
const forgotten = new FinalizationRegistry((thread) => thread.end());

/**
 * An upload of bytes that are passed one after the other: ApiVideo.beginUpload() makes it. One call at a time;
 * a second one meanwhile rejects. After an error it is still there, and nothing that was taken is lost: go on
 * from `offset`, or keep the error's uploadState, close it, and go on another day with that as `resume`.
 */
export class UploadSession {
  #thread;
  #isBusy = false;
  #isClosed = false;

  /** @internal */
  static async begin(client, parameters) {
    const thread = new Thread(parameters);
    try {
      await thread.call('begin', { client });
    } catch (failure) {
      await thread.end();
      throw failure;
    }
    return new UploadSession(thread);
  }

  /** @internal */
  constructor(thread) {
    this.#thread = thread;
    forgotten.register(this, thread, this);
  }

  /**
   * How many bytes were taken, from the very beginning: what write() is to be passed next. It is 0 at the
   * beginning, what is confirmed after a resume, and after a write that failed it tells how much that has taken.
   * @type {number}
   */
  get offset() {
    return this.#thread.offset;
  }

  /**
   * Takes the next bytes. Once a part is full and another byte follows it is sent, and this resolves when that is
   * confirmed; otherwise at once.
   * @param {Uint8Array} bytes of any length; not to be changed before this settles
   * @param {CallOptions} [options] timeout: of this call; none unless given
   * @returns {Promise<void>}
   */
  async write(bytes, options = {}, ...more) {
    if (!types.isUint8Array(bytes)) throw new TypeError('bytes must be a Uint8Array');
    return this.#call(options, more, (ending) => write(this.#thread, bytes, ending));
  }

  /**
   * Completes the upload, and closes the session. If it fails, call it again, as often as you like.
   * @param {CallOptions} [options] timeout: of this call; none unless given
   * @returns {Promise<UploadedVideo>}
   */
  async finish(options = {}, ...more) {
    const video = await this.#call(options, more, (ending) => finish(this.#thread, ending));
    await this.close();
    return video;
  }

  /**
   * Ends the upload, finished or not, after the call that is under way. Nothing is sent: the service keeps what
   * it has for a week.
   * @returns {Promise<void>} when its thread has ended
   */
  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    forgotten.unregister(this);
    await this.#thread.end();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  async #call(options, more, call) {
    const checked = { signal: known(options, callOptions, more).signal, ...requestOptions(options) };
    if (this.#isClosed) throw new Error('the session is closed');
    if (this.#isBusy) throw new Error('the session is in another call');
    this.#isBusy = true;
    const ending = new Ending(checked);
    try {
      return await call(ending);
    } finally {
      ending.close();
      this.#isBusy = false;
    }
  }
}
