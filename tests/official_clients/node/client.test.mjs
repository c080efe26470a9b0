// The official Node.js client through everything that there is for upload tokens.

import assert from 'node:assert/strict';
import test from 'node:test';

import ApiVideoClient from '@api.video/nodejs-client';

import { KEY, withLocalApi } from './local_api.mjs';

const SECOND = 1000;

/** A test with a client of a stand-in that was started with these options. */
function testWith(options, behaviour, body) {
  test(behaviour, () =>
    withLocalApi(options, (url) => body(new ApiVideoClient({ apiKey: KEY, baseUri: url }), url)),
  );
}

/** What the call fails with: an error that the service has told. */
async function problemOf(call) {
  const error = await call().then(
    () => assert.fail('it succeeded'),
    (reason) => reason,
  );
  assert.equal(error.constructor.name, 'ApiVideoError', String(error));
  assert.equal(error.problemDetails.status, error.code);
  return error.problemDetails;
}

const values = (list) => list.data.map((token) => token.token);

testWith([], 'a token without a ttl lasts', async ({ uploadTokens }) => {
  const token = await uploadTokens.createToken();
  assert.match(token.token, /^to[A-Za-z0-9]{22}$/);
  assert.equal(token.ttl, 0);
  assert.equal(token.expiresAt, undefined);
});

testWith([], 'a token with a ttl ends that much later', async ({ uploadTokens }) => {
  const token = await uploadTokens.createToken({ ttl: 3600 });
  assert.equal(token.ttl, 3600);
  assert.equal(token.expiresAt - token.createdAt, 3600 * SECOND);
});

testWith([], 'a token is found as it was created', async ({ uploadTokens }) => {
  const token = await uploadTokens.createToken({ ttl: 60 });
  assert.deepEqual(await uploadTokens.getToken(token.token), token);
});

testWith(['--seed', '7'], 'pages together are the list', async ({ uploadTokens }) => {
  const whole = await uploadTokens.list();
  const found = [];
  let page;
  do {
    page = await uploadTokens.list({ currentPage: (page?.pagination.currentPage ?? 0) + 1, pageSize: 3 });
    found.push(...values(page));
  } while (page.pagination.links.some((link) => link.rel === 'next'));
  assert.equal(page.pagination.pagesTotal, 3);
  assert.equal(page.pagination.itemsTotal, 7);
  assert.equal(page.pagination.currentPageItems, 1);
  assert.deepEqual(found, values(whole));
  assert.deepEqual(values(await uploadTokens.list({ currentPage: 4, pageSize: 3 })), []);
});

testWith([], 'lists are in the order that is asked for', async ({ uploadTokens }) => {
  const created = [];
  for (const ttl of [2592000, 0, 3600]) created.push((await uploadTokens.createToken({ ttl })).token);
  const inOrder = async (sortBy, sortOrder) => values(await uploadTokens.list({ sortBy, sortOrder }));
  assert.deepEqual(await inOrder('createdAt', 'asc'), created);
  assert.deepEqual(await inOrder('createdAt', 'desc'), [...created].reverse());
  const byEnd = [created[2], created[0], created[1]];
  assert.deepEqual(await inOrder('ttl', 'asc'), byEnd);
  assert.deepEqual(await inOrder('ttl', 'desc'), [...byEnd].reverse());
});

testWith(['--seed', '1'], 'a deleted token is gone', async ({ uploadTokens }) => {
  const [token] = values(await uploadTokens.list());
  await uploadTokens.deleteToken(token);
  assert.deepEqual(values(await uploadTokens.list()), []);
  for (const call of ['getToken', 'deleteToken']) {
    const problem = await problemOf(() => uploadTokens[call](token));
    assert.equal(problem.status, 404);
    assert.equal(problem.title, 'The requested resource was not found.');
  }
});

testWith([], 'a token of any characters is just not found', async ({ uploadTokens }) => {
  for (const token of ['unknown', 'a/b c?d#é%', "a:b@c!$&'()*+,;=~-._"]) {
    assert.equal((await problemOf(() => uploadTokens.getToken(token))).name, 'uploadToken');
  }
});

testWith([], 'what is asked for wrongly is a 400 that tells what', async ({ uploadTokens }) => {
  for (const [call, name] of [
    [() => uploadTokens.createToken({ ttl: -1 }), 'ttl'],
    [() => uploadTokens.createToken({ ttl: 2147483648 }), 'ttl'],
    [() => uploadTokens.createToken({ ttl: 1.5 }), 'ttl'],
    [() => uploadTokens.list({ currentPage: 0 }), 'page'],
    [() => uploadTokens.list({ pageSize: 101 }), 'pageSize'],
    [() => uploadTokens.list({ sortBy: 'expiresAt' }), 'sortBy'],
    [() => uploadTokens.list({ sortOrder: 'up' }), 'sortOrder'],
  ]) {
    const problem = await problemOf(call);
    assert.equal(problem.status, 400);
    assert.equal(problem.name, name);
    assert.deepEqual(problem.problems.map((it) => it.name), [name]);
  }
  assert.deepEqual(values(await uploadTokens.list()), []);
});

testWith([], 'another key is refused', async (_, url) => {
  const stranger = new ApiVideoClient({ apiKey: 'another', baseUri: url });
  const { uploadTokens } = stranger;
  for (const call of ['list', 'createToken', 'getToken', 'deleteToken']) {
    const problem = await problemOf(() => uploadTokens[call]({}));
    assert.equal(problem.status, 401);
    assert.equal(problem.title, 'The API key is invalid.');
  }
  await assert.rejects(stranger.getAccessToken(), ({ response }) => {
    assert.equal(response.status, 400);
    assert.equal(response.data.title, 'The user credentials were incorrect.');
    return true;
  });
});

testWith([], 'the key is given a bearer for an hour', async (client, url) => {
  const { accessToken, refreshToken, tokenType, expiresIn } = await client.getAccessToken();
  assert.equal(tokenType, 'Bearer');
  assert.equal(expiresIn, 3600);
  assert.notEqual(refreshToken, accessToken);
  const list = await fetch(`${url}/upload-tokens`, { headers: { Authorization: `Bearer ${accessToken}` } });
  assert.equal(list.status, 200);
});

testWith(['--rate-limit', '2'], 'over the limit is a 429', async ({ uploadTokens }) => {
  const limits = async () => {
    const { headers } = await uploadTokens.listWithResponseHeaders();
    return ['limit', 'remaining'].map((name) => Number(headers[`x-ratelimit-${name}`]));
  };
  assert.deepEqual(await limits(), [2, 1]);
  assert.deepEqual(await limits(), [2, 0]);
  const problem = await problemOf(() => uploadTokens.list());
  assert.equal(problem.status, 429);
  assert.equal(problem.title, 'Too many requests.');
  assert.equal((await uploadTokens.createToken()).ttl, 0);
});

testWith([], 'the names of an application and an SDK are taken', async (_, url) => {
  const { uploadTokens } = new ApiVideoClient({
    apiKey: KEY,
    baseUri: url,
    applicationName: 'tests',
    applicationVersion: '1.2.3',
    sdkName: 'sdk',
    sdkVersion: '1',
  });
  assert.deepEqual(values(await uploadTokens.list()), []);
});
