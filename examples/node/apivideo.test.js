// Tests of the wrapper, each named by what it holds. They want the stand-ins that
// tests/languages/with_local_api.sh starts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import koffi from 'koffi';
import * as apivideo from './apivideo.js';
import { takeError } from './errors.js';
import { libraryName } from './library.js';

const { ApiVideo } = apivideo;
const { APIVIDEO_API_KEY: apiKey, APIVIDEO_BASE_URL: quick, APIVIDEO_SLOW_BASE_URL: slow } = process.env;

const connect = (baseUrl, options) => new ApiVideo({ apiKey, baseUrl, proxyUrl: '', ...options });

const client = connect(quick);
after(() => client.close());

/** A service that does what `answer` does with each request, while `use` uses it. */
async function service(answer, use) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(`http://127.0.0.1:${server.address().port}`, server);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Lists against a service that gives this answer, and returns the error. */
const failure = (status, body, headers) =>
  service((_, response) => response.writeHead(status, headers).end(body), async (url) => {
    const local = connect(url, { maxAttempts: 1 });
    return rejection(local.listTokens()).finally(() => local.close());
  });

const rejection = (promise) => promise.then(() => assert.fail('it succeeded'), (error) => error);

test('the library is called as each platform calls it', () => {
  assert.deepEqual(['linux', 'freebsd', 'darwin', 'win32'].map(libraryName),
    ['libapivideo.so.0.1', 'libapivideo.so.0.1', 'libapivideo.0.1.dylib', 'apivideo.dll']);
});

test('a token is made, listed, iterated, looked up and deleted once', async () => {
  const made = await client.createToken({ ttl: 3600 });
  assert.deepEqual(await client.getToken(made.id), made);
  const newest = await client.listTokens({ page: 1, pageSize: 1, sortBy: 'createdAt', sortOrder: 'desc' });
  assert.deepEqual(newest.tokens, [made]);
  assert.ok((await all(client.tokens())).some((token) => token.id === made.id));

  assert.equal(await client.deleteToken(made.id), undefined);

  const error = await rejection(client.deleteToken(made.id));
  assert.ok(error instanceof apivideo.NotFoundError && error instanceof apivideo.ApiVideoError && error instanceof Error);
  assert.equal(error.name, 'NotFoundError');
  assert.equal(error.code, 'AV_STATUS_NOT_FOUND');
  assert.equal(error.httpStatus, 404);
  assert.equal(error.outcome, 'not-applied');
  assert.equal(error.attempts, 1);
  await assert.rejects(client.getToken(made.id), apivideo.NotFoundError);
});

async function all(tokens) {
  const list = [];
  for await (const token of tokens) list.push(token);
  return list;
}

test('a token tells its times', async () => {
  const token = await client.createToken({ ttl: 5400 });
  assert.equal(token.ttl, 5400);
  assert.equal(token.expiresAt - token.createdAt, 5_400_000);
  assert.ok(Math.abs(Date.now() - token.createdAt) < 300_000, 'made just now');
  assert.equal(token.neverExpires, false);
});

test('a token never expires if that is asked for by name', async () => {
  const { ttl, expiresAt, neverExpires } = await client.createToken({ ttl: ApiVideo.NEVER });
  assert.deepEqual({ ttl, expiresAt, neverExpires }, { ttl: null, expiresAt: null, neverExpires: true });
});

test('pages are told apart', async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push(await client.createToken({ ttl: 3600 }));
  const page = await client.listTokens({ page: 2, pageSize: 2, sortBy: 'createdAt', sortOrder: 'desc' });
  assert.equal(page.tokens[0].id, made[0].id);
  assert.equal(page.currentPage, 2);
  assert.equal(page.pageSize, 2);
  assert.equal(page.pagesTotal, Math.ceil(page.itemsTotal / 2));
  assert.deepEqual((await client.listTokens({ page: 1_000_000 })).tokens, []);
});

test('pages are sorted as asked', async () => {
  for (const ttl of [7200, 3600, 10800]) await client.createToken({ ttl });
  const ends = async (sortOrder) =>
    (await client.listTokens({ sortBy: 'ttl', sortOrder, pageSize: 100 })).tokens.map((token) => token.expiresAt ?? Infinity);
  const ascending = await ends('asc');
  assert.ok(new Set(ascending.map(Number)).size >= 3);
  assert.deepEqual(ascending, [...ascending].sort((a, b) => a - b));
  assert.deepEqual(await ends('desc'), [...ascending].reverse());
});

