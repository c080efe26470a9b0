// What is uploaded, and what the stand-in service then has of it.
#ifndef FILM_HPP
#define FILM_HPP

#include "support/scene.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <unistd.h>

// What the service takes as a part, but for the last; and so what the first part of several is.
inline constexpr std::size_t smallest_part = 5 * 1024 * 1024;

// What a command prints.
inline std::string printed(const std::string &command) {
  std::string text;
  FILE *output = popen(command.c_str(), "r");
  CHECK(output != nullptr);
  for (int c; output != nullptr && (c = std::fgetc(output)) != EOF;) text += static_cast<char>(c);
  CHECK(output != nullptr && pclose(output) == 0);
  return text;
}

// So many random bytes, always the same.
inline std::string random_bytes(std::size_t size) {
  std::string bytes;
  std::mt19937_64 random;
  bytes.reserve(size + sizeof random());
  while (bytes.size() < size) {
    const std::uint64_t some = random();
    bytes.append(reinterpret_cast<const char *>(&some), sizeof some);
  }
  bytes.resize(size);
  return bytes;
}

// What is uploaded, and a file of it for the length of a test.
class film {
 public:
  explicit film(std::size_t size) : bytes_(random_bytes(size)) {
    const int descriptor = mkstemp(path_.data());
    CHECK(descriptor >= 0 && close(descriptor) == 0);
    std::ofstream file(path_, std::ios::binary);
    CHECK((file << bytes_ << std::flush).good());
  }
  film(const film &) = delete;
  film &operator=(const film &) = delete;
  ~film() { std::remove(path_.c_str()); }

  const std::string &path() const { return path_; }
  const std::string &bytes() const { return bytes_; }
  std::string sha256() const { return printed("sha256sum " + path_).substr(0, 64); }

 private:
  std::string path_ = "/tmp/apivideo-film-XXXXXX";
  std::string bytes_;
};

// A client that knows no key.
inline apivideo::config device_config(const std::string &url) {
  apivideo::config config = config_for(url);
  config.api_key.reset();
  config.no_credential = true;
  return config;
}

#ifdef __cpp_exceptions
inline apivideo::client device(const std::string &url) {
  return apivideo::client(device_config(url));
}

inline std::string token_of(const stand_in &service) {
  return apivideo::client(config_for(service.url())).create(std::chrono::hours(1)).value();
}

// Parameters with a token of that service, and the smallest parts.
inline apivideo::upload_params params_for(const stand_in &service) {
  apivideo::upload_params params;
  params.token = token_of(service);
  params.part_bytes = smallest_part;
  return params;
}
#endif

inline std::string ledger_of(const stand_in &service) {
  return printed(std::string(std::getenv("LOCAL_API")) + " --ledger " + service.url());
}

// Whether the service has this video whole, and it is the film; and no part of any came twice.
inline bool has(const stand_in &service, std::string_view id, const film &of) {
  const std::string ledger = ledger_of(service);
  // The members of a video stand in the order of the alphabet.
  const std::size_t at = ledger.find("\"videoId\":\"" + std::string(id) + "\",\"whole\":true");
  const std::size_t digest = ledger.rfind("\"sha256\":\"" + of.sha256() + "\",\"title\"", at);
  bool is_once = true;
  for (const char *again : {"2", "3", "4"})
    is_once &= ledger.find(std::string("\"received\":") + again) == std::string::npos;
  return at != std::string::npos && digest != std::string::npos && is_once &&
         ledger.substr(digest, at - digest).find("\"videoId\"") == std::string::npos;
}

#endif
