// tokens: makes, looks up, lists and revokes upload tokens; an example of apivideo.hpp to copy from.
// Without arguments it tells how it is used.
#include <apivideo.hpp>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

constexpr int failed = 1, misused = 2, not_found = 3;

constexpr std::string_view usage =
    "usage: tokens create SECONDS     makes a token that is valid so long\n"
    "       tokens create never       makes one that is valid for ever\n"
    "       tokens get TOKEN          shows one token\n"
    "       tokens list               shows all tokens\n"
    "       tokens delete TOKEN...    revokes tokens\n"
    "\n"
    "APIVIDEO_API_KEY is the API key; APIVIDEO_BASE_URL is the service, unless it is production.\n"
    "Exit status: 0 done, 1 failed, 2 used wrongly, 3 no such token.\n";

std::optional<std::string> environment(const char *name) {
  const char *value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

// A token of one's own, of a page or of a range: they all can be looked at.
void print(const apivideo::token_view &token) {
  std::cout << token.value();
  if (const auto end = token.expires_at()) {
    const std::time_t time = std::chrono::system_clock::to_time_t(*end);
    std::cout << "  until " << std::put_time(std::gmtime(&time), "%Y-%m-%d %H:%M:%S UTC");
  }
  std::cout << '\n';
}

std::optional<apivideo::time_to_live> parse_ttl(std::string_view text) {
  if (text == "never") return apivideo::never;
  std::int64_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(count);
}

int run(const std::vector<std::string> &arguments) {
  const std::string command = arguments.empty() ? "" : arguments[0];
  const std::vector<std::string> rest(arguments.begin() + !arguments.empty(), arguments.end());
  const auto ttl = parse_ttl(rest.empty() ? "" : rest[0]);

  apivideo::config config;
  config.api_key = environment("APIVIDEO_API_KEY");
  config.base_url = environment("APIVIDEO_BASE_URL");

  if (command == "create" && rest.size() == 1 && ttl) {
    print(apivideo::client(config).create(*ttl));
  } else if (command == "get" && rest.size() == 1) {
    print(apivideo::client(config).get(rest[0]));
  } else if (command == "list" && rest.empty()) {
    for (const auto &token : apivideo::client(config).tokens()) print(token);
  } else if (command == "delete" && !rest.empty()) {
    const apivideo::client client(config);
    for (const std::string &token : rest) client.remove(token);
  } else {
    std::cerr << usage;
    return misused;
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const apivideo::not_found &error) {
    std::cerr << "tokens: " << error.what() << '\n';
    return not_found;
  } catch (const apivideo::error &error) {
    std::cerr << "tokens: " << error.what() << '\n';
    for (const auto &problem : error.problems())
      std::cerr << "tokens: " << problem.name << ": " << problem.title << '\n';
    if (const auto wait = error.retry_after())
      std::cerr << "tokens: try again in " << wait->count() / 1000 << " s\n";
    return failed;
  }
}