test('iterating goes through all pages, and may be left at any time', async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await client.createToken({ ttl: 3600 })).id);
  const ids = (await all(client.tokens({ pageSize: 2 }))).map((token) => token.id);
  assert.deepEqual(ids.slice(-5), made);
  for await (const token of client.tokens({ pageSize: 2 })) {
    assert.equal(token.id, ids[0]);
    break;
  }
});

test('an iteration outlives its client, and none begins after it', async () => {
  const local = connect(quick);
  const tokens = local.tokens({ pageSize: 1 });
  await tokens.next();
  local.close();
  assert.ok((await tokens.next()).value.id);
  await tokens.return();
  await assert.rejects(local.tokens().next(), /closed/);
});

test('each status has its class', async () => {
  assert.equal((await failure(403, '{}')).constructor, apivideo.UnauthorizedError);
  assert.equal((await failure(404, '{}')).constructor, apivideo.NotFoundError);
  assert.equal((await failure(400, '{}')).constructor, apivideo.RejectedError);
  assert.equal((await failure(429, '{}')).constructor, apivideo.RateLimitedError);
  assert.equal((await failure(503, '{}')).constructor, apivideo.ServerError);
  assert.equal((await failure(200, 'no JSON')).constructor, apivideo.DecodeError);
  await service((request) => request.socket.destroy(), async (url) => {
    const local = connect(url, { maxAttempts: 1 });
    await assert.rejects(local.listTokens(), apivideo.TransportError);
    local.close();
  });
  const other = [[quick.replace('http:', 'https:'), apivideo.TlsError], ['http://127.0.0.1:1', apivideo.ConnectError]];
  for (const [url, expected] of other) {
    const local = connect(url);
    await assert.rejects(local.listTokens(), expected);
    local.close();
  }
  await assert.rejects(client.listTokens({ pageSize: 101 }), apivideo.InvalidArgumentError);
});

test('a status of a later library is a general error', () => {
  const error = takeError(4711, null);
  assert.equal(error.constructor, apivideo.ApiVideoError);
  assert.equal(error.status, 4711);
  assert.equal(error.outcome, 'unknown');
  assert.equal(error.httpStatus, null);
  assert.equal(error.retryAfter, null);
});

test("the service's problems are told", async () => {
  const error = await failure(400, JSON.stringify({
    type: 'https://example.org/t', title: 'Größe', detail: 'd', name: 'pageSize',
    problems: [{ title: 'first', name: 'a' }, { title: 'second ✓', detail: 'more' }],
  }));
  assert.deepEqual(error.problem, { type: 'https://example.org/t', title: 'Größe', detail: 'd', name: 'pageSize' });
  assert.deepEqual(error.problems, [
    { type: null, title: 'first', detail: null, name: 'a' },
    { type: null, title: 'second ✓', detail: 'more', name: null },
  ]);
  assert.equal(error.isRetryable, false);
});

test('a rate limit tells how long to wait', async () => {
  const error = await failure(429, '{}', { 'Retry-After': '7' });
  assert.equal(error.retryAfter, 7000);
  assert.equal(error.isRetryable, true);
});

test('strings are UTF-8 both ways', async () => {
  let asked;
  await service((request, response) => { asked = request.url; response.end('{"token":"tö ✓"}'); }, async (url) => {
    const local = connect(url);
    assert.equal((await local.getToken('tö ✓')).id, 'tö ✓');
    assert.equal(asked, '/upload-tokens/t%C3%B6%20%E2%9C%93');
    local.close();
  });
});

test('strings that C cannot express are refused', async () => {
  const { id } = await client.createToken({ ttl: 3600 });
  for (const bad of [`${id}\0more`, `${id}\0`, 'half a pair \ud83d', undefined, null, 5]) {
    await assert.rejects(client.deleteToken(bad), TypeError);
    await assert.rejects(client.getToken(bad), TypeError);
  }
  assert.equal((await client.getToken(id)).id, id);
  assert.throws(() => new ApiVideo({ apiKey: 'demo\0' }), TypeError);
});

/** What `use` gets from a client, none of which may send anything. */
const unsent = (use) =>
  service((request) => assert.fail(`${request.method} ${request.url} was sent`), async (url) => {
    const local = connect(url);
    await use(local);
    local.close();
  });

