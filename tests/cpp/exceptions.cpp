// Each kind of failure throws its class, which tells all that the service said; the same failure
// comes out of the calls that throw nothing.
#include "support/moment.h"
#include "support/scene.hpp"

#include <cstdlib>
#include <string>
#include <type_traits>

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_base_of_v<std::exception, apivideo::error>);
static_assert(std::is_base_of_v<apivideo::error, apivideo::not_found>);
static_assert(std::is_nothrow_copy_constructible_v<apivideo::not_found>);

#define PROBLEM "{\"type\":\"about:blank\",\"title\":\"It went wrong.\",\"name\":\"ttl\",\"detail\":\"So it is.\"}"

// ------------------------------------------------------------------------------- by HTTP status

template <class Exception>
static void check_http(const char *line, int http_status, apivideo::status status,
                       apivideo::outcome outcome) {
  scripted_peer server;
  for (int i = 0; i < 7; i++) server.answer(line, PROBLEM);
  const apivideo::client client(config_for(server.url()));

  try {
    (void)client.create(seconds(60));
    CHECK_ROW(line, !"thrown");
  } catch (const apivideo::error &error) {
    CHECK_ROW(line, typeid(error) == typeid(Exception));
    CHECK_ROW(line, error.status() == status);
    CHECK_ROW(line, error.outcome() == outcome);
    CHECK_ROW(line, error.http_status() == http_status);
    CHECK_ROW(line, error.attempts() == 1);
    CHECK_ROW(line, error.body() == PROBLEM);
    CHECK_ROW(line, error.problem().type == "about:blank");
    CHECK_ROW(line, error.problem().title == "It went wrong.");
    CHECK_ROW(line, error.problem().detail == "So it is.");
    CHECK_ROW(line, error.problem().name == "ttl");
    CHECK_ROW(line, error.problems().empty());
    CHECK_ROW(line, std::string(error.what()).find("POST /upload-tokens") == 0);
    CHECK_ROW(line, std::string(error.what()) == error.message());
  }
  CHECK_ROW(line, throws<Exception>([&] { client.get("t"); }));
  CHECK_ROW(line, throws<Exception>([&] { client.list(); }));
  CHECK_ROW(line, throws<Exception>([&] { client.remove("t"); }));
  CHECK_ROW(line, throws<Exception>([&] {
    for (const auto &token : client.tokens()) CHECK_ROW(line, token.handle() == nullptr);
  }));

  const auto made = client.try_create(seconds(60));
  CHECK_ROW(line, !made && made.error().status() == status && made.error().outcome() == outcome);
  const auto removed = client.try_remove("t");
  CHECK_ROW(line, !removed && removed.error().http_status() == http_status);
}

static void every_http_status_has_its_class() {
  using apivideo::outcome;
  using apivideo::status;
  check_http<apivideo::rejected>("400 Bad Request", 400, status::rejected, outcome::not_applied);
  check_http<apivideo::unauthorized>("401 Unauthorized", 401, status::unauthorized, outcome::not_applied);
  check_http<apivideo::unauthorized>("403 Forbidden", 403, status::unauthorized, outcome::not_applied);
  check_http<apivideo::not_found>("404 Not Found", 404, status::not_found, outcome::not_applied);
  check_http<apivideo::rejected>("422 Unprocessable", 422, status::rejected, outcome::not_applied);
  check_http<apivideo::rate_limited>("429 Too Many", 429, status::rate_limited, outcome::not_applied);
  check_http<apivideo::server_error>("500 Oops", 500, status::server, outcome::unknown);
  check_http<apivideo::server_error>("503 Busy", 503, status::server, outcome::unknown);
}

static void the_problems_of_a_400_are_listed() {
  scripted_peer server;
  server.answer("400 Bad Request",
              "{\"title\":\"All of it.\",\"problems\":["
              "{\"type\":\"t1\",\"title\":\"One.\",\"name\":\"ttl\",\"detail\":\"Too long.\"},"
              "{\"title\":\"Two.\",\"name\":\"\"}]}");
  const apivideo::client client(config_for(server.url()));
  try {
    (void)client.create(seconds(60));
    CHECK(!"thrown");
  } catch (const apivideo::rejected &error) {
    const auto problems = error.problems();
    CHECK(error.problem().title == "All of it.");
    CHECK(error.problem().type.data() == nullptr);
    CHECK(problems.size() == 2);
    if (problems.size() != 2) return;
    CHECK(problems[0].type == "t1" && problems[0].title == "One.");
    CHECK(problems[0].name == "ttl" && problems[0].detail == "Too long.");
    CHECK(problems[1].title == "Two." && problems[1].type.data() == nullptr);
    CHECK(problems[1].name.empty() && problems[1].name.data() != nullptr);
    CHECK(problems[1].detail.data() == nullptr);
  }
}

