// Uploading a file with a token: what is handed out, what function objects are told, what they throw,
// what a failure leaves to go on from, and what C cannot take.
#include "support/film.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_nothrow_move_constructible_v<apivideo::uploaded_video>);
static_assert(!std::is_copy_constructible_v<apivideo::uploaded_video>);
static_assert(sizeof(apivideo::uploaded_video) == sizeof(void *));

static const std::size_t two_parts = smallest_part + 10;

static void a_device_uploads_with_a_token() {
  stand_in service;
  const film it(10);
  const auto client = device(service.url());
  apivideo::uploaded_video video = client.upload(it.path(), {token_of(service)});
  CHECK(video.id().substr(0, 2) == "vi" && video.bytes() == 10 && video.videos_abandoned() == 0);
  CHECK(it.path().find(video.title()) != std::string::npos && !video.title().empty());
  CHECK(video.player_url().find(video.id()) != std::string_view::npos);
  CHECK(video.json().front() == '{' && video.is_public() == true && video.created_at());
  const apivideo::uploaded_video taken = std::move(video);
  CHECK(taken.id().size() > 2 && taken.handle() != nullptr);
  CHECK(video.id().empty() && video.bytes() == 0 && !video.is_public() && !video.created_at());
  CHECK(client.try_list().error().status() == apivideo::status::invalid_argument);
}

static void what_is_not_told_is_empty() {
  scripted_peer server;
  const film it(10);
  server.answer("201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  const auto video = device(server.url()).upload(it.path(), {"to1"});
  CHECK(video.id() == "vi1" && video.title() == "T");
  CHECK(video.hls_url().empty() && video.mp4_url().empty() && video.thumbnail_url().empty());
  CHECK(video.iframe_html().empty() && !video.is_public() && !video.published_at());
}

static void function_objects_are_told_how_far_it_is() {
  stand_in service;
  const film it(two_parts);
  std::vector<apivideo::upload_progress> told;
  std::vector<std::string> states;
  apivideo::upload_params params;
  params.token = token_of(service);
  params.file_name = "Holidays";
  params.progress = [&](const apivideo::upload_progress &now) { told.push_back(now); };
  params.state = [&](std::string_view state) { states.emplace_back(state); };
  const auto video = device(service.url()).upload(it.path(), params);
  CHECK(video.title() == "Holidays" && video.bytes() == two_parts);
  CHECK(!told.empty() && told.front().bytes_confirmed == 0 && told.front().parts_total == 2);
  CHECK(!told.empty() && told.back().bytes_confirmed == two_parts);
  CHECK(!told.empty() && told.back().bytes_total == two_parts && told.back().parts_confirmed == 2);
  CHECK(states.size() == 1 && states[0].find(params.token) == std::string::npos);
}

static void progress_never_goes_back_with_parts_side_by_side() {
  stand_in service;
  const film it(3 * smallest_part + 7);
  std::vector<std::uint64_t> confirmed;
  apivideo::upload_params params = params_for(service);
  params.parallel_parts = 3;
  params.progress = [&](const apivideo::upload_progress &now) { confirmed.push_back(now.bytes_confirmed); };
  const auto video = device(service.url()).upload(it.path(), params);
  CHECK(has(service, video.id(), it));
  CHECK(std::is_sorted(confirmed.begin(), confirmed.end()));
  CHECK(!confirmed.empty() && confirmed.back() == it.bytes().size());
}

struct mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

static void what_they_throw_ends_the_upload_and_comes_out() {
  stand_in service;
  const film it(two_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  params.progress = [](const apivideo::upload_progress &) { throw mistake("progress"); };
  CHECK(throws<mistake>([&] { client.upload(it.path(), params); }));
  params.progress = nullptr;
  params.state = [](std::string_view) { throw mistake("state"); };
  CHECK(throws<mistake>([&] { client.upload(it.path(), params); }));
  params.state = nullptr;
  CHECK(client.try_upload(it.path(), params));
}

static void what_they_throw_is_in_the_failure_with_the_state() {
  stand_in service;
  const film it(two_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  int calls = 0;
  params.progress = [&](const apivideo::upload_progress &now) {
    if (now.parts_confirmed == 1) throw ++calls;
  };
  const auto failed = client.try_upload(it.path(), params);
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled);
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::not_applied);
  CHECK(!failed && !failed.error().is_retryable() && failed.error().thrown());
  CHECK(!failed && std::string(failed.error().message()).find("threw") != std::string::npos);
  CHECK(throws<int>([&] { failed.error().raise(); }));
  CHECK(calls == 1); // and was not called again
  if (failed) return;
  params.progress = nullptr;
  params.resume = failed.error().upload_state();
  const std::string id(failed.error().upload_video_id());
  CHECK(client.upload(it.path(), params).id() == id && has(service, id, it));
}

static void what_is_thrown_too_late_tells_the_video() {
  stand_in service;
  const film it(10);
  apivideo::upload_params params = params_for(service);
  params.progress = [](const apivideo::upload_progress &now) {
    if (now.parts_confirmed == 1) throw mistake("too late");
  };
  const auto failed = device(service.url()).try_upload(it.path(), params);
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::applied);
  CHECK(!failed && failed.error().upload_state().empty() && !failed.error().is_retryable());
  CHECK(!failed && has(service, failed.error().upload_video_id(), it));
  CHECK(throws<mistake>([&] { failed.error().raise(); }));
}