test('no token is made whose time to live is missing, odd or rounds to 0', async () => {
  await unsent(async (local) => {
    for (const options of [[], [undefined], [{}], [{ ttl: undefined }], [{ ttl: null }], [{ signal: undefined }]])
      await assert.rejects(local.createToken(...options), { name: 'TypeError', message: /ttl.*ApiVideo\.NEVER/ });
    for (const ttl of ['60', '1h', '', 60n, true, false, [60], { seconds: 60 }, new Date(), Symbol('never'), () => 60])
      await assert.rejects(local.createToken({ ttl }), TypeError);
    for (const ttl of [0, -0, -1, 0.4, 1e-3, 1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32 + 5])
      await assert.rejects(local.createToken({ ttl }), RangeError);
  });
  assert.equal((await client.createToken({ ttl: 2 ** 31 - 1 })).ttl, 2 ** 31 - 1);
  const shortest = await client.createToken({ ttl: 1 });
  assert.equal(shortest.ttl, 1);
  // Before it expires, while another test counts; if it has not.
  await client.deleteToken(shortest.id).catch((error) => assert.equal(error.name, 'NotFoundError'));
});

test('options that are no object are refused', async () => {
  const odd = [3600, 0, '1h', '', true, false, null, 60n, [3600], [], Symbol('ttl'), () => {}, new Map([['ttl', 60]]),
    new Date(), new AbortController().signal, Promise.resolve({ ttl: 60 })];
  await unsent(async (local) => {
    for (const options of odd) {
      await assert.rejects(local.createToken(options), TypeError);
      await assert.rejects(local.getToken('a', options), TypeError);
      await assert.rejects(local.listTokens(options), TypeError);
      await assert.rejects(local.tokens(options).next(), TypeError);
      await assert.rejects(local.deleteToken('a', options), TypeError);
      assert.throws(() => new ApiVideo(options), TypeError);
    }
    assert.throws(() => new ApiVideo(), TypeError);
  });
});

test('options are one object, and what comes behind it is refused', async () => {
  const { signal } = new AbortController();
  const refused = { name: 'TypeError', message: /options are one object/ };
  await unsent(async (local) => {
    await assert.rejects(local.createToken({ ttl: 60 }, { signal }), refused);
    await assert.rejects(local.getToken('a', {}, { signal }), refused);
    await assert.rejects(local.listTokens({ page: 1 }, { signal }), refused);
    await assert.rejects(local.tokens({ page: 1 }, { signal }).next(), refused);
    await assert.rejects(local.deleteToken('a', {}, signal), refused);
  });
  assert.throws(() => new ApiVideo({ apiKey }, { timeout: 1 }), refused);
});

test('an object of options may come from anywhere', async () => {
  const bare = Object.assign(Object.create(null), { page: 1 });
  for (const options of [bare, Object.create({ page: 1 }), new (class Query { page = 1; })(), undefined, { page: undefined, pageSize: null, signal: null }])
    await client.listTokens(options);
});

test('options that nobody knows are refused by name', async () => {
  const refused = (name) => ({ name: 'TypeError', message: new RegExp(`unknown option '${name}'`) });
  await unsent(async (local) => {
    for (const name of ['ttlSeconds', 'TTL', 'expiresIn', 'page', 'abort', '__proto__x', 'constructor'])
      await assert.rejects(local.createToken({ ttl: 60, [name]: 3600 }), refused(name));
    for (const name of ['currentPage', 'ttl', 'limit', 'page_size']) {
      await assert.rejects(local.listTokens({ [name]: 2 }), refused(name));
      await assert.rejects(local.tokens({ [name]: 2 }).next(), refused(name));
    }
    for (const name of ['ttl', 'page', 'timeoutMs']) {
      await assert.rejects(local.getToken('a', { [name]: 2 }), refused(name));
      await assert.rejects(local.deleteToken('a', { [name]: 2 }), refused(name));
    }
    await assert.rejects(local.listTokens({ [Symbol('page')]: 2 }), TypeError);
    // Of a prototype, too: it is read as well.
    class Query {
      get currentPage() { return 2; }
    }
    for (const options of [Object.create({ currentPage: 2 }), new Query()])
      await assert.rejects(local.listTokens(options), refused('currentPage'));
  });
  for (const name of ['apikey', 'baseURL', 'signal', 'timeoutMs', 'proxy'])
    assert.throws(() => new ApiVideo({ apiKey, [name]: 'https://example.org' }), refused(name));
});

