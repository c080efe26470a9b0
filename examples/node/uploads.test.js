// Tests of uploads, each named by what it holds. They want the stand-ins that
// tests/languages/with_local_api.sh starts, and hold what was told against the ledger of what was received.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, pbkdf2, randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createReadStream, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inspect, promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as apivideo from './apivideo.js';
import { toProgress } from './uploads.js';

const { ApiVideo, UploadedVideo, UploadSession } = apivideo;
const { APIVIDEO_API_KEY: apiKey, APIVIDEO_BASE_URL: quick } = process.env;

const mebibyte = 1 << 20;
const part = 5 * mebibyte; // the least that a part has

const device = new ApiVideo({ noCredential: true, baseUrl: quick, proxyUrl: '' });
let token;
let directory;

before(async () => {
  const backend = new ApiVideo({ apiKey, baseUrl: quick, proxyUrl: '' });
  token = (await backend.createToken({ ttl: 3600 })).id;
  backend.close();
  directory = await mkdtemp(join(tmpdir(), 'apivideo-'));
});
after(async () => {
  device.close();
  await rm(directory, { recursive: true });
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function file(name, bytes) {
  await writeFile(join(directory, name), bytes);
  return join(directory, name);
}

async function received(videoId) {
  const { uploads } = await (await fetch(`${quick}/local-api/ledger`)).json();
  return uploads.videos.find((video) => video.videoId === videoId);
}

/** That the service has the video, whole, and each part was received once. */
async function assertWhole(video, bytes) {
  assert.ok(video instanceof UploadedVideo);
  const { whole, sha256: sum, parts } = await received(video.id);
  assert.equal(whole, true);
  assert.equal(sum, sha256(bytes));
  assert.deepEqual(parts.map((it) => it.received), parts.map(() => 1));
  assert.equal(video.bytes, bytes.length);
  return parts;
}

/** A stream of these bytes, in chunks of an odd size. */
const streamOf = (bytes, chunk = 1_000_003) =>
  Readable.from((function* () {
    for (let begin = 0; begin < bytes.length; begin += chunk) yield bytes.subarray(begin, begin + chunk);
  })(), { objectMode: false });

/** A service that does what `answer` does with each request, while `use` uses it. */
async function service(answer, use) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const local = new ApiVideo({ noCredential: true, baseUrl: `http://127.0.0.1:${server.address().port}`, proxyUrl: '' });
  try {
    return await use(local);
  } finally {
    local.close();
    server.closeAllConnections();
    server.close();
  }
}

/** What `use` gets from a client, none of which may send anything. */
const unsent = (use) => service((request) => assert.fail(`${request.method} ${request.url} was sent`), use);

const rejection = (promise) => promise.then(() => assert.fail('it succeeded'), (error) => error);

/** An upload that is aborted once a part is confirmed and another one is under way; returns the error. */
async function interrupted(source, options) {
  const controller = new AbortController();
  const onProgress = ({ bytesConfirmed, bytesSent }) => {
    if (bytesConfirmed > 0 && bytesSent > 0) controller.abort('enough');
  };
  const slowly = { maxBytesPerSecond: 6 * mebibyte, partBytes: part, progressInterval: 20 };
  const error = await rejection(device.upload(source, { token, ...slowly, onProgress, signal: controller.signal, ...options }));
  assert.equal(error.constructor, apivideo.AbortError);
  return error;
}

test('a file is uploaded by a client that knows no key', async () => {
  const bytes = randomBytes(300_000);
  const video = await device.upload(await file('Größe ✓.mp4', bytes), { token });
  await assertWhole(video, bytes);
  assert.equal(video.title, 'Größe ✓.mp4');
  assert.equal(JSON.parse(video.json).videoId, video.id);
  assert.ok(Math.abs(Date.now() - video.createdAt) < 300_000, 'made just now');
  assert.ok(video.publishedAt instanceof Date);
  assert.equal(video.isPublic, true);
  assert.equal(video.videosAbandoned, 0);
  for (const address of [video.playerUrl, video.hlsUrl, video.mp4Url, video.thumbnailUrl]) assert.match(address, /^https:/);
  assert.match(video.iframeHtml, /<iframe/);
});

test('a client without a key must be asked for by name, and can only upload', async () => {
  assert.throws(() => new ApiVideo({ baseUrl: quick }), apivideo.InvalidArgumentError);
  assert.throws(() => new ApiVideo({ baseUrl: quick, noCredential: false }), apivideo.InvalidArgumentError);
  assert.throws(() => new ApiVideo({ apiKey, baseUrl: quick, noCredential: true }), apivideo.InvalidArgumentError);
  for (const odd of [1, 'true', {}]) assert.throws(() => new ApiVideo({ baseUrl: quick, noCredential: odd }), TypeError);
  await assert.rejects(device.listTokens(), apivideo.InvalidArgumentError);
});

test('a client with a key uploads too', async () => {
  const bytes = randomBytes(1000);
  const backend = new ApiVideo({ apiKey, baseUrl: quick, proxyUrl: '' });
  const upload = backend.upload(bytes, { token });
  backend.close(); // what is under way goes on
  await assertWhole(await upload, bytes);
});

test('the progress of a file and its states are told', async () => {
  const bytes = randomBytes(2 * part + 1000);
  const told = [];
  const states = [];
  const video = await device.upload(pathToFileURL(await file('parts.mp4', bytes)), {
    token, partBytes: part, progressInterval: 1, fileName: 'holidays.mp4',
    onProgress: (progress) => told.push(progress), onState: (state) => states.push(state),
  });
  assert.equal((await assertWhole(video, bytes)).length, 3);
  assert.equal(video.title, 'holidays.mp4');
  const sums = told.map((it) => it.bytesConfirmed);
  assert.deepEqual(sums, [...sums].sort((a, b) => a - b));
  assert.ok(told.some((it) => it.bytesSent > 0));
  assert.ok(told.every((it) => ['sending', 'waiting-for-answer'].includes(it.activity)));
  assert.deepEqual(told.at(-1), {
    bytesConfirmed: bytes.length, bytesSent: 0, bytesTotal: bytes.length, bytesRepeated: 0,
    partsConfirmed: 3, partsTotal: 3, activity: 'sending', wait: 0,
  });
  assert.equal(states.length, 2);
  assert.ok(states.every((state) => /^[ -~]+$/.test(state) && !state.includes(token)));
});

test('parts of a file are uploaded side by side', async () => {
  const bytes = randomBytes(3 * part + 1000);
  const told = [];
  const onProgress = (progress) => told.push(progress);
  const video = await device.upload(await file('parallel.mp4', bytes), { token, partBytes: part, parallelParts: 4, onProgress });
  assert.equal((await assertWhole(video, bytes)).length, 4);
  assert.equal(told.at(-1).bytesConfirmed, bytes.length);
});

test('progress of a later library is told', () => {
  const { activity, bytesTotal, partsTotal } = toProgress({ state: 4711, bytes_total: 0, parts_total: 0 });
  assert.deepEqual({ activity, bytesTotal, partsTotal }, { activity: 'unknown', bytesTotal: null, partsTotal: null });
});

test('bytes are uploaded from memory', async () => {
  const all = randomBytes(2 * part + 77); // with others around them
  const bytes = all.subarray(7, -7);
  const video = await device.upload(bytes, { token, partBytes: part });
  assert.equal((await assertWhole(video, bytes)).length, 3);
  assert.equal(video.title, 'video');
});

test('a stream is uploaded', async () => {
  const bytes = randomBytes(2 * part + 1000);
  const path = await file('stream.mp4', bytes);
  const sources = [createReadStream(path), Readable.toWeb(createReadStream(path)), [bytes.subarray(0, 10), new Uint8Array(), bytes.subarray(10)],
    (offset) => createReadStream(path, { start: offset }), async () => streamOf(bytes)];
  for (const source of sources) {
    const video = await device.upload(source, { token, partBytes: part, parallelParts: 2, fileName: 'stream.mp4' });
    assert.equal((await assertWhole(video, bytes)).length, 3);
    assert.equal(video.title, 'stream.mp4');
  }
});

test('a stream is read no faster than it is sent', async () => {
  let given = 0;
  const source = (function* () {
    for (; given < 4 * part; given += mebibyte) yield new Uint8Array(mebibyte);
  })();
  await interrupted(source, {});
  assert.ok(given <= 2 * part + 2 * mebibyte, `${given} bytes were read while the second part is sent`);
});

test('an aborted upload goes on from its state, and nothing that was confirmed is sent again', async () => {
  const bytes = randomBytes(3 * part);
  const path = await file('paused.mp4', bytes);
  const error = await interrupted(path);
  assert.equal(error.name, 'AbortError');
  assert.equal(error.cause, 'enough');
  assert.equal(error.outcome, 'not-applied');
  const [first] = (await received(error.uploadVideoId)).parts;
  assert.deepEqual([first.bytes, first.received], [part, 1]);

  let began;
  const video = await device.upload(path, { token, resume: error.uploadState, onProgress: (progress) => (began ??= progress) });
  assert.equal(video.id, error.uploadVideoId);
  assert.equal(began.bytesConfirmed, part);
  await assertWhole(video, bytes);
});

test('a stream goes on from its state', async () => {
  const bytes = randomBytes(3 * part);
  const path = await file('paused-stream.mp4', bytes);
  const offsets = [];
  const sources = [bytes, () => streamOf(bytes), (offset) => (offsets.push(offset), createReadStream(path, { start: offset }))];
  for (const source of sources) {
    const isWhole = offsets.length === 0 && source === sources[1];
    const error = await interrupted(isWhole ? source() : source);
    const video = await device.upload(isWhole ? source() : source, { token, resume: error.uploadState });
    assert.equal(video.id, error.uploadVideoId);
    await assertWhole(video, bytes);
  }
  assert.deepEqual(offsets, [0, part]);
});

test('a source that is shorter than what is uploaded of it is refused', async () => {
  const bytes = randomBytes(2 * part + mebibyte);
  const { uploadState } = await interrupted(bytes);
  for (const source of [bytes.subarray(0, 1000), streamOf(bytes.subarray(0, 1000))]) {
    const error = await rejection(device.upload(source, { token, resume: uploadState }));
    assert.equal(error.constructor, apivideo.SourceError);
    assert.match(error.cause.message, /ended before/);
    assert.equal(error.uploadState, uploadState);
  }
});

test('a stream that fails tells its own error, and the state to go on from', async () => {
  const bytes = randomBytes(3 * part);
  const broken = new Error('the camera is gone');
  const source = (async function* () {
    yield* streamOf(bytes.subarray(0, 2 * part + 10));
    throw broken;
  })();
  const error = await rejection(device.upload(source, { token, partBytes: part }));
  assert.equal(error.constructor, apivideo.SourceError);
  assert.equal(error.code, 'AV_STATUS_SOURCE');
  assert.equal(error.cause, broken);
  assert.equal(error.outcome, 'not-applied');
  const video = await device.upload(bytes, { token, resume: error.uploadState });
  assert.equal(video.id, error.uploadVideoId);
  await assertWhole(video, bytes);
});

test('a source that fails at once, or gives no bytes, is an error of its own', async () => {
  await unsent(async (local) => {
    const missing = createReadStream(join(directory, 'missing.mp4'));
    assert.equal((await rejection(local.upload(missing, { token }))).cause.code, 'ENOENT');
    const destroyed = new PassThrough();
    destroyed.destroy(new Error('no more'));
    assert.equal((await rejection(local.upload(destroyed, { token }))).cause.message, 'no more');
    const throws = () => { throw new RangeError('from the function'); };
    assert.equal((await rejection(local.upload(throws, { token }))).cause.message, 'from the function');
    for (const source of [['text'], [[1, 2]], [5], Readable.from(['text']), () => 5, async () => null]) {
      const error = await rejection(local.upload(source, { token }));
      assert.equal(error.constructor, apivideo.SourceError);
      assert.equal(error.cause.constructor, TypeError);
    }
    await assert.rejects(local.upload(new Uint8Array(), { token }), apivideo.InvalidArgumentError);
    await assert.rejects(local.upload([], { token }), apivideo.InvalidArgumentError);
  });
});

test('a file that is missing is a SourceError, and what is no file an argument', async () => {
  await unsent(async (local) => {
    const error = await rejection(local.upload(join(directory, 'missing.mp4'), { token }));
    assert.equal(error.constructor, apivideo.SourceError);
    assert.equal(error.uploadState, null);
    assert.equal(error.uploadVideoId, null);
    for (const path of [await file('empty.mp4', ''), directory])
      await assert.rejects(local.upload(path, { token }), apivideo.InvalidArgumentError);
  });
});

test('a token that is not good is refused, and a state is gone on from with another one', async () => {
  const error = await rejection(device.upload(randomBytes(1000), { token: 'none-of-ours' }));
  assert.equal(error.constructor, apivideo.UnauthorizedError);
  assert.equal(error.httpStatus, 401);
  assert.equal(error.outcome, 'not-applied');

  const bytes = randomBytes(2 * part);
  const { uploadState } = await interrupted(bytes);
  const refused = await rejection(device.upload(bytes, { token: 'none-of-ours', resume: uploadState }));
  assert.equal(refused.constructor, apivideo.UnauthorizedError);
  await assertWhole(await device.upload(bytes, { token, resume: refused.uploadState }), bytes);
});

test('a video that was made before receives the file', async () => {
  const head = { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}`, 'content-type': 'application/json' };
  const made = await fetch(`${quick}/videos`, { method: 'POST', headers: head, body: '{"title":"mine"}' });
  const { videoId } = await made.json();
  const bytes = randomBytes(1000);
  const video = await device.upload(bytes, { token, videoId });
  assert.equal(video.id, videoId);
  await assertWhole(video, bytes);
  await assert.rejects(device.upload(bytes, { token, videoId: 'viNone' }), apivideo.NotFoundError);
});

test('what a callback throws ends the upload, and is what the caller gets', async () => {
  const bytes = randomBytes(3 * part);
  const reason = new Error('the disk is full');
  const path = await file('thrown.mp4', bytes);
  for (const source of [path, bytes]) {
    for (const fail of [() => { throw reason; }, async () => { throw reason; }]) {
      let states = 0;
      const options = { token, partBytes: part, maxBytesPerSecond: 5 * mebibyte, onState: () => states++ };
      assert.equal(await rejection(device.upload(source, { ...options, maxBytesPerSecond: 1000, onProgress: fail })), reason);
      assert.equal(states, 0);
      assert.equal(await rejection(device.upload(source, { ...options, onState: () => (states++, fail()) })), reason);
      assert.equal(states, 1);
    }
  }
  // Anything may be thrown, and nothing that is thrown is lost.
  assert.equal(await rejection(device.upload(path, { token, onProgress: () => { throw undefined; } })), undefined);
});

test('callbacks may take their time', async () => {
  const bytes = randomBytes(part + 10);
  const kept = [];
  const onState = async (state) => {
    await turn();
    kept.push(state);
  };
  await device.upload(await file('kept.mp4', bytes), { token, partBytes: part, onState });
  assert.equal(kept.length, 1);
});

test('an upload that is aborted beforehand sends nothing', async () => {
  await unsent(async (local) => {
    for (const source of [await file('aborted.mp4', randomBytes(1000)), randomBytes(1000), [new Uint8Array(8)]]) {
      const error = await rejection(local.upload(source, { token, signal: AbortSignal.abort('before') }));
      assert.equal(error.constructor, apivideo.AbortError);
      assert.equal(error.cause, 'before');
      assert.equal(error.outcome, 'not-applied');
    }
  });
});

test('aborting acts while the answer is waited for', async () => {
  for (const source of [randomBytes(1000), await file('unanswered.mp4', randomBytes(1000))]) {
    const controller = new AbortController();
    const answer = (request) => request.resume().on('end', () => controller.abort('no answer'));
    await service(answer, async (local) => {
      const error = await rejection(local.upload(source, { token, signal: controller.signal }));
      assert.equal(error.constructor, apivideo.AbortError);
      assert.equal(error.cause, 'no answer');
      assert.equal(error.outcome, 'unknown');
    });
  }
});

test('aborting and the timeout act while a source gives nothing, which is destroyed', async () => {
  const bytes = randomBytes(part + mebibyte);
  for (const [option, expected] of [['signal', apivideo.AbortError], ['timeout', apivideo.TimeoutError]]) {
    const controller = new AbortController();
    const source = new PassThrough();
    source.write(bytes);
    const onState = () => setImmediate(() => controller.abort('enough'));
    const given = option === 'signal' ? { signal: controller.signal, onState } : { timeout: 3000 };
    const error = await rejection(device.upload(source, { token, partBytes: part, ...given }));
    assert.equal(error.constructor, expected);
    assert.equal(error.cause, option === 'signal' ? 'enough' : undefined);
    assert.ok(source.destroyed);
    await assertWhole(await device.upload(bytes, { token, resume: error.uploadState }), bytes);
  }
  // So does an iterable that is none of Node.js's.
  const stuck = (async function* () { await new Promise(() => {}); })();
  await assert.rejects(device.upload(stuck, { token, timeout: 50 }), apivideo.TimeoutError);
});

test('a stream that was read to its end is left as it is', async () => {
  const bytes = randomBytes(1000);
  const server = createServer(async (request, response) => response.end((await device.upload(request, { token })).id));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}`, { method: 'POST', body: bytes });
    const { whole, sha256: sum } = await received(await answer.text());
    assert.deepEqual([whole, sum], [true, sha256(bytes)]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a timeout is for the whole upload, and that of the client is for none', async () => {
  const bytes = randomBytes(2 * part);
  const local = new ApiVideo({ noCredential: true, baseUrl: quick, proxyUrl: '', timeout: 1 });
  for (const source of [await file('hurried.mp4', bytes), bytes]) {
    const slowly = { token, partBytes: part, maxBytesPerSecond: 5 * mebibyte };
    const error = await rejection(local.upload(source, { ...slowly, maxBytesPerSecond: mebibyte, timeout: 500 }));
    assert.equal(error.constructor, apivideo.TimeoutError);
    await assertWhole(await local.upload(source, { ...slowly, timeout: Infinity }), bytes);
  }
  local.close();
});

test('attempts, stalls and answers are bounded as asked', async () => {
  const bytes = randomBytes(1000);
  await service((request, response) => request.resume().on('end', () => response.writeHead(503).end()), async (local) => {
    assert.equal((await rejection(local.upload(bytes, { token, videoId: 'viA', maxAttempts: 2 }))).attempts, 2);
  });
  await service((request) => request.resume(), async (local) => {
    const limits = { stallTimeout: Infinity, patience: Infinity, answerTimeout: 50, maxAttempts: 1 };
    await assert.rejects(local.upload(bytes, { token, ...limits }), apivideo.TimeoutError);
  });
});

test('uploads leave the threads of files, names and sums alone', async () => {
  const controller = new AbortController();
  const count = 6; // libuv has four
  let asked = 0;
  let inside;
  const allInside = new Promise((resolve) => (inside = resolve));
  const answer = (request) => request.resume().on('end', () => ++asked === count && inside());
  await service(answer, async (local) => {
    const path = await file('pool.mp4', randomBytes(1000));
    let ended = 0;
    const uploads = Array.from({ length: count }, () =>
      rejection(local.upload(path, { token, timeout: 60_000, signal: controller.signal })).finally(() => ended++));
    await allInside;
    await Promise.all([readFile(path), lookup('localhost'), promisify(pbkdf2)('a', 'b', 1000, 32, 'sha256')]);
    assert.equal(ended, 0);
    controller.abort();
    assert.deepEqual((await Promise.all(uploads)).map((error) => error.name), Array(count).fill('AbortError'));
  });
});

test('a session takes what is written, tells its offset, and is finished', async () => {
  const bytes = randomBytes(2 * part + 1000);
  const states = [];
  const session = await device.beginUpload({ token, partBytes: part, fileName: 'session.webm', onState: (state) => states.push(state) });
  assert.ok(session instanceof UploadSession);
  assert.equal(session.offset, 0);
  await session.write(bytes.subarray(0, 3 * mebibyte));
  await session.write(new Uint8Array());
  assert.equal(session.offset, 3 * mebibyte);
  await session.write(bytes.subarray(3 * mebibyte));
  assert.equal(states.length, 2);
  const video = await session.finish();
  assert.equal(video.title, 'session.webm');
  assert.equal((await assertWhole(video, bytes)).length, 3);
  await assert.rejects(session.write(bytes), /closed/);
  await session.close();
});

test('a session goes on after an abort, and in another one from its state', async () => {
  const bytes = randomBytes(3 * part);
  const controller = new AbortController();
  let abort = () => controller.abort('enough');
  const onProgress = ({ bytesConfirmed, bytesSent }) => bytesConfirmed > 0 && bytesSent > 0 && abort();
  const session = await device.beginUpload({ token, partBytes: part, maxBytesPerSecond: 6 * mebibyte, progressInterval: 20, onProgress });
  const error = await rejection(session.write(bytes, { signal: controller.signal }));
  assert.equal(error.constructor, apivideo.AbortError);
  assert.equal(error.cause, 'enough');
  assert.ok(session.offset > part && session.offset <= 2 * part + 1, 'what was taken is not lost');
  abort = () => {};
  await session.write(bytes.subarray(session.offset, 2 * part + 100));
  assert.equal(session.offset, 2 * part + 100);
  const again = await rejection(session.finish({ signal: AbortSignal.abort() }));
  assert.equal(again.constructor, apivideo.AbortError);
  await session.close();

  const other = await device.beginUpload({ token, resume: again.uploadState });
  assert.equal(other.offset, 2 * part);
  await other.write(bytes.subarray(other.offset));
  await assertWhole(await other.finish(), bytes);
});

test('what a callback of a session throws rejects the call that it came from', async () => {
  const bytes = randomBytes(2 * part);
  let reason = new Error('the disk is full');
  const onState = () => {
    if (reason) throw reason;
  };
  const session = await device.beginUpload({ token, partBytes: part, onState });
  await session.write(bytes.subarray(0, part));
  assert.equal(await rejection(session.write(bytes.subarray(part))), reason);
  reason = null;
  await session.write(bytes.subarray(session.offset));
  await assertWhole(await session.finish(), bytes);
});

test('a session is in one call at a time', async () => {
  const session = await device.beginUpload({ token });
  const writing = session.write(new Uint8Array(10));
  await assert.rejects(session.write(new Uint8Array(10)), /another call/);
  await assert.rejects(session.finish(), /another call/);
  await writing;
  assert.equal(session.offset, 10);
  for (const bytes of ['text', [1, 2], undefined, null, 5, new ArrayBuffer(5)]) await assert.rejects(session.write(bytes), TypeError);
  await assert.rejects(session.write(new Uint8Array(1), { timeout: 0 }), RangeError);
  await assert.rejects(session.write(new Uint8Array(1), { sginal: 1 }), TypeError);
  await session.close();
  await session.close();
  await assert.rejects(session.finish(), /closed/);
});

test('wrong options of an upload are refused, and nothing is sent', async () => {
  await unsent(async (local) => {
    const path = await file('wrong.mp4', randomBytes(1000));
    const refuse = async (options, expected) => {
      await assert.rejects(local.upload(path, options), expected);
      await assert.rejects(local.beginUpload(options), expected);
    };
    for (const options of [undefined, {}, { token: null }, { token: 5 }, { token: 'a\0b' }, { token, tokn: 1 }, null, 'token', [token]])
      await refuse(options, TypeError);
    for (const name of ['videoId', 'fileName', 'resume'])
      for (const value of [5, true, {}, 'a\0b', 'half a pair \ud83d']) await refuse({ token, [name]: value }, TypeError);
    for (const name of ['onProgress', 'onState']) for (const value of [5, 'f', {}, true]) await refuse({ token, [name]: value }, TypeError);
    const numbers = ['partBytes', 'maxBytesPerSecond', 'parallelParts', 'stallTimeout', 'answerTimeout', 'patience', 'progressInterval'];
    for (const name of numbers) {
      for (const value of ['1', true, 1n, [1], {}]) await refuse({ token, [name]: value }, TypeError);
      for (const value of [-1, 0.4, 1.5, NaN, -Infinity, 2 ** 64]) await refuse({ token, [name]: value }, RangeError);
      if (name !== 'parallelParts') await refuse({ token, [name]: 0 }, RangeError);
    }
    for (const name of ['stallTimeout', 'answerTimeout', 'patience', 'progressInterval']) await refuse({ token, [name]: 2 ** 32 }, RangeError);
    for (const name of ['partBytes', 'maxBytesPerSecond', 'parallelParts', 'progressInterval']) await refuse({ token, [name]: Infinity }, RangeError);
    await refuse({ token, parallelParts: 17 }, RangeError);
    for (const options of [{ token: '' }, { token, partBytes: part - 1 }, { token, partBytes: 201 * mebibyte }, { token, resume: 'no state' }])
      await refuse(options, apivideo.InvalidArgumentError);
    for (const name of ['timeout', 'maxAttempts']) await assert.rejects(local.upload(path, { token, [name]: 0 }), RangeError);
    await assert.rejects(local.upload(path, { token, signal: {} }), TypeError);
    await assert.rejects(local.upload(path, { token }, {}), TypeError);
    for (const source of [undefined, null, 5, true, {}, 'a\0b', new URL('https://example.org/a.mp4'), new ArrayBuffer(5), Symbol('a')])
      await assert.rejects(local.upload(source, { token }), TypeError);
    await assert.rejects(local.beginUpload({ token, timeout: 5 }), TypeError);
  });
});

test('a closed client begins no upload', async () => {
  const local = new ApiVideo({ noCredential: true, baseUrl: quick });
  const session = await local.beginUpload({ token });
  local.close();
  await assert.rejects(local.upload(randomBytes(10), { token }), /closed/);
  await assert.rejects(local.beginUpload({ token }), /closed/);
  const bytes = randomBytes(1000);
  await session.write(bytes);
  await assertWhole(await session.finish(), bytes); // which goes on
});

test('no secret is in what is printed', async () => {
  const bytes = randomBytes(2 * part);
  const video = await device.upload(randomBytes(1000), { token });
  const session = await device.beginUpload({ token });
  const errors = [await interrupted(bytes), await rejection(device.upload(bytes, { token, partBytes: 1 })),
    await rejection(device.upload('missing', { token })), await rejection(session.finish())];
  await session.close();
  for (const it of [video, session, device, ...errors]) {
    for (const printed of [inspect(it, { depth: 9, showHidden: true }), String(it), JSON.stringify(it)]) {
      assert.ok(!printed.includes(token), printed);
      for (const secret of [video.playerUrl, video.hlsUrl, video.mp4Url, video.thumbnailUrl]) assert.ok(!printed.includes(secret), printed);
    }
  }
  assert.match(inspect(video), new RegExp(video.id));
});

// What an emulator takes minutes for, or has threads of its own for, or cannot do: start itself.
const isEmulated = 'EMULATED' in process.env;

const threads = () => readdirSync('/proc/self/task').length;

/** The kernel lists one for a moment after it has ended. */
async function fewestThreads() {
  let fewest = threads();
  for (let i = 0; i < 100; i++) {
    await turn();
    fewest = Math.min(fewest, threads());
  }
  return fewest;
}

/** Waits until there are no more. */
async function noMoreThreadsThan(count, meanwhile = () => {}) {
  const end = performance.now() + 60_000;
  while (threads() > count && performance.now() < end) {
    meanwhile();
    await turn();
  }
  assert.ok(threads() <= count, `${threads()} threads, and ${count} before`);
}

test('threads end with their uploads', { skip: isEmulated }, async () => {
  const path = await file('threads.mp4', randomBytes(1000));
  const rounds = async () => {
    for (let i = 0; i < 5; i++) {
      await device.upload(path, { token });
      await device.upload(streamOf(randomBytes(1000)), { token });
      await rejection(device.upload(path, { token, signal: AbortSignal.abort() }));
      await rejection(device.upload(path, { token: '' }));
      const session = await device.beginUpload({ token });
      await session.close();
    }
  };
  await rounds();
  const before = await fewestThreads();
  await rounds();
  await noMoreThreadsThan(before);
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

test('uploads leak nothing', { skip: isEmulated }, async () => {
  const big = `{"videoId":"viA","title":"${'x'.repeat(3_000_000)}"}`;
  const answer = (request, response) => request.resume().on('end', () => response.writeHead(201).end(big));
  await service(answer, async (local) => {
    const bytes = randomBytes(3_000_000);
    const round = async () => {
      for (let i = 0; i < 20; i++) {
        assert.equal((await local.upload(bytes, { token })).id, 'viA');
        await rejection(local.upload(bytes, { token, onProgress: ({ partsConfirmed }) => { if (partsConfirmed > 0) throw 0; } }));
        const session = await local.beginUpload({ token });
        await session.write(bytes);
        await session.close();
      }
      collect();
      return process.memoryUsage.rss();
    };
    await round();
    const before = await round();
    const more = await round() - before;
    // Each kind of thing that is lost makes 60 MB or more.
    assert.ok(more < 40_000_000, `${more} bytes more are in use`);
  });
});

test('the thread of a session that is forgotten ends', { skip: isEmulated }, async () => {
  const before = await fewestThreads();
  await (async () => (await device.beginUpload({ token })).write(new Uint8Array(10)))();
  assert.ok(threads() > before);
  await noMoreThreadsThan(before, collect);
});

/** How a program ends that does this with a client of a device. */
async function end(program) {
  const url = new URL('./apivideo.js', import.meta.url);
  const script = `import { ApiVideo } from '${url}';
    const client = new ApiVideo({ noCredential: true, baseUrl: '${quick}', proxyUrl: '' });
    const token = '${token}'; const source = new Uint8Array(${2 * part});
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
  const [code, signal] = await once(child, 'exit');
  assert.equal(signal, null, 'it went on and on');
  return code;
}

test('a program ends by itself when its uploads have, closed or not', { skip: isEmulated }, async () => {
  assert.equal(await end(`
    const video = await client.upload(source, { token });
    const session = await client.beginUpload({ token });
    await session.write(source);
    process.exitCode = 7;`), 7);
});

test('a program may end amid an upload', { skip: isEmulated }, async () => {
  const slowly = 'partBytes: 5242880, maxBytesPerSecond: 1024, progressInterval: 20';
  assert.equal(await end(`await client.upload(source, { token, ${slowly}, onProgress() { process.exit(5); } });`), 5);
  assert.equal(await end(`
    client.upload(source, { token, ${slowly}, onProgress() { setImmediate(() => { throw new Error('on purpose'); }); } });
    process.on('uncaughtException', () => process.exit(6));`), 6);
});

test('what the README shows works', async () => {
  const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');
  const [, section] = readme.split(/^## Uploading$|^## Three commands$/m);
  const programs = [...section.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program);
  assert.equal(programs.length, 3);
  const bytes = randomBytes(2 * part);
  const path = await file('readme.mp4', bytes);
  const stateFile = join(directory, 'state');
  const lines = [];
  const names = {
    token, path, stateFile, bytes, device, createReadStream, writeFile,
    signal: new AbortController().signal,
    console: { log: (line) => lines.push(line) },
    ApiVideo: class extends ApiVideo {
      constructor(options) { super({ ...options, baseUrl: quick, proxyUrl: '' }); }
    },
  };
  const AsyncFunction = (async () => {}).constructor;
  for (const [index, program] of programs.entries()) {
    // The first one makes its own device.
    const given = Object.entries(names).filter(([name]) => index > 0 || name !== 'device');
    const whole = new AsyncFunction(...given.map(([name]) => name), `${program}\nreturn typeof video === 'undefined' ? null : video;`);
    const video = await whole(...given.map(([, value]) => value));
    if (video) await assertWhole(video, bytes);
  }
  assert.ok(lines.includes('100 %'));
});
