// What C cannot take as it is, is refused before anything is sent, and named; nothing is cut or wraps.
#include "support/moment.h"
#include "support/scene.hpp"

#include <limits>
#include <type_traits>
#include <utility>

using std::chrono::milliseconds;
using std::chrono::seconds;

// An invalid argument whose message names it.
static bool names(const apivideo::failure &failure, const char *what) {
  return failure.status() == apivideo::status::invalid_argument &&
         failure.outcome() == apivideo::outcome::not_applied && !failure.is_retryable() &&
         failure.attempts() == 0 && failure.http_status() == 0 &&
         std::string(failure.message()).find(what) != std::string::npos;
}

static const std::int64_t wrapping = std::int64_t(1) << 32;

static void a_ttl_out_of_range_is_refused() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  const auto refuses = [&](apivideo::time_to_live ttl) {
    const auto made = client.try_create(ttl);
    return !made && names(made.error(), "ttl") &&
           throws<apivideo::invalid_argument>([&] { (void)client.create(ttl); });
  };
  for (std::int64_t ttl : {std::int64_t(0), std::int64_t(-1), std::int64_t(2147483648), wrapping,
                           wrapping + 5, -wrapping + 5, INT64_MAX, INT64_MIN})
    CHECK_ROW(std::to_string(ttl).c_str(), refuses(seconds(ttl)));
  // Under one second, in whatever it is counted.
  CHECK(refuses(milliseconds(1)) && refuses(milliseconds(999)) && refuses(milliseconds(-1)));
  CHECK(refuses(std::chrono::nanoseconds(1)) && refuses(std::chrono::nanoseconds(999999999)));
  CHECK(refuses(std::chrono::duration<double>(0.4)) && refuses(std::chrono::duration<float>(0)));
  // What in seconds would overflow, and come out as something else.
  CHECK(refuses(std::chrono::hours((std::int64_t(1) << 60) + 1)));
  CHECK(refuses(std::chrono::duration<std::uint64_t, std::ratio<60>>((std::uint64_t(1) << 62) + 1)));
  CHECK(refuses(std::chrono::hours::min()) && refuses(std::chrono::hours::max()));
  CHECK(refuses(std::chrono::nanoseconds::min()) && refuses(std::chrono::nanoseconds::max()));
  // Just above the most.
  CHECK(refuses(std::chrono::nanoseconds(2147483647000000001)) && refuses(milliseconds(2147483647001)));
  using floating = std::chrono::duration<double>;
  CHECK(refuses(floating(2147483647.5)) && refuses(floating(1e300)) && refuses(floating(-1e300)));
  CHECK(refuses(floating(std::numeric_limits<double>::quiet_NaN())));
  CHECK(refuses(floating(std::numeric_limits<double>::infinity())));
  CHECK(server.request_count() == 0);
}

static void a_fraction_of_a_second_is_rounded_up() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  CHECK(client.create(milliseconds(1000)).ttl() == seconds(1));
  CHECK(client.create(milliseconds(1001)).ttl() == seconds(2));
  CHECK(client.create(std::chrono::nanoseconds(2147483646000000001)).ttl() == seconds(2147483647));
  CHECK(client.create(std::chrono::duration<double>(1.5)).ttl() == seconds(2));
  CHECK(client.create(std::chrono::duration<int, std::ratio<1, 3>>(4)).ttl() == seconds(2));
  CHECK(client.create(std::chrono::duration<unsigned char, std::ratio<86400>>(1)).ttl() == std::chrono::hours(24));
}

template <class... Arguments>
static auto creates(int) -> decltype(std::declval<const apivideo::client &>().create(std::declval<Arguments>()...), true) {
  return true;
}
template <class...>
static bool creates(...) {
  return false;
}

// Neither nothing, nor a number without a unit, nor a time that may not be there, is a time to live.
static void only_a_time_and_never_are_a_ttl() {
  CHECK(creates<seconds>(0) && creates<std::chrono::hours>(0) && creates<apivideo::never_t>(0));
  CHECK(!creates<>(0) && !creates<int>(0) && !creates<unsigned>(0) && !creates<long>(0));
  CHECK(!creates<double>(0) && !creates<bool>(0) && !creates<std::nullptr_t>(0) && !creates<const char *>(0));
  CHECK(!creates<std::optional<seconds>>(0) && !creates<std::nullopt_t>(0));
  CHECK(!creates<apivideo::request_options>(0));
  CHECK(!std::is_default_constructible_v<apivideo::time_to_live>);
}

