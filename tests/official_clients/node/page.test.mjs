// A page of another origin through everything that there is for upload tokens, and an upload with one.

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

test('a page uploads with a token alone, in parts', () =>
  withLocalApi(['--part-minimum', '5'], async (url) => {
    const { headers } = await logIn(url);
    const tokens = { method: 'POST', headers: { ...headers, ...JSON_TYPE }, body: '{}' };
    const { token } = (await fetchAsPage(`${url}/upload-tokens`, tokens)).json;
    const upload = (part, fields) => {
      const parts = fields.map((field) => `--boundary\r\nContent-Disposition: form-data; ${field}\r\n`);
      const type = { 'Content-Type': 'multipart/form-data; boundary=boundary' };
      return fetchAsPage(`${url}/upload?token=${token}`, {
        method: 'POST',
        headers: { 'Content-Range': part, ...type, ...ORIGIN_HEADERS },
        body: `${parts.join('')}--boundary--\r\n`,
      });
    };
    const file = (content) => `name="file"; filename="file"\r\n\r\n${content}`;
    const first = await upload('part 1/2', [file('first')]);
    assert.equal(first.status, 201);
    const { videoId } = first.json;
    const last = await upload('part 2/2', [`name="videoId"\r\n\r\n${videoId}`, file('last')]);
    assert.equal(last.json.title, 'file');
    assert.equal(last.headers['x-ratelimit-limit'], first.headers['x-ratelimit-limit']);
    const { json } = await fetchAsPage(`${url}/local-api/ledger`);
    assert.equal(json.uploads.videos[0].whole, true);
    const refused = await upload('part 3/3', [`name="videoId"\r\n\r\n${videoId}`, file('more')]);
    assert.equal(refused.status, 400);
    assert.equal(refused.json.name, 'file');
  }));

test('what no client sends stays blocked', () =>
  withLocalApi([], async (url) => {
    const calls = [{ headers: { 'X-Other': '1' } }, { method: 'PUT' }];
    for (const call of calls) await assert.rejects(fetchAsPage(`${url}/upload-tokens`, call), Blocked);
  }));
