// Range-for over all tokens: each once, a request a page; left in the middle, gone on with, failing
// in the middle, and outliving its client.
#include "support/scene.hpp"

#include <iterator>
#include <set>
#include <type_traits>
#if __cplusplus >= 202002L
#include <algorithm>
#include <ranges>
#endif

using std::chrono::milliseconds;

#if __cplusplus >= 202002L
static_assert(std::ranges::input_range<apivideo::token_range>);
static_assert(std::ranges::input_range<apivideo::token_page>);
static_assert(std::ranges::input_range<const apivideo::token_page>);
#endif
static_assert(std::is_same_v<std::iterator_traits<apivideo::token_range::iterator>::iterator_category,
                             std::input_iterator_tag>);

static void all_tokens_of_all_pages_come_once() {
  stand_in service({"--seed", "60"});
  const apivideo::client client(config_for(service.url()));
  std::set<std::string> values;
  std::size_t count = 0;
  std::optional<apivideo::time_point> before;
  for (const auto &token : client.tokens()) {
    CHECK(!before || *before <= token.created_at());
    before = token.created_at();
    values.insert(std::string(token.value()));
    count++;
  }
  CHECK(count == 60 && values.size() == 60);
  // A temporary view is as good as a reference to it.
  count = 0;
  for (auto token : client.tokens()) count += values.count(std::string(token.value()));
  CHECK(count == 60);
}

static void no_token_makes_no_turn() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  for (const auto &token : client.tokens()) CHECK(token.handle() == nullptr);
  apivideo::token_range range = client.tokens();
  CHECK(range.begin() == range.end());
  CHECK(!range.error() && range.current().handle() == nullptr);
  CHECK(!range.try_next() && !range.error());
}

static void params_and_options_are_those_of_every_page() {
  scripted_peer server;
  apivideo::response response;
  apivideo::list_params params;
  apivideo::request_options options;
  params.page_size = 2;
  params.current_page = 3;
  params.sort_by = apivideo::sort_key::ttl;
  options.response = &response;
  server.answer("200 OK", page_body({"a", "b"}, 3, 4));
  server.answer("200 OK", page_body({"c"}, 4, 4));
  std::string told;
  for (const auto &token : apivideo::client(config_for(server.url())).tokens(params, options)) {
    told += token.value();
    // The token that came with the one before took no request.
    CHECK(response.http_status() == (token.value() == "b" ? 0 : 200));
  }
  CHECK(told == "abc");
  CHECK(server.request(0).find("GET /upload-tokens?sortBy=ttl&currentPage=3&pageSize=2 ") == 0);
  CHECK(server.request(1).find("GET /upload-tokens?sortBy=ttl&currentPage=4&pageSize=2 ") == 0);
  CHECK(server.request_count() == 2);
}

static void nothing_is_sent_before_the_loop_nor_beyond_its_break() {
  scripted_peer server;
  server.answer("200 OK", page_body({"a", "b"}, 1, 2));
  const apivideo::client client(config_for(server.url()));
  apivideo::token_range range = client.tokens();
  CHECK(server.request_count() == 0);
  for (const auto &token : range)
    if (token.value() == "a") break;
  CHECK(range.current().value() == "a");
  CHECK(server.request_count() == 1);

  // Another loop goes on.
  std::string told;
  server.answer("200 OK", page_body({"c"}, 2, 2));
  for (const auto &token : range) told += token.value();
  CHECK(told == "bc");
  CHECK(server.request_count() == 2);
  for (const auto &token : range) CHECK(token.handle() == nullptr);
  CHECK(server.request_count() == 2);
}

static void a_loop_throws_what_a_page_fails_with_and_another_goes_on() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::token_range range = client.tokens();
  std::string told;
  const auto loop = [&] {
    for (const auto &token : range) told += token.value();
  };
  server.answer("500 Oops", "{}");
  CHECK(throws<apivideo::server_error>(loop));
  server.answer("200 OK", page_body({"a", "b"}, 1, 2));
  server.answer("401 Unauthorized", "{}");
  CHECK(throws<apivideo::unauthorized>(loop));
  CHECK(told == "ab");
  CHECK(range.current().handle() == nullptr && range.current().value().empty());
  CHECK(range.error() && range.error()->status() == apivideo::status::unauthorized);
  server.answer("200 OK", page_body({"c"}, 2, 2));
  loop();
  CHECK(told == "abc");
  CHECK(!range.error());
  CHECK(server.request_count() == 4);
}

