// The calls against the stand-in service: what they hand out, its times, its lifetimes, and what is
// left when it has been moved from.
#include "support/scene.hpp"

#include <algorithm>
#include <type_traits>

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::system_clock;

// ------------------------------------------------------------------------------------------ types

template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> &&
                            std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;

static_assert(moves_only<apivideo::client>);
static_assert(moves_only<apivideo::token>);
static_assert(moves_only<apivideo::token_page>);
static_assert(moves_only<apivideo::token_range>);
static_assert(moves_only<apivideo::response>);
static_assert(moves_only<apivideo::result<apivideo::token>>);

// A view cannot be kept by mistake.
static_assert(!std::is_copy_constructible_v<apivideo::token_view>);
static_assert(!std::is_move_constructible_v<apivideo::token_view>);
static_assert(!std::is_assignable_v<apivideo::token_view &, apivideo::token_view>);

static_assert(sizeof(apivideo::token) == sizeof(void *));
static_assert(sizeof(apivideo::token_view) == sizeof(void *));
static_assert(sizeof(apivideo::token_page) == sizeof(void *));
static_assert(sizeof(apivideo::response) == sizeof(void *));

// Text that need not end in a NUL is not taken, and a finer time than seconds is not cut.
static_assert(!std::is_convertible_v<std::string_view, apivideo::c_string>);
static_assert(!std::is_convertible_v<std::chrono::milliseconds, seconds>);

// The text of a token that goes at once is a string of its own.
static_assert(std::is_same_v<decltype(std::declval<apivideo::token &>().value()), std::string_view>);
static_assert(std::is_same_v<decltype(std::declval<apivideo::token>().value()), std::string>);

// ----------------------------------------------------------------------------------- the service

static bool is_about_now(const std::optional<apivideo::time_point> &when) {
  const auto now = system_clock::now();
  return when && *when > now - hours(1) && *when < now + hours(1);
}

static void tokens_are_created_found_listed_and_removed() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));

  const apivideo::token made = client.create(hours(1));
  CHECK(!made.value().empty());
  CHECK(made.value() == made.c_str());
  CHECK(made.ttl() == seconds(3600));
  CHECK(is_about_now(made.created_at()));
  CHECK(made.expires_at() && *made.expires_at() - *made.created_at() == hours(1));

  const apivideo::token found = client.get(made);
  CHECK(found.value() == made.value());
  CHECK(found.created_at() == made.created_at());
  CHECK(client.get(std::string(made.value())).value() == made.value());
  CHECK(client.get(made.c_str()).value() == made.value());

  const apivideo::token_page page = client.list();
  CHECK(page.size() == 1 && !page.empty());
  CHECK(page.size() == 1 && page[0].value() == made.value());
  CHECK(page.items_total() == 1);
  CHECK(page.pages_total() == 1);
  CHECK(page.current_page() == 1);
  CHECK(page.page_size() == 25);

  client.remove(made);
  CHECK(throws<apivideo::not_found>([&] { client.remove(made); }));
  CHECK(throws<apivideo::not_found>([&] { (void)client.get(made); }));
  CHECK(client.list().empty());
  CHECK(client.list().begin() == client.list().end());
}

static void a_token_for_ever_has_a_ttl_of_0_and_no_end() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  const apivideo::token made = client.create(apivideo::never);
  CHECK(made.ttl() == seconds(0));
  CHECK(!made.expires_at());
  CHECK(made.created_at());
  CHECK(client.create(seconds(2147483647)).ttl() == seconds(2147483647));
}

static void a_page_is_gone_through_in_the_order_asked_for() {
  stand_in service({"--seed", "7"});
  const apivideo::client client(config_for(service.url()));
  apivideo::list_params params;
  params.page_size = 3;
  params.current_page = 2;
  params.sort_by = apivideo::sort_key::created_at;
  params.sort_order = apivideo::sort_order::descending;
  const apivideo::token_page page = client.list(params);

  std::vector<apivideo::time_point> times;
  std::size_t index = 0;
  for (const auto &token : page) {
    CHECK(token.handle() == page[index++].handle());
    times.push_back(token.created_at().value());
  }
  CHECK(times.size() == 3);
  CHECK(std::is_sorted(times.rbegin(), times.rend()));
  CHECK(page.items_total() == 7);
  CHECK(page.pages_total() == 3);
  CHECK(page.current_page() == 2);
  CHECK(page.page_size() == 3);

  params.sort_order = apivideo::sort_order::ascending;
  const apivideo::token_page other = client.list(params);
  CHECK(other.size() == 3);
  CHECK(other[0].created_at() < other[2].created_at());
}