static void a_rate_limit_tells_how_long_to_wait() {
  scripted_peer server;
  server.answer_text("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
  server.answer_text("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
  const apivideo::client client(config_for(server.url()));
  try {
    client.get("t");
    CHECK(!"thrown");
  } catch (const apivideo::rate_limited &error) {
    CHECK(error.retry_after() == seconds(7));
    CHECK(error.is_retryable());
  }
  const auto other = client.try_get("t");
  CHECK(!other && !other.error().retry_after());
}

// --------------------------------------------------------------------------------- without answer

static void what_leaves_no_answer_has_its_class() {
  scripted_peer server;
  // Nothing listens at the port of a peer that has gone.
  std::string nowhere;
  { nowhere = scripted_peer().url(); }
  CHECK(throws<apivideo::connect_error>([&] { apivideo::client(config_for(nowhere)).list(); }));

  const apivideo::client client(config_for(server.url()));
  apivideo::request_options options;
  options.timeout = milliseconds(time_for(1500)); // in which the request is sent
  server.stall();
  CHECK(throws<apivideo::timeout>([&] { client.list({}, options); }));
  server.stall();
  const auto late = client.try_create(seconds(60), options);
  CHECK(!late && late.error().outcome() == apivideo::outcome::unknown);
  CHECK(!late && !late.error().is_retryable() && late.error().http_status() == 0);

  server.answer_text("", PEER_CLOSE);
  CHECK(throws<apivideo::transport_error>([&] { client.list(); }));
  server.answer("200 OK", "nonsense");
  CHECK(throws<apivideo::decode_error>([&] { client.list(); }));
  server.answer("201 Created", "{\"nonsense\":1}");
  const auto lost = client.try_create(seconds(60));
  CHECK(!lost && lost.error().outcome() == apivideo::outcome::applied);
  CHECK(!lost && lost.error().body() == "{\"nonsense\":1}");
  server.answer("201 Created", "nonsense");
  const auto doubtful = client.try_create(seconds(60));
  CHECK(!doubtful && doubtful.error().outcome() == apivideo::outcome::unknown);

  options.timeout.reset();
  options.cancel.emplace();
  options.cancel->cancel();
  CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.get(""); }));
  CHECK(throws<apivideo::invalid_argument>([&] { client.get(nullptr); }));
}

static void a_name_that_tls_cannot_verify_has_its_class() {
  const scripted_peer server;
  // The same address, in a way that no certificate can be made out for.
  std::string url = server.url();
  url.replace(0, url.rfind(':'), "https://127.1");
  CHECK(throws<apivideo::tls_error>([&] { apivideo::client(config_for(url)).list(); }));
}

// ---------------------------------------------------------------------------------------- by hand

template <class Exception>
static void check_derivation() {
  CHECK(throws<Exception>([] { throw Exception(apivideo::failure("by hand")); }));
  try {
    throw Exception(apivideo::failure("by hand"));
  } catch (const std::exception &error) {
    CHECK(std::string(error.what()) == "by hand");
  }
}

static void every_class_is_an_error() {
  check_derivation<apivideo::error>();
  check_derivation<apivideo::invalid_argument>();
  check_derivation<apivideo::connect_error>();
  check_derivation<apivideo::tls_error>();
  check_derivation<apivideo::transport_error>();
  check_derivation<apivideo::timeout>();
  check_derivation<apivideo::cancelled>();
  check_derivation<apivideo::unauthorized>();
  check_derivation<apivideo::not_found>();
  check_derivation<apivideo::rejected>();
  check_derivation<apivideo::rate_limited>();
  check_derivation<apivideo::server_error>();
  check_derivation<apivideo::decode_error>();
  check_derivation<apivideo::internal_error>();
  check_derivation<apivideo::source_error>();
}

static void a_copy_outlives_the_exception_and_the_client() {
  std::optional<apivideo::failure> kept;
  std::exception_ptr pointer;
  {
    scripted_peer server;
    server.answer("404 Not Found", PROBLEM);
    const apivideo::client client(config_for(server.url()));
    try {
      client.get("t");
    } catch (const apivideo::not_found &error) {
      kept = error;
      pointer = std::current_exception();
    }
  }
  CHECK(kept && kept->problem().title == "It went wrong.");
  CHECK(throws<apivideo::not_found>([&] { std::rethrow_exception(pointer); }));
  CHECK(kept && throws<apivideo::not_found>([&] { kept->raise(); }));
}

static void statuses_and_outcomes_have_names() {
  CHECK(texts_equal(to_string(apivideo::status::not_found), "AV_STATUS_NOT_FOUND"));
  CHECK(texts_equal(to_string(static_cast<apivideo::status>(99)), "AV_STATUS_(unknown)"));
  CHECK(texts_equal(to_string(apivideo::outcome::applied), "AV_OUTCOME_APPLIED"));
}

int main() {
  every_http_status_has_its_class();
  the_problems_of_a_400_are_listed();
  a_rate_limit_tells_how_long_to_wait();
  what_leaves_no_answer_has_its_class();
  a_name_that_tls_cannot_verify_has_its_class();
  every_class_is_an_error();
  a_copy_outlives_the_exception_and_the_client();
  statuses_and_outcomes_have_names();
  return checks_report();
}
