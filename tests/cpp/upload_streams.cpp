// Uploading what is made meanwhile: by a session that is written to, and from a stream that is read;
// what is told and thrown on the way, what a failure leaves, and how to go on from it.
#include "support/film.hpp"

#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_nothrow_move_constructible_v<apivideo::upload_session>);
static_assert(!std::is_copy_constructible_v<apivideo::upload_session>);

template <class T, class = void>
struct takes : std::false_type {};
template <class T>
struct takes<T, std::void_t<decltype(std::declval<apivideo::upload_session &>().write(std::declval<T>()))>>
    : std::true_type {};
static_assert(takes<std::string>::value && takes<std::string_view>::value);
static_assert(!takes<const char *>::value && !takes<char *>::value);

static const std::size_t several_parts = 2 * smallest_part + 100;

struct mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Bytes that come by a pipe, which cannot seek, and may break after so many.
class pipe_buffer : public std::streambuf {
 public:
  explicit pipe_buffer(std::string bytes, std::size_t breaks_after = std::string::npos)
      : bytes_(std::move(bytes)), breaks_after_(breaks_after) {}

 protected:
  int_type underflow() override {
    if (at_ >= breaks_after_) throw mistake("broken pipe");
    if (at_ == bytes_.size()) return traits_type::eof();
    const std::size_t count = std::min({bytes_.size(), breaks_after_, at_ + 1000}) - at_;
    setg(&bytes_[at_], &bytes_[at_], &bytes_[at_] + count);
    at_ += count;
    return traits_type::to_int_type(*gptr());
  }

 private:
  std::string bytes_;
  std::size_t breaks_after_, at_ = 0;
};

// ---------------------------------------------------------------------------------- the session

static void what_is_written_becomes_the_video(std::int64_t parallel_parts) {
  stand_in service;
  const film it(several_parts);
  apivideo::upload_params params = params_for(service);
  params.file_name = "Recorded";
  params.parallel_parts = parallel_parts;
  std::uint64_t confirmed = 0, total = 0;
  std::size_t states = 0;
  params.progress = [&](const apivideo::upload_progress &now) {
    CHECK(now.bytes_confirmed >= confirmed);
    confirmed = now.bytes_confirmed;
    total = now.bytes_total;
  };
  params.state = [&](std::string_view state) {
    states += !state.empty() && state.find(params.token) == std::string_view::npos;
  };
  auto session = device(service.url()).begin_upload(params); // which outlives its client
  for (std::size_t at = 0; at < it.bytes().size(); at += 1000000)
    session.write(std::string_view(it.bytes()).substr(at, 1000000));
  CHECK(session.offset() == it.bytes().size() && confirmed < it.bytes().size());
  const auto video = session.finish();
  CHECK(video.title() == "Recorded" && video.bytes() == it.bytes().size());
  CHECK(has(service, video.id(), it));
  CHECK(confirmed == it.bytes().size() && total == confirmed && states == 2);
  CHECK(throws<apivideo::invalid_argument>([&] { session.write("x", 1); }));
  CHECK(throws<apivideo::invalid_argument>([&] { session.finish(); }));
}

static void a_session_keeps_what_it_calls() {
  stand_in service;
  const auto counter = std::make_shared<int>(0);
  {
    std::optional<apivideo::upload_session> session;
    {
      apivideo::config config = device_config(service.url());
      apivideo::upload_params params = params_for(service);
      config.trace = [counter](apivideo::trace_level, std::string_view) { ++*counter; };
      params.progress = [counter](const apivideo::upload_progress &) { ++*counter; };
      session.emplace(apivideo::client(config).begin_upload(params));
    }
    apivideo::upload_session moved = std::move(*session);
    session.reset();
    moved.write("0123456789", 10);
    CHECK(moved.finish().bytes() == 10 && *counter >= 2);
  }
  CHECK(counter.use_count() == 1);
}

static void one_that_was_moved_from_is_empty() {
  scripted_peer server;
  auto session = device(server.url()).begin_upload({"to1"});
  const auto taken = std::move(session);
  CHECK(taken.handle() != nullptr && session.handle() == nullptr && session.offset() == 0 && session.state().empty());
  CHECK(throws<apivideo::invalid_argument>([&] { session.write("x", 1); }));
  CHECK(throws<apivideo::invalid_argument>([&] { session.finish(); }));
}

