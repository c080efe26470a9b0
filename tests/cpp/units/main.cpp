// One program of units in C++17, in C++20 with std::stop_token, and without exceptions: they share the
// header's inline functions, and hand their objects to each other.
#include "units.hpp"

#include "support/scene.hpp"

void remove_with(const apivideo::client &client, const apivideo::token_view &token,
                 const apivideo::request_options &options) {
  client.remove(token, options);
}

int main() {
  stand_in service;
  const apivideo::client client(config_for(service.url()));
  const apivideo::token made = client.create(std::chrono::seconds(60));

  CHECK(sizes() == sizes_of_newer());
  CHECK(sizes() == sizes_of_without());
  CHECK(throws<apivideo::cancelled>([&] { remove_when_stopped(client, made); }));
  CHECK(get_without(client, made.c_str()).value().value() == made.value());
  CHECK(throws<apivideo::not_found>([&] { get_without(client, "none").value(); }));
  client.remove(made);
  return checks_report();
}
