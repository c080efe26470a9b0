// Uploading a file with a token: what is handed out, what function objects are told, what a failure
// leaves to go on from, and what C cannot take.
#include "support/scene.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_nothrow_move_constructible_v<apivideo::uploaded_video>);
static_assert(!std::is_copy_constructible_v<apivideo::uploaded_video>);
static_assert(sizeof(apivideo::uploaded_video) == sizeof(void *));

// A file of so many zeros, for the length of a test.
class file {
 public:
  explicit file(std::size_t size) {
    const int descriptor = mkstemp(path_.data());
    CHECK(descriptor >= 0 && close(descriptor) == 0);
    std::ofstream(path_, std::ios::binary) << std::string(size, '\0');
  }
  file(const file &) = delete;
  file &operator=(const file &) = delete;
  ~file() { std::remove(path_.c_str()); }
  const std::string &path() const { return path_; }

 private:
  std::string path_ = "/tmp/apivideo-film-XXXXXX";
};

// A client that knows no key.
static apivideo::client device(const std::string &url) {
  apivideo::config config = config_for(url);
  config.api_key.reset();
  config.no_credential = true;
  return apivideo::client(config);
}

static const std::size_t two_parts = 5 * 1024 * 1024 + 10;

static std::string token_of(const stand_in &service) {
  return apivideo::client(config_for(service.url())).create(std::chrono::hours(1)).value();
}

static void a_device_uploads_with_a_token() {
  stand_in service;
  const file film(10);
  const auto client = device(service.url());
  apivideo::uploaded_video video = client.upload(film.path(), {token_of(service)});
  CHECK(video.id().substr(0, 2) == "vi" && video.bytes() == 10 && video.videos_abandoned() == 0);
  CHECK(film.path().find(video.title()) != std::string::npos && !video.title().empty());
  CHECK(video.player_url().find(video.id()) != std::string_view::npos);
  CHECK(video.json().front() == '{' && video.is_public() == true && video.created_at());
  const apivideo::uploaded_video taken = std::move(video);
  CHECK(taken.id().size() > 2 && taken.handle() != nullptr);
  CHECK(video.id().empty() && video.bytes() == 0 && !video.is_public() && !video.created_at());
  CHECK(client.try_list().error().status() == apivideo::status::invalid_argument);
}