test('a signal is an AbortSignal', async () => {
  await unsent(async (local) => {
    for (const signal of [new AbortController(), {}, true, false, 0, '', 'abort', { aborted: false }]) {
      await assert.rejects(local.createToken({ ttl: 60, signal }), { name: 'TypeError', message: /signal must be/ });
      await assert.rejects(local.getToken('a', { signal }), TypeError);
      await assert.rejects(local.listTokens({ signal }), TypeError);
      await assert.rejects(local.tokens({ signal }).next(), TypeError);
      await assert.rejects(local.deleteToken('a', { signal }), TypeError);
    }
  });
});

test('numbers out of range are refused', async () => {
  await unsent(async (local) => {
    for (const name of ['page', 'pageSize', 'timeout', 'maxAttempts']) {
      for (const number of [0, -1, 0.5, 2.5, NaN, -Infinity, 2 ** 32, 2 ** 32 + 5]) {
        await assert.rejects(local.listTokens({ [name]: number }), RangeError);
        await assert.rejects(local.tokens({ [name]: number }).next(), RangeError);
      }
      for (const number of ['2', true, 2n, [2], {}]) {
        await assert.rejects(local.listTokens({ [name]: number }), TypeError);
        await assert.rejects(local.tokens({ [name]: number }).next(), TypeError);
      }
    }
    for (const number of [0, -1, 0.5, NaN, 2 ** 32, '2', true]) {
      assert.throws(() => connect(quick, { timeout: number }), /timeout must be/);
      assert.throws(() => connect(quick, { maxAttempts: number }), /maxAttempts must be/);
      await assert.rejects(local.deleteToken('a', { timeout: number }), /timeout must be/);
      await assert.rejects(local.getToken('a', { maxAttempts: number }), /maxAttempts must be/);
    }
    for (const number of [101, 256 + 25]) await assert.rejects(local.listTokens({ pageSize: number }), apivideo.InvalidArgumentError);
    for (const word of ['name', 'CreatedAt', '', 1, true, ['ttl']]) {
      await assert.rejects(local.listTokens({ sortBy: word }), RangeError);
      await assert.rejects(local.tokens({ sortOrder: word }).next(), RangeError);
    }
  });
  await client.listTokens({ timeout: Infinity });
});

test('a client is as its options say', async () => {
  for (const options of [{ accessToken: 'b' }, { proxyUrl: 'ftp://nowhere' }, { baseUrl: 'http://example.org' }, { caFile: '/dev/null' }])
    assert.throws(() => new ApiVideo({ apiKey, baseUrl: 'https://example.org', ...options }), apivideo.InvalidArgumentError);
  let head;
  await service((request, response) => { head = request.headers; response.writeHead(503).end(); }, async (url) => {
    const local = new ApiVideo({ accessToken: 'letmein', baseUrl: url, appName: 'recorder', appVersion: '1.2.3', proxyUrl: '', maxAttempts: 2 });
    assert.equal((await rejection(local.listTokens())).attempts, 2);
    assert.equal(head.authorization, 'Bearer letmein');
    assert.ok(Object.values(head).includes('recorder:1.2.3'));
    local.close();
  });
});

test('a call ends when its time is up', async () => {
  const local = connect(slow, { timeout: 2000 });
  const begin = performance.now();
  const error = await rejection(local.createToken({ ttl: 3600 }));
  assert.equal(error.constructor, apivideo.TimeoutError);
  assert.equal(error.outcome, 'unknown');
  await assert.rejects(local.listTokens({ timeout: 50 }), apivideo.TimeoutError);
  assert.ok(performance.now() - begin < 20_000, 'well before the 30 s of the default');
  local.close();
});

test('aborting ends a call that waits for its answer, and the event loop runs meanwhile', async () => {
  const controller = new AbortController();
  await service(() => controller.abort('enough'), async (url) => {
    const local = connect(url);
    const error = await rejection(local.createToken({ ttl: 60, signal: controller.signal }));
    assert.equal(error.constructor, apivideo.AbortError);
    assert.equal(error.name, 'AbortError');
    assert.equal(error.cause, 'enough');
    assert.equal(error.outcome, 'unknown');
    local.close();
  });
});

