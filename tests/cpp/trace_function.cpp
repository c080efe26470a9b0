// The trace goes to a function object, as much of it as was asked for, for as long as anything of the
// client is left; what it throws is dropped.
#include "support/scene.hpp"

#include <memory>
#include <mutex>
#include <set>

using std::chrono::seconds;

struct line {
  apivideo::trace_level level;
  std::string text;
};

static apivideo::config tracing(const std::string &url, std::vector<line> &lines) {
  apivideo::config config = config_for(url);
  config.trace = [&lines](apivideo::trace_level level, std::string_view text) {
    lines.push_back({level, std::string(text)});
  };
  return config;
}

static void every_attempt_is_traced_unless_told_otherwise() {
  stand_in service;
  std::vector<line> lines;
  const apivideo::client client(tracing(service.url(), lines));
  CHECK(lines.empty());
  client.list();
  CHECK(lines.size() == 1);
  CHECK(!lines.empty() && lines[0].level == apivideo::trace_level::info);
  CHECK(!lines.empty() && lines[0].text.find("GET /upload-tokens") != std::string::npos);
  CHECK(!client.try_get("none"));
  CHECK(lines.size() == 2 && lines[1].level == apivideo::trace_level::error);
}

static std::size_t lines_at(apivideo::trace_level level) {
  stand_in service;
  std::vector<line> lines;
  apivideo::config config = tracing(service.url(), lines);
  config.trace_level = level;
  const apivideo::client client(config);
  client.list();
  CHECK(!client.try_get("none"));
  return lines.size();
}

static void the_level_says_how_much() {
  CHECK(lines_at(apivideo::trace_level::off) == 0);
  CHECK(lines_at(apivideo::trace_level::error) == 1);
  CHECK(lines_at(apivideo::trace_level::info) == 2);
  CHECK(lines_at(apivideo::trace_level::debug) > 2);
  std::vector<line> lines;
  apivideo::config config = tracing("http://127.0.0.1:1", lines);
  config.trace_level = static_cast<apivideo::trace_level>(77);
  CHECK(throws<apivideo::invalid_argument>([&] { apivideo::client client(config); }));
}

static void what_it_throws_is_dropped() {
  stand_in service;
  int calls = 0;
  apivideo::config config = config_for(service.url());
  config.trace = [&calls](apivideo::trace_level, std::string_view) {
    calls++;
    throw 42;
  };
  const apivideo::client client(config);
  CHECK(client.create(seconds(60)).ttl() == seconds(60));
  CHECK(client.list().size() == 1);
  CHECK(calls == 2);
}

static void it_may_call_the_library() {
  stand_in service;
  const apivideo::client *through = nullptr;
  std::size_t depth = 0, found = 0;
  apivideo::config config = config_for(service.url());
  config.trace = [&](apivideo::trace_level, std::string_view) {
    if (depth++ == 0) found = through->list().size();
  };
  const apivideo::client client(config);
  through = &client;
  (void)client.create(seconds(60));
  CHECK(found == 1 && depth == 2);
}

static void it_lives_as_long_as_the_client_or_its_ranges() {
  stand_in service({"--seed", "30"});
  const auto counter = std::make_shared<int>(0);
  std::optional<apivideo::token_range> range;
  {
    std::optional<apivideo::client> client;
    {
      apivideo::config config = config_for(service.url());
      config.trace = [counter](apivideo::trace_level, std::string_view) { ++*counter; };
      client.emplace(config);
    }
    apivideo::client moved = std::move(*client);
    client.reset();
    CHECK(counter.use_count() == 2);
    moved.list();
    CHECK(*counter == 1);
    range.emplace(moved.tokens());
    // The client is replaced, and with it its trace.
    moved = apivideo::client(config_for(service.url()));
    moved.list();
  }
  CHECK(counter.use_count() == 2);
  for (const auto &token : *range) CHECK(token.handle() != nullptr);
  CHECK(*counter == 3);
  range.reset();
  CHECK(counter.use_count() == 1);
}

static void threads_trace_at_once() {
  stand_in service;
  std::mutex lock;
  std::set<std::thread::id> seen;
  std::size_t count = 0;
  apivideo::config config = config_for(service.url());
  config.trace = [&](apivideo::trace_level, std::string_view) {
    const std::lock_guard<std::mutex> guard(lock);
    seen.insert(std::this_thread::get_id());
    count++;
  };
  const apivideo::client client(config);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&client] {
      for (int turn = 0; turn < 5; turn++) client.list();
    });
  for (auto &thread : threads) thread.join();
  CHECK(seen.size() == 4 && count == 20);
}

int main() {
  every_attempt_is_traced_unless_told_otherwise();
  the_level_says_how_much();
  what_it_throws_is_dropped();
  it_may_call_the_library();
  it_lives_as_long_as_the_client_or_its_ranges();
  threads_trace_at_once();
  return checks_report();
}
