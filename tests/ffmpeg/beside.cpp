// The same as beside.c in C++, by apivideo.hpp.
#include "headers.h"

#include "clip.h"
#include "support/check.h"

// An upload, and a copy of what is uploaded.
struct recording {
  apivideo::upload_session session;
  clip copy{};
};

static int take(void *opaque, clip_byte *bytes, int size) {
  auto &to = *static_cast<recording *>(opaque);
  clip_append(&to.copy, bytes, size);
  return to.session.try_write(bytes, static_cast<std::size_t>(size)) ? size : AVERROR(EIO);
}

// Uploads the clip while it is muxed, and returns a copy of it.
static clip upload_clip(const apivideo::client &client, const apivideo::token &token) {
  apivideo::upload_params params;
  params.token = token.value();
  params.file_name = "clip.mkv";
  recording it{client.begin_upload(params)};
  CHECK(clip_write(token.c_str(), take, &it) == 0);
  CHECK(it.copy.size > 0 && it.session.offset() == static_cast<std::uint64_t>(it.copy.size));
  const apivideo::uploaded_video video = it.session.finish();
  CHECK(video.bytes() == static_cast<std::uint64_t>(it.copy.size));
  CHECK(video.title() == "clip.mkv");
  char digest[65];
  clip_digest(&it.copy, digest);
  std::printf("uploaded %s %s\n", std::string(video.id()).c_str(), digest);
  return it.copy;
}

int main() {
  apivideo::config config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  const apivideo::client client(config);
  const apivideo::token made = client.create(std::chrono::hours(1));

  clip it = upload_clip(client, made);
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