// A number that was not meant, such as -1, is not wrapped into one that means something.
static void numbers_out_of_range_are_refused() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  for (std::int64_t number : {std::int64_t(-1), std::int64_t(INT32_MIN), wrapping, wrapping + 1,
                              -wrapping + 1, INT64_MAX, INT64_MIN}) {
    const std::string row = std::to_string(number);
    apivideo::request_options options;
    options.max_attempts = number;
    const auto made = client.try_create(seconds(1), options);
    CHECK_ROW(row.c_str(), !made && names(made.error(), "options.max_attempts"));
    const auto removed = client.try_remove("t", options);
    CHECK_ROW(row.c_str(), !removed && names(removed.error(), "options.max_attempts"));
    apivideo::token_range range = client.tokens({}, options);
    CHECK_ROW(row.c_str(), !range.try_next() && range.error() && names(*range.error(), "options.max_attempts"));

    apivideo::config config = config_for(server.url());
    config.max_attempts = number;
    const auto other = apivideo::client::try_make(config);
    CHECK_ROW(row.c_str(), !other && names(other.error(), "config.max_attempts"));

    apivideo::list_params params;
    params.current_page = number;
    const auto page = client.try_list(params);
    CHECK_ROW(row.c_str(), !page && names(page.error(), "params.current_page"));
    const auto tokens = client.try_tokens(params);
    CHECK_ROW(row.c_str(), !tokens && names(tokens.error(), "params.current_page"));

    params.current_page = 1;
    params.page_size = number;
    const auto sized = client.try_list(params);
    CHECK_ROW(row.c_str(), !sized && names(sized.error(), "params.page_size"));
    const auto all = client.try_tokens(params);
    CHECK_ROW(row.c_str(), !all && names(all.error(), "params.page_size"));
  }
  apivideo::list_params params;
  for (int number : {101, 256 + 25}) {
    params.page_size = number;
    CHECK(!client.try_list(params) && !client.try_tokens(params));
  }
  params.page_size = 0;
  params.sort_by = static_cast<apivideo::sort_key>(3);
  CHECK(!client.try_list(params));
  params.sort_by = apivideo::sort_key::ttl;
  params.sort_order = static_cast<apivideo::sort_order>(-1);
  CHECK(!client.try_tokens(params));
  CHECK(server.request_count() == 0);
}

static void text_with_a_nul_is_refused() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  for (const std::string &id : {std::string("a\0b", 3), std::string("\0", 1), std::string("a\0", 2)}) {
    const auto found = client.try_get(id), other = client.try_get(apivideo::c_string(id));
    CHECK(!found && names(found.error(), "token"));
    CHECK(!other);
    const auto removed = client.try_remove(id);
    CHECK(!removed && names(removed.error(), "token"));
  }
  CHECK(server.request_count() == 0);
  apivideo::response response;
  CHECK(!response.header(std::string("Date\0", 5)));
}

using text_member = std::optional<std::string> apivideo::config::*;

static void a_configuration_with_a_nul_is_refused() {
  const struct {
    const char *name;
    text_member member;
    const char *value;
  } rows[] = {
      {"api_key", &apivideo::config::api_key, "test-key"},
      {"access_token", &apivideo::config::access_token, "token"},
      {"base_url", &apivideo::config::base_url, "http://127.0.0.1:1"},
      {"app_name", &apivideo::config::app_name, "app"},
      {"app_version", &apivideo::config::app_version, "1"},
      {"sdk_name", &apivideo::config::sdk_name, "sdk"},
      {"sdk_version", &apivideo::config::sdk_version, "1"},
      {"ca_file", &apivideo::config::ca_file, "ca.pem"},
      {"proxy_url", &apivideo::config::proxy_url, "http://127.0.0.1:1"},
  };
  for (const auto &row : rows) {
    apivideo::config config = config_for("http://127.0.0.1:1");
    config.*row.member = row.value + std::string("\0x", 2);
    const auto made = apivideo::client::try_make(config);
    CHECK_ROW(row.name, !made && names(made.error(), (std::string("config.") + row.name).c_str()));
    CHECK_ROW(row.name, throws<apivideo::invalid_argument>([&] { apivideo::client client(config); }));
  }
}

