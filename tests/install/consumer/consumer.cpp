// A program of somebody else's, in C++: makes a token, looks it up and revokes it.
#include <apivideo.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

int main() try {
  apivideo::config config;
  config.api_key = std::getenv("APIVIDEO_API_KEY");
  config.base_url = std::getenv("APIVIDEO_BASE_URL");
  const apivideo::client client(config);

  const std::string id(client.create(std::chrono::hours(1)).value());
  const bool is_found = client.get(id).value() == id;
  client.remove(id);
  try {
    client.get(id);
  } catch (const apivideo::not_found &) {
    return is_found ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  std::cerr << "it is still there\n";
  return EXIT_FAILURE;
} catch (const apivideo::error &error) {
  std::cerr << error.what() << '\n';
  return EXIT_FAILURE;
}
