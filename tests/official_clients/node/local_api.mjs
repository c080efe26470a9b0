// The stand-in service, for the length of a test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export const KEY = 'key-of-the-tests';

/** Runs `use` with the URL of a stand-in that was started with these options. */
export async function withLocalApi(options, use) {
  const service = spawn(process.env.LOCAL_API, ['--api-key', KEY, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(service, 'exit');
  try {
    // Its URL, or nothing if it ended before it was ready.
    const lines = createInterface({ input: service.stdout });
    const url = await Promise.race([once(lines, 'line').then(([line]) => line), ended.then(() => null)]);
    if (url === null) throw new Error('the stand-in did not start');
    return await use(url);
  } finally {
    service.kill();
    await ended;
  }
}