static void what_is_not_told_is_empty() {
  scripted_peer server;
  const file film(10);
  server.answer("201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  const auto video = device(server.url()).upload(film.path(), {"to1"});
  CHECK(video.id() == "vi1" && video.title() == "T");
  CHECK(video.hls_url().empty() && video.mp4_url().empty() && video.thumbnail_url().empty());
  CHECK(video.iframe_html().empty() && !video.is_public() && !video.published_at());
}

static void function_objects_are_told_how_far_it_is() {
  stand_in service;
  const file film(two_parts);
  std::vector<apivideo::upload_progress> told;
  std::vector<std::string> states;
  apivideo::upload_params params;
  params.token = token_of(service);
  params.file_name = "Holidays";
  params.progress = [&](const apivideo::upload_progress &it) { told.push_back(it); };
  params.state = [&](std::string_view state) { states.emplace_back(state); };
  const auto video = device(service.url()).upload(film.path(), params);
  CHECK(video.title() == "Holidays" && video.bytes() == two_parts);
  CHECK(!told.empty() && told.front().bytes_confirmed == 0 && told.front().parts_total == 2);
  CHECK(!told.empty() && told.back().bytes_confirmed == two_parts);
  CHECK(!told.empty() && told.back().bytes_total == two_parts && told.back().parts_confirmed == 2);
  CHECK(states.size() == 1 && states[0].find(params.token) == std::string::npos);
}

static void what_they_throw_is_dropped() {
  stand_in service;
  const file film(two_parts);
  apivideo::upload_params params;
  params.token = token_of(service);
  params.progress = [](const apivideo::upload_progress &) { throw 1; };
  params.state = [](std::string_view) { throw 2; };
  CHECK(device(service.url()).try_upload(film.path(), params));
}

static void a_cancelled_upload_goes_on_from_its_state() {
  stand_in service;
  const file film(two_parts);
  const auto client = device(service.url());
  apivideo::upload_params params;
  apivideo::request_options options;
  options.cancel.emplace();
  params.token = token_of(service);
  params.state = [&](std::string_view) { options.cancel->cancel(); };
  std::string id;
  try {
    client.upload(film.path(), params, options);
    CHECK(!"thrown");
  } catch (const apivideo::cancelled &error) {
    CHECK(error.outcome() == apivideo::outcome::not_applied);
    CHECK(!error.upload_state().empty() && !error.upload_video_id().empty());
    params.resume = error.upload_state();
    id = error.upload_video_id();
  }
  params.state = nullptr;
  std::uint64_t first = 0;
  params.progress = [&](const apivideo::upload_progress &it) {
    if (first == 0) first = it.bytes_confirmed;
  };
  CHECK(client.upload(film.path(), params).id() == id && first == two_parts - 10);
}

static void each_failure_has_its_class() {
  scripted_peer server;
  const file film(10);
  const auto client = device(server.url());
  const apivideo::upload_params params = {"to1"};
  CHECK(throws<apivideo::source_error>([&] { client.upload("/nowhere/film.mp4", params); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload("/tmp", params); }));
  CHECK(server.request_count() == 0);
  server.answer("401 Unauthorized", "{}");
  CHECK(throws<apivideo::unauthorized>([&] { client.upload(film.path(), params); }));
  server.answer("404 Not Found", "{}");
  CHECK(throws<apivideo::not_found>([&] { client.upload(film.path(), params); }));
  apivideo::request_options options;
  options.timeout = milliseconds(50);
  server.stall();
  CHECK(throws<apivideo::timeout>([&] { client.upload(film.path(), params, options); }));
  const auto failed = client.try_upload("/nowhere/film.mp4", params);
  CHECK(failed.error().upload_state().empty() && failed.error().upload_video_id().empty());
}

static bool is_refused(const apivideo::client &client, const std::string &path,
                       const apivideo::upload_params &params, const char *words) {
  const auto failed = client.try_upload(path, params);
  return !failed && failed.error().status() == apivideo::status::invalid_argument &&
         std::string(failed.error().message()).find(words) != std::string::npos;
}

static void what_c_cannot_take_is_refused() {
  scripted_peer server;
  const file film(10);
  const auto client = device(server.url());
  const std::string nul("a\0b", 3);
  const auto with = [](auto change) {
    apivideo::upload_params params = {"to1"};
    change(params);
    return params;
  };
  const auto refused = [&](auto change, const char *words) {
    return is_refused(client, film.path(), with(change), words);
  };
  using params = apivideo::upload_params;
  CHECK(is_refused(client, nul, {"to1"}, "path has a NUL"));
  CHECK(refused([&](params &it) { it.token = nul; }, "params.token has a NUL"));
  CHECK(refused([&](params &it) { it.token = ""; }, "params.token"));
  CHECK(refused([&](params &it) { it.video_id = nul; }, "params.video_id has a NUL"));
  CHECK(refused([&](params &it) { it.file_name = nul; }, "params.file_name has a NUL"));
  CHECK(refused([&](params &it) { it.resume = nul; }, "params.resume has a NUL"));
  CHECK(refused([&](params &it) { it.part_bytes = 1; }, "params.part_bytes"));
  CHECK(refused([](params &it) { it.stall_timeout = seconds(-1); }, "params.stall_timeout"));
  CHECK(refused([](params &it) { it.answer_timeout = seconds(0); }, "params.answer_timeout"));
  CHECK(refused([](params &it) { it.patience = std::chrono::hours(2000); }, "params.patience"));
  CHECK(refused([](params &it) { it.progress_interval = seconds(0); }, "params.progress_interval"));
  CHECK(server.request_count() == 0);
}

int main() {
  a_device_uploads_with_a_token();
  what_is_not_told_is_empty();
  function_objects_are_told_how_far_it_is();
  what_they_throw_is_dropped();
  a_cancelled_upload_goes_on_from_its_state();
  each_failure_has_its_class();
  what_c_cannot_take_is_refused();
  return checks_report();
}
