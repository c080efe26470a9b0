// The official Node.js client uploads with a token: whole, in parts, and to the wrong video.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import ApiVideoClient from '@api.video/nodejs-client';

import { KEY, withLocalApi } from './local_api.mjs';

/** The least that the client sends as a part, and the service takes. */
const PART = 5 * 1024 * 1024;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A test with `backend`, which has the key, `device`, which has but the token, and room for files. */
function testWith(options, behaviour, body) {
  test(behaviour, () =>
    withLocalApi(options, async (url) => {
      const directory = await mkdtemp(join(tmpdir(), 'upload-'));
      try {
        const backend = new ApiVideoClient({ apiKey: KEY, baseUri: url });
        const { token } = await backend.uploadTokens.createToken();
        const device = new ApiVideoClient({ baseUri: url, chunkSize: PART });
        const file = async (name, content) => {
          await writeFile(join(directory, name), content);
          return join(directory, name);
        };
        const ledger = async () => (await (await fetch(`${url}/local-api/ledger`)).json()).uploads;
        await body({ backend, device, token, file, ledger, url });
      } finally {
        await rm(directory, { recursive: true });
      }
    }),
  );
}

testWith([], 'a file in one piece is a video', async ({ backend, device, token, file, ledger }) => {
  const content = randomBytes(300000);
  const video = await device.videos.uploadWithUploadToken(token, await file('holidays.mp4', content));
  assert.equal(video.title, 'holidays.mp4');
  assert.ok(video.publishedAt instanceof Date);
  assert.equal(video.assets.player, `https://embed.api.video/vod/${video.videoId}`);
  const { videos, with_authorization } = await ledger();
  assert.deepEqual(
    videos.map((it) => [it.videoId, it.whole, it.sha256]),
    [[video.videoId, true, sha256(content)]],
  );
  // The client's is empty without a key.
  assert.equal(with_authorization, 1);
  assert.deepEqual(await backend.videos.get(video.videoId), video);
  const { ingest, encoding } = await backend.videos.getStatus(video.videoId);
  assert.equal(ingest.status, 'uploaded');
  assert.equal(ingest.filesize, content.length);
  assert.equal(encoding.playable, true);
});

testWith([], 'a file of just one part is a video', async ({ device, token, file, ledger }) => {
  const content = randomBytes(PART);
  await device.videos.uploadWithUploadToken(token, await file('a', content));
  assert.equal((await ledger()).videos[0].sha256, sha256(content));
});

testWith([], 'parts of a session are one video', async ({ backend, device, token, file, ledger }) => {
  const contents = [randomBytes(PART), randomBytes(PART + 1), randomBytes(7)];
  const [first, second, third] = await Promise.all(contents.map((it, number) => file(`${number}`, it)));
  const session = device.videos.createUploadWithUploadTokenProgressiveSession(token);
  const { videoId } = await session.uploadPart(first);
  assert.equal((await session.uploadPart(second)).videoId, videoId);
  const { ingest } = await backend.videos.getStatus(videoId);
  assert.equal(ingest.status, 'uploading');
  assert.deepEqual(ingest.receivedParts.parts, [1, 2]);
  const video = await session.uploadLastPart(third);
  assert.equal(video.videoId, videoId);
  assert.equal(video.title, '0');
  const { videos, unfinished, bytes_in_vain } = await ledger();
  assert.equal(videos.length, 1);
  assert.equal(videos[0].sha256, sha256(Buffer.concat(contents)));
  assert.deepEqual(unfinished, []);
  assert.equal(bytes_in_vain, 0);
});

testWith([], 'a large file is a video for each part, by a fault of the client', async ({ device, token, file, ledger }) => {
  const content = randomBytes(2 * PART + 1);
  const video = await device.videos.uploadWithUploadToken(token, await file('large.mp4', content));
  assert.equal(video.title, undefined);
  const { videos, unfinished } = await ledger();
  assert.equal(videos.length, 3);
  assert.equal(unfinished.length, 3);
});

testWith([], 'a token that is not good is a 401', async ({ device, file, ledger }) => {
  const path = await file('a', 'content');
  await assert.rejects(device.videos.uploadWithUploadToken('toUnknown', path), ({ code, problemDetails }) => {
    assert.equal(code, 401);
    assert.equal(problemDetails.title, 'The upload token is invalid or expired.');
    return true;
  });
  assert.deepEqual((await ledger()).videos, []);
});

testWith(['--upload-rate-limit', '1'], 'a part over the limit is a 429', async ({ device, token, file }) => {
  const session = device.videos.createUploadWithUploadTokenProgressiveSession(token);
  const path = await file('a', randomBytes(PART));
  const { headers } = await session.uploadPartWithResponseHeaders(path);
  assert.equal(headers['x-ratelimit-limit'], '1');
  await assert.rejects(session.uploadPart(path), { code: 429 });
});

testWith([], 'a key beside the token does no harm', async ({ backend, url, file, ledger }) => {
  const { token } = await backend.uploadTokens.createToken();
  for (const apiKey of [KEY, 'another']) {
    const client = new ApiVideoClient({ apiKey, baseUri: url });
    await client.videos.uploadWithUploadToken(token, await file('a', 'content'));
  }
  assert.equal((await ledger()).with_authorization, 2);
});

testWith([], 'a video is made by the backend and found by its name', async ({ backend }) => {
  const made = await backend.videos.create({ title: 'a title', _public: false });
  assert.equal(made._public, false);
  assert.deepEqual(await backend.videos.get(made.videoId), made);
  await assert.rejects(backend.videos.get('viUnknown'), ({ code, problemDetails }) => {
    assert.equal(code, 404);
    assert.equal(problemDetails.name, 'videoId');
    return true;
  });
});
