// C++20 alone: a std::stop_token cancels calls. It may be stopped already, stopped by another thread
// in the middle, stopped while the call is ending, or never.
#include "support/film.hpp"

#include <sstream>
#include <stop_token>

#ifndef __cpp_lib_jthread
#error "std::stop_token is missing: this test is for C++20 and newer"
#endif

using std::chrono::seconds;

static void a_jthread_that_is_asked_to_stop_ends_its_call() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  std::atomic<bool> cancelled{false};
  server.stall();
  std::jthread worker([&](std::stop_token stop) {
    cancelled = throws<apivideo::cancelled>([&] { (void)client.create(seconds(60), {.cancel = stop}); });
  });
  server.await_requests(1);
  CHECK(!cancelled);
  worker.request_stop();
  worker.join();
  CHECK(cancelled);
}

static void a_stop_before_the_call_sends_nothing() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  std::stop_source source;
  source.request_stop();
  apivideo::request_options options;
  options.cancel = source.get_token();
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));
  CHECK(server.request_count() == 0);
}

static void a_stop_after_the_call_is_for_those_to_come() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  std::stop_source source;
  apivideo::request_options options;
  options.cancel = source.get_token();
  CHECK(client.list({}, options).empty());
  source.request_stop();
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));
  CHECK(client.list().empty());
}

static void a_token_without_a_source_never_stops() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  CHECK(client.list({}, {.cancel = std::stop_token()}).empty());
}

static void cancel_works_besides_and_stops_nobody_else() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  std::stop_source source;
  const apivideo::cancel_source cancel = source.get_token();
  cancel.cancel();
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, {.cancel = cancel}); }));
  CHECK(!source.stop_requested());
}

static void a_range_stops_between_its_pages() {
  stand_in service({"--seed", "60"});
  const apivideo::client client(config_for(service.url()));
  std::stop_source source;
  std::size_t count = 0;
  CHECK(throws<apivideo::cancelled>([&] {
    for (const auto &token : client.tokens({}, {.cancel = source.get_token()})) {
      count += token.handle() != nullptr;
      source.request_stop();
    }
  }));
  CHECK(count == 25);
}

static void an_upload_stops_and_goes_on_from_its_state() {
  stand_in service;
  const film it(smallest_part + 10);
  const auto client = device(service.url());
  std::stop_source source;
  apivideo::upload_params params = params_for(service);
  params.state = [&](std::string_view) { source.request_stop(); };
  std::istringstream stream(it.bytes());
  const auto failed = client.try_upload(stream, params, {.cancel = source.get_token()});
  CHECK(!failed && failed.error().status() == apivideo::status::cancelled);
  if (failed) return;
  params.state = nullptr;
  params.resume = failed.error().upload_state();
  std::istringstream again(it.bytes());
  CHECK(has(service, client.upload(again, params).id(), it));
}

// What a function object throws cancels the call's own source, and nobody's who has the same stop.
static void what_an_upload_throws_stops_nobody() {
  stand_in service;
  const film it(10);
  const auto client = device(service.url());
  std::stop_source source;
  apivideo::upload_params params = params_for(service);
  params.progress = [](const apivideo::upload_progress &) { throw 1; };
  CHECK(throws<int>([&] { client.upload(it.path(), params, {.cancel = source.get_token()}); }));
  CHECK(!source.stop_requested());
}

// The options may go while the stop is being told; valgrind looks on.
static void a_stop_that_races_with_the_answer_is_one_or_the_other() {
  stand_in service({"--seed", "1"});
  const apivideo::client client(config_for(service.url()));
  int answered = 0, cancelled = 0, others = 0;
  for (int i = 0; i < 60; i++) {
    std::stop_source source;
    std::atomic<bool> begun{false};
    std::thread other([&begun, source, i]() mutable {
      while (!begun) std::this_thread::yield();
      for (int turn = 0; turn < i * 20; turn++) std::this_thread::yield();
      source.request_stop();
    });
    begun = true;
    const auto page = client.try_list({}, {.cancel = source.get_token()});
    if (page)
      answered += page->size() == 1;
    else
      (page.error().status() == apivideo::status::cancelled ? cancelled : others)++;
    other.join();
  }
  CHECK(answered + cancelled == 60 && others == 0);
}

static void a_configuration_is_written_with_designators() {
  stand_in service;
  const apivideo::client client({.api_key = "test-key", .base_url = service.url()});
  CHECK(client.list({.page_size = 3}).page_size() == 3);
}

int main() {
  a_jthread_that_is_asked_to_stop_ends_its_call();
  a_stop_before_the_call_sends_nothing();
  a_stop_after_the_call_is_for_those_to_come();
  a_token_without_a_source_never_stops();
  cancel_works_besides_and_stops_nobody_else();
  a_range_stops_between_its_pages();
  an_upload_stops_and_goes_on_from_its_state();
  what_an_upload_throws_stops_nobody();
  a_stop_that_races_with_the_answer_is_one_or_the_other();
  a_configuration_is_written_with_designators();
  return checks_report();
}
