// A page of another origin through everything that there is for upload tokens.

import assert from 'node:assert/strict';
import test from 'node:test';

import { KEY, withLocalApi } from './local_api.mjs';
import { Blocked, fetchAsPage } from './page.mjs';

const ORIGIN_HEADERS = {
  'AV-Origin-Client': 'typescript:1.2.3',
  'AV-Origin-App': 'tests:1.2.3',
  'AV-Origin-Sdk': 'sdk:1',
};
const JSON_TYPE = { 'Content-Type': 'application/json' };

async function logIn(url, apiKey = KEY) {
  const answer = await fetchAsPage(`${url}/auth/api-key`, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...ORIGIN_HEADERS },
    body: JSON.stringify({ apiKey }),
  });
  return { answer, headers: { Authorization: `Bearer ${answer.json.access_token}`, ...ORIGIN_HEADERS } };
}

test('a page goes through every operation', () =>
  withLocalApi([], async (url) => {
    const { headers, answer } = await logIn(url);
    const refreshed = await fetchAsPage(`${url}/auth/refresh`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ refreshToken: answer.json.refresh_token }),
    });
    assert.equal(refreshed.status, 200);
    const tokens = `${url}/upload-tokens`;
    const created = await fetchAsPage(tokens, {
      method: 'POST',
      headers: { ...headers, ...JSON_TYPE },
      body: '{"ttl":60}',
    });
    assert.equal(created.status, 200);
    const token = `${tokens}/${created.json.token}`;
    assert.deepEqual((await fetchAsPage(token, { headers })).json, created.json);
    const list = await fetchAsPage(`${tokens}?pageSize=1`, { headers });
    assert.deepEqual(list.json.data, [created.json]);
    assert.equal((await fetchAsPage(token, { method: 'HEAD', headers })).status, 200);
    assert.equal((await fetchAsPage(token, { method: 'DELETE', headers })).status, 204);
    assert.equal((await fetchAsPage(token, { headers })).status, 404);
  }));

test('a page with the key calls as well as one with a bearer', () =>
  withLocalApi([], async (url) => {
    const headers = { Authorization: `Basic ${btoa(`${KEY}:`)}`, 'Content-Range': 'part 1/1' };
    assert.equal((await fetchAsPage(`${url}/upload-tokens`, { headers })).status, 200);
  }));

test('a page is told what is wrong', () =>
  withLocalApi([], async (url) => {
    const { headers } = await logIn(url);
    const stranger = { Authorization: 'Bearer another' };
    const tokens = `${url}/upload-tokens`;
    for (const [status, answer] of [
      [400, fetchAsPage(`${tokens}?pageSize=0`, { headers })],
      [400, logIn(url, 'another').then((it) => it.answer)],
      [401, fetchAsPage(tokens, { headers: stranger })],
      [401, fetchAsPage(tokens)],
      [404, fetchAsPage(`${tokens}/unknown`, { method: 'DELETE', headers })],
      [404, fetchAsPage(`${url}/unknown`, { method: 'DELETE', headers })],
    ]) {
      const { json, status: told } = await answer;
      assert.equal(told, status);
      assert.equal(json.status, status);
      assert.equal(typeof json.title, 'string');
    }
  }));

test('a page can read when to come again', () =>
  withLocalApi(['--rate-limit', '1'], async (url) => {
    const { headers } = await logIn(url);
    const first = await fetchAsPage(`${url}/upload-tokens`, { headers });
    assert.equal(first.headers['x-ratelimit-limit'], '1');
    assert.equal(first.headers['x-ratelimit-remaining'], '0');
    const refused = await fetchAsPage(`${url}/upload-tokens`, { headers });
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers['x-ratelimit-retry-after']);
    assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  }));

test('what no client sends stays blocked', () =>
  withLocalApi([], async (url) => {
    const calls = [{ headers: { 'X-Other': '1' } }, { method: 'PUT' }];
    for (const call of calls) await assert.rejects(fetchAsPage(`${url}/upload-tokens`, call), Blocked);
  }));
