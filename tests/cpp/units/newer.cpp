// The unit in C++20: its options hold a std::stop_token, and go to a unit that knows of none.
#include "units.hpp"

std::array<std::size_t, 15> sizes_of_newer() { return sizes(); }

void remove_when_stopped(const apivideo::client &client, const apivideo::token_view &token) {
  std::stop_source source;
  source.request_stop();
  remove_with(client, token, {.cancel = source.get_token()});
}