static void what_c_cannot_take_is_refused() {
  scripted_peer server;
  const auto client = device(server.url());
  apivideo::upload_params params = {std::string("a\0b", 3)};
  CHECK(throws<apivideo::invalid_argument>([&] { client.begin_upload(params); }));
  std::istringstream stream("0123456789");
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload(stream, params); }));
  params.token = "to1";
  apivideo::request_options options;
  options.timeout = seconds(-1);
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload(stream, params, options); }));
  CHECK(stream.tellg() == std::streampos(0)); // Nothing was read.
  auto session = client.begin_upload(params);
  CHECK(throws<apivideo::invalid_argument>([&] { session.write("x", 1, options); }));
  CHECK(throws<apivideo::invalid_argument>([&] { session.write(nullptr, 1); }));
  CHECK(throws<apivideo::invalid_argument>([&] { session.finish(); })); // with nothing in it
  session.write(nullptr, 0);
  session.write(std::string());
  CHECK(session.offset() == 0 && server.request_count() == 0);
}

static void a_write_that_fails_tells_how_much_was_taken() {
  scripted_peer server;
  const film it(smallest_part + 7);
  apivideo::upload_params params = {"to1"};
  params.part_bytes = smallest_part;
  params.video_id = "vi1";
  auto session = device(server.url()).begin_upload(params);
  server.answer("401 Unauthorized", "{}");
  const auto failed = session.try_write(it.bytes());
  CHECK(!failed && failed.error().status() == apivideo::status::unauthorized);
  const auto taken = static_cast<std::size_t>(session.offset());
  CHECK(taken > smallest_part - 1 && taken < it.bytes().size());
  server.answer("201 Created", "{\"videoId\":\"vi1\"}");
  server.answer("201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  session.write(it.bytes().data() + taken, it.bytes().size() - taken);
  CHECK(session.finish().bytes() == it.bytes().size());
}

static void another_session_goes_on_from_the_offset(std::int64_t parallel_parts) {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  apivideo::request_options options;
  options.cancel.emplace();
  params.parallel_parts = parallel_parts;
  params.state = [&](std::string_view) { options.cancel->cancel(); };
  try {
    auto session = client.begin_upload(params);
    session.write(it.bytes(), options);
    session.finish(options);
    CHECK(!"thrown");
  } catch (const apivideo::cancelled &error) {
    params.resume = error.upload_state();
  }
  params.state = nullptr;
  auto session = client.begin_upload(params);
  CHECK(session.offset() >= smallest_part && session.offset() < several_parts);
  session.write(std::string_view(it.bytes()).substr(static_cast<std::size_t>(session.offset())));
  CHECK(has(service, session.finish().id(), it));
}

static void a_session_goes_on_after_what_was_thrown(std::int64_t parallel_parts) {
  stand_in service;
  const film it(several_parts);
  apivideo::upload_params params = params_for(service);
  int thrown = 0;
  params.parallel_parts = parallel_parts;
  params.state = [&](std::string_view) {
    if (thrown++ == 0) throw mistake("state");
  };
  auto session = device(service.url()).begin_upload(params);
  // The first part is confirmed, and nothing is left that could be cancelled.
  const auto failed = session.try_write(std::string_view(it.bytes()).substr(0, smallest_part + 1));
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled);
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::not_applied);
  CHECK(!failed && !failed.error().upload_state().empty());
  CHECK(throws<mistake>([&] { failed.error().raise(); }));
  CHECK(session.offset() == smallest_part + 1);
  CHECK(!session.state().empty());
  session.write(std::string_view(it.bytes()).substr(smallest_part + 1));
  CHECK(has(service, session.finish().id(), it));
}

static void what_is_thrown_in_finish_comes_out() {
  stand_in service;
  const film it(10);
  apivideo::upload_params params = params_for(service);
  params.progress = [&](const apivideo::upload_progress &now) {
    if (now.parts_confirmed == 1) throw mistake("progress");
  };
  auto session = device(service.url()).begin_upload(params);
  session.write(it.bytes());
  const auto failed = session.try_finish();
  CHECK(throws<mistake>([&] { failed.error().raise(); }));
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::applied); // too late
  CHECK(!failed && has(service, failed.error().upload_video_id(), it));
}

