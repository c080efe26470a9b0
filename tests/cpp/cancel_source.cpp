// A cancel_source ends calls from another thread, before they begin, and while they are ending by
// themselves; its copies do the same, whichever of them is left.
#include "support/scene.hpp"

using apivideo::cancel_source;
using std::chrono::seconds;

static apivideo::request_options with(const cancel_source &cancel) {
  apivideo::request_options options;
  options.cancel = cancel;
  return options;
}

static void another_thread_ends_a_call() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  const cancel_source cancel;
  server.stall();
  std::thread other([&server, cancel] {
    server.await_requests(1);
    cancel.cancel();
  });
  try {
    (void)client.create(seconds(60), with(cancel));
    CHECK(!"thrown");
  } catch (const apivideo::cancelled &error) {
    CHECK(error.outcome() == apivideo::outcome::unknown);
    CHECK(!error.is_retryable());
  }
  other.join();
}

static void every_call_can_be_cancelled() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  const cancel_source cancel;
  const auto options = with(cancel);
  CHECK(client.try_get("").error().status() == apivideo::status::invalid_argument);
  cancel.cancel();
  CHECK(throws<apivideo::cancelled>([&] { (void)client.create(seconds(60), options); }));
  CHECK(throws<apivideo::cancelled>([&] { client.get("t", options); }));
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));
  CHECK(throws<apivideo::cancelled>([&] { client.remove("t", options); }));
  CHECK(throws<apivideo::cancelled>([&] { client.tokens({}, options).begin(); }));
  CHECK(client.try_remove("t", options).error().outcome() == apivideo::outcome::not_applied);
  CHECK(server.request_count() == 0);
}

static void one_source_ends_many_calls_and_no_others() {
  stand_in slow({"--latency-ms", "60000"}), quick;
  const apivideo::client client(config_for(slow.url())), other(config_for(quick.url()));
  const cancel_source cancel, not_used;
  std::atomic<int> begun{0}, cancelled{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      begun++;
      cancelled += throws<apivideo::cancelled>([&] { client.list({}, with(cancel)); });
    });
  while (begun < 4) std::this_thread::yield();
  not_used.cancel();
  CHECK(other.list().empty());
  cancel.cancel();
  cancel.cancel();
  for (auto &thread : threads) thread.join();
  CHECK(cancelled == 4);
}

static void options_keep_what_they_need() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::request_options options;
  std::optional<cancel_source> mine(std::in_place);
  options.cancel = *mine;
  const cancel_source copy = *mine;
  mine.reset();
  copy.cancel();
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));

  // A range keeps it too.
  std::optional<apivideo::token_range> range;
  {
    const cancel_source cancel;
    range.emplace(client.tokens({}, with(cancel)));
    cancel.cancel();
  }
  CHECK(!range->try_next() && range->error()->status() == apivideo::status::cancelled);
  CHECK(server.request_count() == 0);
}

static void a_cancel_that_races_with_the_answer_is_one_or_the_other() {
  stand_in service({"--seed", "1"});
  const apivideo::client client(config_for(service.url()));
  int answered = 0, cancelled = 0, others = 0;
  for (int i = 0; i < 60; i++) {
    const cancel_source cancel;
    std::atomic<bool> begun{false};
    std::thread other([&begun, cancel, i] {
      while (!begun) std::this_thread::yield();
      for (int turn = 0; turn < i * 20; turn++) std::this_thread::yield();
      cancel.cancel();
    });
    begun = true;
    const auto page = client.try_list({}, with(cancel));
    if (page)
      answered += page->size() == 1;
    else
      (page.error().status() == apivideo::status::cancelled ? cancelled : others)++;
    other.join();
  }
  CHECK(answered + cancelled == 60 && others == 0);
}

int main() {
  another_thread_ends_a_call();
  every_call_can_be_cancelled();
  one_source_ends_many_calls_and_no_others();
  options_keep_what_they_need();
  a_cancel_that_races_with_the_answer_is_one_or_the_other();
  return checks_report();
}
