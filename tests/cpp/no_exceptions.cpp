// Compiled without exceptions and RTTI: everything is done by the calls that return a result.
#include "support/scene.hpp"

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

int main() {
  tokens_are_created_found_listed_and_removed();
  failures_tell_what_exceptions_would();
  return checks_report();
}
