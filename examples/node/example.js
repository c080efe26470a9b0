// Makes an upload token that is valid for an hour, lists all tokens, and revokes the new one.
import { ApiVideo, ApiVideoError } from './apivideo.js';

const client = new ApiVideo({
  apiKey: process.env.APIVIDEO_API_KEY,
  baseUrl: process.env.APIVIDEO_BASE_URL, // undefined is production
});
try {
  const token = await client.createToken({ ttl: 3600 });
  console.log(`${token.id} is valid until ${token.expiresAt.toISOString()}`);
  for await (const each of client.tokens()) console.log(`${each.id}  made ${each.createdAt.toISOString()}`);
  await client.deleteToken(token.id);
} catch (error) {
  if (!(error instanceof ApiVideoError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}