static void a_session_is_not_for_what_it_calls() {
  stand_in service;
  const film it(10);
  apivideo::upload_params params = params_for(service);
  apivideo::upload_session *inside = nullptr;
  params.progress = [&](const apivideo::upload_progress &) {
    CHECK(throws<apivideo::invalid_argument>([&] { inside->write("x", 1); }));
  };
  auto session = device(service.url()).begin_upload(params);
  inside = &session;
  session.write(it.bytes());
  CHECK(has(service, session.finish().id(), it));
}

// ----------------------------------------------------------------------------------- the stream

static void a_stream_is_uploaded_to_its_end(std::int64_t parallel_parts) {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  params.parallel_parts = parallel_parts;
  std::ifstream file(it.path(), std::ios::binary);
  CHECK(has(service, client.upload(file, params).id(), it));
  pipe_buffer buffer(it.bytes());
  std::istream pipe(&buffer);
  CHECK(has(service, client.upload(pipe, params).id(), it));
}

static void it_begins_where_the_stream_stands() {
  stand_in service;
  const film it(1000);
  std::istringstream stream("head" + it.bytes());
  stream.seekg(4);
  CHECK(has(service, device(service.url()).upload(stream, params_for(service)).id(), it));
}

static void the_end_of_a_stream_is_no_failure_of_it() {
  stand_in service;
  const film it(1000);
  std::istringstream stream(it.bytes());
  stream.exceptions(std::ios::failbit | std::ios::eofbit | std::ios::badbit);
  CHECK(has(service, device(service.url()).upload(stream, params_for(service)).id(), it));
}

static void of_an_empty_stream_no_video_is_made() {
  scripted_peer server;
  std::istringstream stream;
  const auto client = device(server.url());
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload(stream, {"to1"}); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload(stream, {"to1"}); })); // at its end
  CHECK(server.request_count() == 0);
}

static void a_stream_that_never_opened_is_a_source_that_cannot_be_read() {
  scripted_peer server;
  std::ifstream nothing("/nowhere/film.ts");
  const auto failed = device(server.url()).try_upload(nothing, {"to1"});
  CHECK(!failed && failed.error().status() == apivideo::status::source);
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::not_applied);
  CHECK(!failed && failed.error().upload_state().empty() && !failed.error().thrown());
  std::ifstream directory("/tmp"); // which opens, and cannot be read
  const auto other = device(server.url()).try_upload(directory, {"to1"});
  CHECK(!other && other.error().status() == apivideo::status::source);
  CHECK(server.request_count() == 0);
}

// Uploads what comes until the pipe breaks, and returns the state.
static std::string broken_off(const apivideo::client &client, const apivideo::upload_params &params,
                              const film &it) {
  pipe_buffer buffer(it.bytes(), smallest_part + 100000);
  std::istream pipe(&buffer);
  const auto failed = client.try_upload(pipe, params);
  CHECK(!failed && failed.error().status() == apivideo::status::source && !failed.error().thrown());
  CHECK(!failed && failed.error().outcome() == apivideo::outcome::not_applied);
  CHECK(!failed && !failed.error().is_retryable() && !failed.error().upload_video_id().empty());
  CHECK(!failed && std::string(failed.error().message()).find("stream") != std::string::npos);
  CHECK(throws<apivideo::source_error>([&] { failed.error().raise(); }));
  return std::string(failed ? "" : failed.error().upload_state());
}

static void a_stream_that_breaks_leaves_a_state(std::int64_t parallel_parts) {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  params.parallel_parts = parallel_parts;

  params.resume = broken_off(client, params, it);
  std::istringstream can_seek("head" + it.bytes());
  can_seek.seekg(4);
  CHECK(has(service, client.upload(can_seek, params).id(), it));

  params.resume.reset();
  params.resume = broken_off(client, params, it);
  pipe_buffer buffer(it.bytes());
  std::istream cannot_seek(&buffer);
  CHECK(has(service, client.upload(cannot_seek, params).id(), it));
}

