// Compiled without exceptions and RTTI: everything is done by the calls that return a result.
#include "support/film.hpp"

#include <sstream>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this test is for -fno-exceptions -fno-rtti"
#endif

using std::chrono::seconds;

static void tokens_are_created_found_listed_and_removed() {
  stand_in service;
  const auto client = apivideo::client::try_make(config_for(service.url()));
  CHECK(client);
  if (!client) return;
  const auto made = client->try_create(seconds(60));
  CHECK(made && made->ttl() == seconds(60));
  if (!made) return;
  const auto found = client->try_get(*made);
  CHECK(found && found->value() == made->value());
  const auto page = client->try_list();
  std::size_t count = 0;
  for (const auto &token : *page) count += token.value() == made->value();
  CHECK(count == 1);
  auto range = client->try_tokens();
  count = 0;
  while (range->try_next()) count += range->current().value() == made->value();
  CHECK(count == 1 && !range->error());
  CHECK(client->try_remove(*made));
  const auto gone = client->try_get(*made);
  CHECK(!gone && gone.error().status() == apivideo::status::not_found);
  CHECK(!gone && gone.error().http_status() == 404);
}

static void failures_tell_what_exceptions_would() {
  scripted_peer server;
  apivideo::config config = config_for(server.url());
  std::size_t lines = 0;
  config.trace = [&lines](apivideo::trace_level, std::string_view) { lines++; };
  const auto client = apivideo::client::try_make(config);
  server.answer("400 Bad Request", "{\"title\":\"No.\",\"problems\":[{\"name\":\"ttl\"}]}");
  const auto rejected = client->try_create(seconds(1));
  CHECK(!rejected && rejected.error().status() == apivideo::status::rejected);
  CHECK(!rejected && rejected.error().problem().title == "No.");
  CHECK(!rejected && rejected.error().problems().size() == 1);
  CHECK(lines == 1);
  CHECK(client->try_create(seconds(-1)).error().status() == apivideo::status::invalid_argument);
  apivideo::request_options options;
  options.cancel.emplace();
  options.cancel->cancel();
  CHECK(client->try_list({}, options).error().status() == apivideo::status::cancelled);
  auto range = client->try_tokens({}, options);
  CHECK(!range->try_next() && range->error()->status() == apivideo::status::cancelled);
  config.api_key.reset();
  CHECK(!apivideo::client::try_make(config));
  config.no_credential = true;
  const auto device = apivideo::client::try_make(config);
  CHECK(device && device->try_upload("/nowhere", {"to1"}).error().status() == apivideo::status::source);
}

// Uploads what a session and a stream are given, and what a stream cannot give.
static void what_is_made_meanwhile_is_uploaded() {
  stand_in service;
  const auto backend = apivideo::client::try_make(config_for(service.url()));
  const auto device = apivideo::client::try_make(device_config(service.url()));
  const auto token = backend->try_create(seconds(60));
  const film it(smallest_part + 10);
  apivideo::upload_params params;
  apivideo::request_options options;
  options.cancel.emplace();
  params.token = token->value();
  params.part_bytes = smallest_part;
  params.state = [&](std::string_view) { options.cancel->cancel(); };
  auto session = device->try_begin_upload(params);
  CHECK(session->try_write(it.bytes(), options));
  const auto failed = session->try_finish(options);
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled && !failed.error().thrown());
  params.resume = failed.error().upload_state();
  std::istringstream stream(it.bytes()), none;
  none.setstate(std::ios::badbit);
  const auto unread = device->try_upload(none, params);
  CHECK(!unread && unread.error().status() == apivideo::status::source);
  CHECK(!unread && unread.error().upload_state() == *params.resume);
  const auto video = device->try_upload(stream, params);
  CHECK(video && has(service, video->id(), it));
}

int main() {
  tokens_are_created_found_listed_and_removed();
  failures_tell_what_exceptions_would();
  what_is_made_meanwhile_is_uploaded();
  return checks_report();
}