// Every member arrives: what is told on the wire is read there, the rest is refused by its name.
static void a_configuration_arrives_whole() {
  scripted_peer server;
  for (int i = 0; i < 3; i++) server.answer("200 OK", page_body({}, 1, 1));
  apivideo::config config = config_for(server.url() + "/prefix/");
  config.app_name = "app";
  config.app_version = "1.2";
  config.sdk_name = "kit";
  config.sdk_version = "3";
  apivideo::client(config).list();
  CHECK(server.request(0).find("GET /prefix/upload-tokens HTTP/1.1\r\n") == 0);
  CHECK(server.request(0).find("AV-Origin-App: app:1.2\r\n") != std::string::npos ||
        server.request(0).find("av-origin-app: app:1.2\r\n") != std::string::npos);
  CHECK(server.request(0).find("rigin-sdk: kit:3\r\n") != std::string::npos ||
        server.request(0).find("rigin-Sdk: kit:3\r\n") != std::string::npos);
  CHECK(server.request(0).find(": Basic dGVzdC1rZXk6\r\n") != std::string::npos);

  config.api_key.reset();
  config.access_token = "bearer-1";
  apivideo::client(config).list();
  CHECK(server.request(1).find(": Bearer bearer-1\r\n") != std::string::npos);

  const auto refused = [](const apivideo::config &from, const char *what) {
    const auto made = apivideo::client::try_make(from);
    return !made && names(made.error(), what);
  };
  CHECK(refused({}, "api_key"));
  config = config_for("http://192.0.2.1");
  CHECK(refused(config, "base_url"));
  config.allow_plain_http = true;
  CHECK(apivideo::client::try_make(config));
  config = config_for(server.url());
  config.ca_file = "";
  CHECK(refused(config, "ca_file"));
  config = config_for(server.url());
  config.proxy_url = "ftp://127.0.0.1";
  CHECK(refused(config, "proxy_url"));
  config.proxy_url = "";
  apivideo::client(config).list();
  CHECK(server.request_count() == 3);
}

static void timeouts_out_of_range_are_refused() {
  using member = std::optional<milliseconds> apivideo::config::*;
  const struct {
    const char *name;
    member timeout;
  } rows[] = {
      {"config.timeout", &apivideo::config::timeout},
      {"config.connect_timeout", &apivideo::config::connect_timeout},
      {"config.attempt_timeout", &apivideo::config::attempt_timeout},
  };
  for (std::int64_t count : {std::int64_t(0), std::int64_t(-1), wrapping - 1, wrapping, wrapping + 5,
                             -wrapping + 5, INT64_MIN, INT64_MAX - 1}) {
    for (const auto &row : rows) {
      apivideo::config config = config_for("http://127.0.0.1:1");
      config.*row.timeout = milliseconds(count);
      const auto made = apivideo::client::try_make(config);
      CHECK_ROW(row.name, !made && names(made.error(), row.name));
    }
    scripted_peer server;
    const apivideo::client client(config_for(server.url()));
    apivideo::request_options options;
    options.timeout = milliseconds(count);
    const auto made = client.try_create(seconds(1), options);
    CHECK(!made && names(made.error(), "options.timeout"));
    CHECK(!client.try_get("t", options) && !client.try_list({}, options));
    const auto removed = client.try_remove("t", options);
    CHECK(!removed && names(removed.error(), "options.timeout"));
    apivideo::token_range range = client.tokens({}, options);
    CHECK(!range.try_next() && range.error() && names(*range.error(), "options.timeout"));
    CHECK(server.request_count() == 0);
  }
}

static void the_longest_timeout_and_none_are_taken() {
  scripted_peer server;
  apivideo::config config = config_for(server.url());
  for (milliseconds longest : {milliseconds(wrapping - 2), apivideo::no_limit}) {
    config.timeout = config.connect_timeout = config.attempt_timeout = longest;
    apivideo::request_options options;
    options.timeout = longest;
    server.answer("200 OK", page_body({}, 1, 1));
    CHECK(apivideo::client(config).list({}, options).empty());
  }
}

// The timeouts are those of the C structure, each in its place.
static void each_timeout_does_what_it_says() {
  scripted_peer server;
  apivideo::config config = config_for(server.url());
  config.timeout = milliseconds(time_for(50));
  server.stall();
  CHECK(throws<apivideo::timeout>([&] { apivideo::client(config).list(); }));

  // Another attempt follows the one whose time has run out.
  config = config_for(server.url());
  config.attempt_timeout = milliseconds(time_for(1500)); // in which the request is sent
  config.max_attempts = 2;
  server.stall();
  server.answer("200 OK", page_body({}, 1, 1));
  apivideo::response response;
  apivideo::request_options options;
  options.response = &response;
  apivideo::client(config).list({}, options);
  CHECK(response.attempts() == 2);

  // A proxy that never answers is part of connecting.
  config = config_for("http://127.0.0.1:1");
  config.proxy_url = server.url();
  config.connect_timeout = milliseconds(50);
  server.stall();
  const auto before = std::chrono::steady_clock::now();
  const auto listed = apivideo::client(config).try_list();
  CHECK(!listed && listed.error().status() == apivideo::status::timeout);
  CHECK(std::chrono::steady_clock::now() - before < seconds(10)); // not the 20 of the whole
}

int main() {
  a_ttl_out_of_range_is_refused();
  a_fraction_of_a_second_is_rounded_up();
  only_a_time_and_never_are_a_ttl();
  numbers_out_of_range_are_refused();
  text_with_a_nul_is_refused();
  a_configuration_with_a_nul_is_refused();
  a_configuration_arrives_whole();
  timeouts_out_of_range_are_refused();
  the_longest_timeout_and_none_are_taken();
  each_timeout_does_what_it_says();
  return checks_report();
}