static void an_iterator_goes_on_after_it_has_thrown() {
  scripted_peer server;
  apivideo::token_range range = apivideo::client(config_for(server.url())).tokens();
  server.answer("200 OK", page_body({"a"}, 1, 2));
  server.answer("503 Busy", "{}");
  server.answer("200 OK", page_body({"b"}, 2, 2));
  auto at = range.begin();
  CHECK((*at).value() == "a" && at != range.end());
  CHECK(throws<apivideo::server_error>([&] { ++at; }));
  CHECK(at == range.end());
  at++;
  CHECK(at != range.end() && (*at).value() == "b");
  ++at;
  CHECK(at == range.end());
}

static void the_loop_without_exceptions_tells_end_from_failure() {
  scripted_peer server;
  const auto client = apivideo::client::try_make(config_for(server.url()));
  auto range = client->try_tokens();
  CHECK(range);
  server.answer("200 OK", page_body({"a"}, 1, 2));
  server.answer("500 Oops", "{}");
  std::string told;
  while (range->try_next()) told += range->current().value();
  CHECK(told == "a");
  CHECK(range->error() && range->error()->status() == apivideo::status::server);
  server.answer("200 OK", page_body({"b"}, 2, 2));
  while (range->try_next()) told += range->current().value();
  CHECK(told == "ab" && !range->error());
}

static void a_range_outlives_its_client_and_moves() {
  stand_in service({"--seed", "60"});
  std::optional<apivideo::token_range> range;
  {
    const apivideo::client client(config_for(service.url()));
    range.emplace(client.tokens());
    CHECK(range->try_next());
  }
  apivideo::token_range moved = std::move(*range);
  range.reset();
  std::size_t count = 1;
  for (const auto &token : moved) count += token.handle() != nullptr;
  CHECK(count == 60);
}

static void removing_while_iterating_is_safe() {
  stand_in service({"--seed", "5"});
  const apivideo::client client(config_for(service.url()));
  for (const auto &token : client.tokens()) client.remove(token);
  CHECK(client.list().empty());
}

static void a_wrong_parameter_is_told_before_the_loop() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::list_params params;
  params.page_size = 101;
  CHECK(throws<apivideo::invalid_argument>([&] { client.tokens(params); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.list(params); }));
  params.page_size = 1;
  params.sort_by = static_cast<apivideo::sort_key>(77);
  CHECK(throws<apivideo::invalid_argument>([&] { client.list(params); }));
  CHECK(server.request_count() == 0);
}

#if __cplusplus >= 202002L
static void ranges_take_it() {
  stand_in service({"--seed", "30"});
  const apivideo::client client(config_for(service.url()));
  CHECK(std::ranges::count_if(client.tokens(), [](const apivideo::token_view &token) {
          return token.created_at().has_value();
        }) == 30);
  std::size_t count = 0;
  for (const auto &value :
       client.tokens() |
           std::views::transform([](const auto &token) { return std::string(token.value()); }) |
           std::views::take(26))
    count += !value.empty();
  CHECK(count == 26);
  CHECK(std::ranges::count_if(client.list(), [](const auto &) { return true; }) == 25);
}
#endif

int main() {
  all_tokens_of_all_pages_come_once();
  no_token_makes_no_turn();
  params_and_options_are_those_of_every_page();
  nothing_is_sent_before_the_loop_nor_beyond_its_break();
  a_loop_throws_what_a_page_fails_with_and_another_goes_on();
  an_iterator_goes_on_after_it_has_thrown();
  the_loop_without_exceptions_tells_end_from_failure();
  a_range_outlives_its_client_and_moves();
  removing_while_iterating_is_safe();
  a_wrong_parameter_is_told_before_the_loop();
#if __cplusplus >= 202002L
  ranges_take_it();
#endif
  return checks_report();
}