static void what_they_throw_cancels_by_the_source_of_the_call() {
  stand_in service;
  const film it(two_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  apivideo::request_options options;
  options.cancel.emplace();
  params.state = [](std::string_view) { throw mistake("state"); };
  CHECK(throws<mistake>([&] { client.upload(it.path(), params, options); }));
  params.state = nullptr;
  CHECK(throws<apivideo::cancelled>([&] { client.upload(it.path(), params, options); }));
}

static void a_cancelled_upload_goes_on_from_its_state(std::int64_t parallel_parts) {
  stand_in service;
  const film it(3 * smallest_part + 7);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  apivideo::request_options options;
  options.cancel.emplace();
  params.parallel_parts = parallel_parts;
  params.state = [&](std::string_view) { options.cancel->cancel(); };
  std::string id;
  try {
    client.upload(it.path(), params, options);
    CHECK(!"thrown");
  } catch (const apivideo::cancelled &error) {
    CHECK(error.outcome() == apivideo::outcome::not_applied && !error.thrown());
    CHECK(!error.upload_state().empty() && !error.upload_video_id().empty());
    CHECK(error.upload_state().find(params.token) == std::string_view::npos);
    params.resume = error.upload_state();
    id = error.upload_video_id();
  }
  params.state = nullptr;
  std::uint64_t first = 0;
  params.progress = [&](const apivideo::upload_progress &now) {
    if (first == 0) first = now.bytes_confirmed;
  };
  CHECK(client.upload(it.path(), params).id() == id && first >= smallest_part);
  CHECK(has(service, id, it));
}

static void times_may_be_without_limit() {
  stand_in service;
  const film it(10);
  apivideo::upload_params params = params_for(service);
  apivideo::request_options options;
  params.stall_timeout = params.answer_timeout = params.patience = apivideo::no_limit;
  params.progress_interval = milliseconds(1);
  params.max_bytes_per_second = 1 << 30;
  options.timeout = apivideo::no_limit;
  CHECK(has(service, device(service.url()).upload(it.path(), params, options).id(), it));
}

static void each_failure_has_its_class() {
  scripted_peer server;
  const film it(10);
  const auto client = device(server.url());
  const apivideo::upload_params params = {"to1"};
  CHECK(throws<apivideo::source_error>([&] { client.upload("/nowhere/film.mp4", params); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload("/tmp", params); }));
  CHECK(server.request_count() == 0);
  server.answer("401 Unauthorized", "{}");
  CHECK(throws<apivideo::unauthorized>([&] { client.upload(it.path(), params); }));
  server.answer("404 Not Found", "{}");
  CHECK(throws<apivideo::not_found>([&] { client.upload(it.path(), params); }));
  apivideo::request_options options;
  options.timeout = milliseconds(50);
  server.stall();
  CHECK(throws<apivideo::timeout>([&] { client.upload(it.path(), params, options); }));
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
  const film uploaded(10);
  const auto client = device(server.url());
  const std::string nul("a\0b", 3);
  const auto with = [](auto change) {
    apivideo::upload_params params = {"to1"};
    change(params);
    return params;
  };
  const auto refused = [&](auto change, const char *words) {
    return is_refused(client, uploaded.path(), with(change), words);
  };
  using params = apivideo::upload_params;
  CHECK(is_refused(client, nul, {"to1"}, "path has a NUL"));
  CHECK(refused([&](params &it) { it.token = nul; }, "params.token has a NUL"));
  CHECK(refused([&](params &it) { it.token = ""; }, "params.token"));
  CHECK(refused([&](params &it) { it.video_id = nul; }, "params.video_id has a NUL"));
  CHECK(refused([&](params &it) { it.file_name = nul; }, "params.file_name has a NUL"));
  CHECK(refused([&](params &it) { it.resume = nul; }, "params.resume has a NUL"));
  CHECK(refused([&](params &it) { it.part_bytes = 1; }, "params.part_bytes"));
  CHECK(refused([&](params &it) { it.part_bytes = -1; }, "params.part_bytes"));
  CHECK(refused([&](params &it) { it.max_bytes_per_second = -1; }, "params.max_bytes_per_second"));
  CHECK(refused([&](params &it) { it.parallel_parts = -1; }, "params.parallel_parts"));
  CHECK(refused([&](params &it) { it.parallel_parts = 17; }, "params.parallel_parts"));
  CHECK(refused([&](params &it) { it.parallel_parts = 4294967296; }, "params.parallel_parts"));
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
  progress_never_goes_back_with_parts_side_by_side();
  what_they_throw_ends_the_upload_and_comes_out();
  what_they_throw_is_in_the_failure_with_the_state();
  what_is_thrown_too_late_tells_the_video();
  what_they_throw_cancels_by_the_source_of_the_call();
  a_cancelled_upload_goes_on_from_its_state(0);
  a_cancelled_upload_goes_on_from_its_state(3);
  times_may_be_without_limit();
  each_failure_has_its_class();
  what_c_cannot_take_is_refused();
  return checks_report();
}