static void list_params_are_sent_as_given() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::list_params params;
  for (int i = 0; i < 2; i++) server.answer("200 OK", page_body({}, 1, 1));
  client.list();
  CHECK(server.request(0).find("GET /upload-tokens HTTP/1.1\r\n") == 0);
  params.current_page = 4;
  params.page_size = 100;
  params.sort_by = apivideo::sort_key::ttl;
  params.sort_order = apivideo::sort_order::descending;
  client.list(params);
  CHECK(server.request(1).find(
            "GET /upload-tokens?sortBy=ttl&sortOrder=desc&currentPage=4&pageSize=100 HTTP/1.1\r\n") == 0);
}

// ------------------------------------------------------------------------------------------ times

static void check_times(const char *body, const std::optional<seconds> &ttl,
                        const std::optional<apivideo::time_point> &created_at,
                        const std::optional<apivideo::time_point> &expires_at) {
  scripted_peer server;
  server.answer("200 OK", body);
  const apivideo::token token = apivideo::client(config_for(server.url())).get("t");
  CHECK_ROW(body, token.ttl() == ttl);
  CHECK_ROW(body, token.created_at() == created_at);
  CHECK_ROW(body, token.expires_at() == expires_at);
}

static void what_is_not_told_is_nothing_and_what_no_clock_tells_is_its_end() {
  const auto at = [](std::int64_t unix_seconds) {
    return apivideo::time_point(seconds(unix_seconds));
  };
  check_times("{\"token\":\"t\"}", std::nullopt, std::nullopt, std::nullopt);
  check_times("{\"token\":\"t\",\"ttl\":0}", seconds(0), std::nullopt, std::nullopt);
  check_times("{\"token\":\"t\",\"ttl\":60,\"createdAt\":\"2020-12-02T10:13:19+00:00\","
              "\"expiresAt\":\"2020-12-02T11:14:19+01:00\"}",
              seconds(60), at(1606903999), at(1606904059));
  check_times("{\"token\":\"t\",\"createdAt\":\"1960-01-01T00:00:00Z\"}", std::nullopt,
              at(-315619200), std::nullopt);
  check_times("{\"token\":\"t\",\"createdAt\":\"0001-01-01T00:00:00Z\","
              "\"expiresAt\":\"9999-12-31T23:59:59Z\"}",
              std::nullopt, apivideo::time_point::min(), apivideo::time_point::max());
  check_times("{\"token\":\"t\",\"createdAt\":\"2262-04-11T23:47:16Z\","
              "\"expiresAt\":\"2262-04-11T23:47:17Z\"}",
              std::nullopt, at(9223372036), apivideo::time_point::max());
}

// ---------------------------------------------------------------------------------- moved objects