static void what_a_stream_throws_comes_out() {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  pipe_buffer buffer(it.bytes(), smallest_part + 100000), other(it.bytes(), 0);
  std::istream pipe(&buffer), broken(&other);
  pipe.exceptions(std::ios::badbit);
  broken.exceptions(std::ios::badbit);
  const auto failed = client.try_upload(pipe, params_for(service));
  CHECK(!failed && failed.error().status() == apivideo::status::source);
  CHECK(!failed && !failed.error().upload_state().empty());
  CHECK(throws<mistake>([&] { failed.error().raise(); }));
  CHECK(throws<mistake>([&] { client.upload(broken, params_for(service)); }));
}

static void a_stream_that_breaks_at_once_leaves_the_state_that_it_had() {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  params.resume = broken_off(client, params, it);
  pipe_buffer buffer(it.bytes(), 1000);
  std::istream pipe(&buffer);
  const auto failed = client.try_upload(pipe, params);
  CHECK(!failed && failed.error().status() == apivideo::status::source);
  CHECK(!failed && failed.error().upload_state() == *params.resume);
  std::istringstream shorter("what is shorter than what was confirmed");
  CHECK(throws<apivideo::invalid_argument>([&] { client.upload(shorter, params); }));
  std::istringstream whole(it.bytes());
  CHECK(has(service, client.upload(whole, params).id(), it));
}

static void a_cancelled_stream_goes_on_from_its_state() {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  apivideo::request_options options;
  options.cancel.emplace();
  params.progress = [&](const apivideo::upload_progress &now) {
    if (now.parts_confirmed == 1) options.cancel->cancel();
  };
  std::istringstream stream(it.bytes());
  const auto failed = client.try_upload(stream, params, options);
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled);
  CHECK(!failed && !failed.error().thrown());
  if (failed) return;
  params.progress = nullptr;
  params.resume = failed.error().upload_state();
  stream.clear();
  stream.seekg(0);
  CHECK(has(service, client.upload(stream, params).id(), it));
}

static void what_is_thrown_comes_out_of_a_stream() {
  stand_in service;
  const film it(several_parts);
  const auto client = device(service.url());
  apivideo::upload_params params = params_for(service);
  params.state = [](std::string_view) { throw mistake("state"); };
  std::istringstream stream(it.bytes());
  const auto failed = client.try_upload(stream, params);
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled);
  CHECK(!failed && !failed.error().upload_state().empty());
  CHECK(throws<mistake>([&] { failed.error().raise(); }));
}

static void a_time_that_is_set_bounds_it_all() {
  scripted_peer server;
  const film it(10);
  apivideo::request_options options;
  options.timeout = milliseconds(50);
  server.stall();
  std::istringstream stream(it.bytes());
  const auto client = device(server.url());
  CHECK(throws<apivideo::timeout>([&] { client.upload(stream, {"to1"}, options); }));
}

static void a_refused_token_has_its_class() {
  stand_in service;
  std::istringstream stream("0123456789");
  const auto client = device(service.url());
  const auto failed = client.try_upload(stream, {"none-of-those-that-are-known"});
  CHECK(throws<apivideo::unauthorized>([&] { failed.error().raise(); }));
  CHECK(!failed && std::string(failed.error().message()).find("those") == std::string::npos);
}

int main() {
  for (const std::int64_t parallel_parts : {0, 2}) {
    what_is_written_becomes_the_video(parallel_parts);
    another_session_goes_on_from_the_offset(parallel_parts);
    a_session_goes_on_after_what_was_thrown(parallel_parts);
    a_stream_is_uploaded_to_its_end(parallel_parts);
    a_stream_that_breaks_leaves_a_state(parallel_parts);
  }
  a_session_keeps_what_it_calls();
  one_that_was_moved_from_is_empty();
  what_c_cannot_take_is_refused();
  a_write_that_fails_tells_how_much_was_taken();
  what_is_thrown_in_finish_comes_out();
  a_session_is_not_for_what_it_calls();
  it_begins_where_the_stream_stands();
  the_end_of_a_stream_is_no_failure_of_it();
  of_an_empty_stream_no_video_is_made();
  a_stream_that_never_opened_is_a_source_that_cannot_be_read();
  what_a_stream_throws_comes_out();
  a_stream_that_breaks_at_once_leaves_the_state_that_it_had();
  a_cancelled_stream_goes_on_from_its_state();
  what_is_thrown_comes_out_of_a_stream();
  a_time_that_is_set_bounds_it_all();
  a_refused_token_has_its_class();
  return checks_report();
}