test('aborting ends an iteration', async () => {
  const controller = new AbortController();
  const tokens = client.tokens({ pageSize: 1, signal: controller.signal });
  await tokens.next();
  controller.abort();
  await assert.rejects(tokens.next(), apivideo.AbortError);
});

test('a call that is aborted beforehand sends nothing', async () => {
  await service(() => assert.fail('something was sent'), async (url) => {
    const local = connect(url);
    const error = await rejection(local.createToken({ ttl: 60, signal: AbortSignal.abort() }));
    assert.equal(error.constructor, apivideo.AbortError);
    assert.equal(error.outcome, 'not-applied');
    local.close();
  });
});

test('aborting may race with completion', async () => {
  const counts = { created: 0, aborted: 0 };
  // Long enough that both ends of the race were seen, however quick the machine is.
  for (let round = 0; round < 300 || !counts.created || !counts.aborted; round++) {
    assert.ok(round < 100_000, JSON.stringify(counts));
    const controller = new AbortController();
    const call = client.createToken({ ttl: 3600, signal: controller.signal });
    for (let turns = round % 30; turns > 0; turns--) await new Promise(setImmediate);
    controller.abort();
    await call.then(() => counts.created++, (error) => {
      assert.equal(error.constructor, apivideo.AbortError);
      counts.aborted++;
    });
  }
});

test('a closed client refuses calls, and a second close does no harm', async () => {
  const local = connect(quick);
  local.close();
  local.close();
  await assert.rejects(local.createToken({ ttl: 3600 }), /closed/);
  await assert.rejects(local.listTokens(), /closed/);
});

test('calls under way survive close(), those that wait for a thread too', async () => {
  let local;
  const close = (_, response) => {
    local.close();
    response.writeHead(404).end('{}');
  };
  await service(close, async (url) => {
    local = connect(url);
    const errors = await Promise.all(Array.from({ length: 20 }, () => rejection(local.listTokens())));
    assert.deepEqual(errors.map((error) => error.name), Array(20).fill('NotFoundError'));
    await assert.rejects(local.listTokens(), /closed/);
  });
});

// An emulated Node.js takes minutes for as many calls.
test('calls leak nothing', { skip: 'EMULATED' in process.env }, async () => {
  // Answers so big that a lost one is seen.
  const big = 'x'.repeat(50_000);
  const long = 'x'.repeat(4_000); // what can be asked for
  const answers = {
    '/upload-tokens': [200, `{"data":[{"token":"${big}"}],"pagination":{"currentPage":1,"pagesTotal":1}}`],
    [`/upload-tokens/${long}`]: [200, `{"token":"${long}"}`],
    '/upload-tokens/missing': [404, `{"title":"${big}"}`],
  };
  const answer = (request, response) => {
    const [status, body] = answers[request.url.split('?')[0]];
    response.writeHead(status).end(body);
  };
  await service(answer, async (url) => {
    const round = async () => {
      const local = connect(url);
      for (let i = 0; i < 200; i++) {
        for (let k = 0; k < 6; k++) await local.getToken(long);
        await local.listTokens();
        for await (const token of local.tokens()) assert.equal(token.id, big);
        await rejection(local.getToken('missing'));
      }
      for (let i = 0; i < 40_000; i++) await rejection(local.getToken('found', { signal: AbortSignal.abort() }));
      local.close();
      for (let i = 0; i < 2_000; i++) {
        const closed = connect(url);
        const call = closed.getToken('found', { signal: AbortSignal.abort() });
        closed.close();
        await rejection(call);
      }
    };
    await round();
    const before = bytesInUse();
    await round();
    const more = bytesInUse() - before;
    // Each kind of thing that is lost makes 4 MB or more; Node.js itself moves by less than 1.
    assert.ok(more < 2_000_000, `${more} bytes more are in use`);
  });
});

const mallocInfo = koffi.struct(Object.fromEntries(
  ['arena', 'free_blocks', 'fast_blocks', 'mapped_blocks', 'mapped_bytes', 'unused', 'fast_bytes', 'bytes_in_use', 'bytes_free', 'top']
    .map((name) => [name, 'size_t'])));
const mallinfo2 = koffi.load('libc.so.6').func('mallinfo2', mallocInfo, []);

/** What malloc has handed out, to the library and to Node.js. */
function bytesInUse() {
  const { bytes_in_use, mapped_bytes } = mallinfo2();
  return bytes_in_use + mapped_bytes;
}
