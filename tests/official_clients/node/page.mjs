// What a browser does when a page of another origin calls, as the Fetch standard has it: it asks
// beforehand whether the page may, and lets it read no more than the answer allows.

import { request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const ORIGIN = 'https://page.example';
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
const SAFE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const SAFE_HEADERS = ['accept', 'accept-language', 'content-language'];
const READABLE_HEADERS = [
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
];

/** The browser does not let the page. */
export class Blocked extends Error {}

/** As a page sees it: `status`, `json` and those of the headers that it may read. */
export async function fetchAsPage(url, { method = 'GET', headers = {}, body } = {}) {
  const unsafe = Object.keys(headers)
    .map((name) => name.toLowerCase())
    .filter((name) => !isSafe(name, headers))
    .sort();
  if (unsafe.length > 0 || !SAFE_METHODS.includes(method)) await preflight(url, method, unsafe);
  const answer = await send(url, method, headers, body);
  checkOrigin(answer);
  const exposed = list(answer.headers['access-control-expose-headers']);
  const mayRead = ([name]) => READABLE_HEADERS.includes(name) || exposed.includes(name);
  return {
    status: answer.status,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(mayRead)),
    json: answer.body === '' ? undefined : JSON.parse(answer.body),
  };
}

function isSafe(name, headers) {
  const type = headers['Content-Type'] ?? '';
  return name === 'content-type'
    ? SAFE_TYPES.includes(type.split(';')[0].toLowerCase())
    : SAFE_HEADERS.includes(name);
}

async function preflight(url, method, unsafe) {
  const answer = await send(url, 'OPTIONS', {
    'Access-Control-Request-Method': method,
    ...(unsafe.length > 0 && { 'Access-Control-Request-Headers': unsafe.join(',') }),
  });
  checkOrigin(answer);
  if (answer.status < 200 || answer.status > 299) throw new Blocked(`the preflight: ${answer.status}`);
  const methods = answer.headers['access-control-allow-methods'] ?? '';
  if (!SAFE_METHODS.includes(method) && !methods.split(/ *, */).includes(method)) {
    throw new Blocked(`the method: ${method}`);
  }
  const allowed = list(answer.headers['access-control-allow-headers']);
  for (const name of unsafe) {
    if (!allowed.includes(name)) throw new Blocked(`the header: ${name}`);
  }
}

function checkOrigin({ headers }) {
  if (!['*', ORIGIN].includes(headers['access-control-allow-origin'])) throw new Blocked('the origin');
}

function list(value = '') {
  return value.toLowerCase().split(/ *, */);
}

async function send(url, method, headers, body) {
  const sent = request(url, { method, headers: { Origin: ORIGIN, ...headers } });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}