static void what_was_moved_from_is_empty_and_safe() {
  stand_in service({"--seed", "2"});
  apivideo::client client(config_for(service.url()));
  apivideo::client moved(std::move(client));
  CHECK(throws<apivideo::invalid_argument>([&] { (void)client.create(seconds(9)); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.get("x"); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.list(); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.remove("x"); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.tokens(); }));
  CHECK(client.handle() == nullptr);

  apivideo::token token = moved.create(seconds(9));
  const std::string text(token.value());
  apivideo::token other(std::move(token));
  CHECK(token.value().empty() && *token.c_str() == 0 && token.handle() == nullptr);
  CHECK(!token.ttl() && !token.created_at() && !token.expires_at());
  CHECK(throws<apivideo::invalid_argument>([&] { moved.get(token); }));
  CHECK(other.value() == text);
  token = std::move(other);
  CHECK(token.value() == text && other.value().empty());
  apivideo::token &self = token;
  token = std::move(self);
  CHECK(token.value() == text);

  apivideo::token_page page = moved.list();
  const apivideo::token_page other_page = std::move(page);
  CHECK(page.empty() && page.begin() == page.end());
  CHECK(page.items_total() == 0 && page.pages_total() == 0);
  CHECK(page.current_page() == 0 && page.page_size() == 0);
  CHECK(other_page.size() == 3);

  apivideo::token_range range = moved.tokens();
  CHECK(range.try_next());
  apivideo::token_range other_range = std::move(range);
  CHECK(range.current().handle() == nullptr);
  CHECK(!range.try_next());
  CHECK(range.error() && range.error()->status() == apivideo::status::invalid_argument);
  CHECK(throws<apivideo::invalid_argument>([&] { range.begin(); }));
  CHECK(other_range.current().handle() != nullptr && other_range.try_next());

  apivideo::response response;
  const apivideo::response other_response = std::move(response);
  CHECK(response.http_status() == 0 && response.attempts() == 0 && !response.header("Date"));
  CHECK(!response.rate_limit().limit);
  apivideo::request_options options;
  options.response = &response;
  CHECK(moved.get(token, options).value() == text);

  apivideo::cancel_source cancel;
  const apivideo::cancel_source copy = std::move(cancel);
  CHECK(cancel.handle() == copy.handle());
  apivideo::failure failure = moved.try_get("none").error();
  const apivideo::failure taken = std::move(failure);
  CHECK(failure.status() == apivideo::status::invalid_argument && *failure.message() == 0);
  CHECK(failure.problems().empty() && failure.body().empty() && !failure.retry_after());
  CHECK(taken.status() == apivideo::status::not_found);

  client = std::move(moved);
  CHECK(client.get(token).value() == text);
}

// ---------------------------------------------------------------------------------- result path

static void a_result_is_a_value_or_a_failure() {
  stand_in service;
  auto client = apivideo::client::try_make(config_for(service.url()));
  CHECK(client);
  if (!client) return;
  auto made = client->try_create(seconds(60));
  CHECK(made && made->ttl() == seconds(60));
  const apivideo::token token = std::move(*made);
  const auto found = client->try_get(token);
  CHECK(found && (*found).value() == token.value() && found->value() == token.value());
  CHECK(client->try_list() && client->try_list()->size() == 1);
  CHECK(client->try_remove(token));
  const auto gone = client->try_remove(token);
  CHECK(!gone && gone.error().status() == apivideo::status::not_found);
  CHECK(gone.error().http_status() == 404);
  CHECK(throws<apivideo::not_found>([&] { client->try_get(token).value(); }));
  CHECK(client->try_create(seconds(5)).value().ttl() == seconds(5));
  CHECK(client->try_create(apivideo::never).value().ttl() == seconds(0));

  const seconds ttl(1);
  static_assert(noexcept(client->try_create(ttl)));
  static_assert(noexcept(client->try_create(apivideo::never)));
  static_assert(noexcept(client->try_get("")));
  static_assert(noexcept(client->try_list()));
  static_assert(noexcept(client->try_remove("")));
  static_assert(noexcept(client->try_tokens()));
  static_assert(noexcept(client->try_tokens()->try_next()));
  (void)ttl;
}

static void a_c_call_takes_the_handles() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  av_token *made = nullptr;
  CHECK(av_tokens_create(client.handle(), 60, nullptr, &made, nullptr) == AV_STATUS_OK);
  const apivideo::token token(made);
  CHECK(client.get(token).value() == token.value());
  CHECK(token.handle() == made);
}

int main() {
  tokens_are_created_found_listed_and_removed();
  a_token_for_ever_has_a_ttl_of_0_and_no_end();
  a_page_is_gone_through_in_the_order_asked_for();
  list_params_are_sent_as_given();
  what_is_not_told_is_nothing_and_what_no_clock_tells_is_its_end();
  what_was_moved_from_is_empty_and_safe();
  a_result_is_a_value_or_a_failure();
  a_c_call_takes_the_handles();
  return checks_report();
}
