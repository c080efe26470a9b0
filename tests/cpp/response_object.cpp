// A response tells of the answer to a call, whether that succeeded or failed.
#include "support/scene.hpp"

using std::chrono::seconds;

static apivideo::request_options with(apivideo::response &response) {
  apivideo::request_options options;
  options.response = &response;
  return options;
}

static void it_tells_status_headers_attempts_and_rate_limit() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::response response;
  CHECK(response.http_status() == 0 && response.attempts() == 0 && !response.header("Date"));

  server.answer_text("HTTP/1.1 200 OK\r\nContent-Length: 13\r\nX-Any: it\r\nX-Empty:\r\nX-RateLimit-Limit: 100\r\n"
                   "X-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 1\r\n\r\n{\"token\":\"t\"}");
  client.get("t", with(response));
  CHECK(response.http_status() == 200 && response.attempts() == 1);
  CHECK(response.header("x-any") == "it");
  CHECK(response.header(std::string("X-Empty")) == "");
  CHECK(!response.header("X-None") && !response.header(nullptr));
  CHECK(response.rate_limit().limit == 100);
  CHECK(response.rate_limit().remaining == 0);
  CHECK(response.rate_limit().reset == seconds(1));

  server.answer("404 Not Found", "{}");
  apivideo::request_options options = with(response);
  options.max_attempts = 1;
  CHECK(!client.try_remove("t", options));
  CHECK(response.http_status() == 404 && !response.header("x-any"));
  CHECK(!response.rate_limit().limit && !response.rate_limit().remaining);
  CHECK(!response.rate_limit().reset);
}

static void a_call_may_try_more_often_than_its_client() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::response response;
  apivideo::request_options options = with(response);
  options.max_attempts = 2;
  server.answer("500 Oops", "{}");
  server.answer("200 OK", page_body({}, 1, 1));
  client.list({}, options);
  CHECK(response.attempts() == 2 && response.http_status() == 200);
}

static void one_call_has_it_at_a_time() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  apivideo::response response;
  apivideo::request_options options = with(response);
  options.cancel.emplace();
  server.stall();
  std::thread other([&] { CHECK(throws<apivideo::cancelled>([&] { client.list({}, options); })); });
  server.await_requests(1);
  CHECK(throws<apivideo::invalid_argument>([&] { client.list({}, with(response)); }));
  options.cancel->cancel();
  other.join();
}

int main() {
  it_tells_status_headers_attempts_and_rate_limit();
  a_call_may_try_more_often_than_its_client();
  one_call_has_it_at_a_time();
  return checks_report();
}
