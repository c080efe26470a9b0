// The same as beside.c in C++, by apivideo.hpp.
#include "headers.h"

#include "clip.h"
#include "support/check.h"

int main() {
  apivideo::config config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  const apivideo::client client(config);
  const apivideo::token made = client.create(std::chrono::hours(1));

  clip it = clip_write(made.c_str());
  CHECK(it.size > 0);
  int listed = 0;
  for (const auto &token : client.tokens()) listed += token.value() == made.value();
  CHECK(listed == 1);
  char *comment = nullptr;
  CHECK(clip_read(&it, &comment) == CLIP_FRAMES);
  CHECK(comment == made.value());
  CHECK(client.get(comment).created_at() == made.created_at());
  client.remove(comment);
  try {
    client.remove(comment);
    CHECK(!"thrown");
  } catch (const apivideo::not_found &error) {
    CHECK(error.http_status() == 404);
  }

  av_free(comment);
  av_free(it.bytes);
  return checks_report();
}
