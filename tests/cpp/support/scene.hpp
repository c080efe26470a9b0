// What the C++ tests act against, cleaned up when they leave: the scripted peer and the stand-in
// service of the C tests, and a configuration for either.
#ifndef SCENE_HPP
#define SCENE_HPP

#include "support/call.h"
#include "support/check.h"
#include "support/local_api.h"
#include "support/peer.h"

#include <apivideo.hpp>

#include <atomic>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

// A configuration for `url`: each request is tried once, so that a test sees what one answer comes to.
inline apivideo::config config_for(const std::string &url) {
  apivideo::config config;
  config.api_key = "test-key";
  config.base_url = url;
  config.timeout = std::chrono::seconds(20);
  config.max_attempts = 1;
  return config;
}

// The scripted peer.
class scripted_peer {
 public:
  scripted_peer() : peer_(peer_start()) {}
  scripted_peer(const scripted_peer &) = delete;
  scripted_peer &operator=(const scripted_peer &) = delete;
  ~scripted_peer() { peer_stop(peer_); }

  std::string url() const { return peer_url(peer_); }
  // Answers the next request so.
  void answer(const std::string &status, const std::string &body) {
    peer_answer_json(peer_, status.c_str(), body.c_str());
  }
  // The same for an answer with its head.
  void answer_text(const std::string &text, peer_end end = PEER_KEEP) {
    peer_answer_text(peer_, text.c_str(), end);
  }
  // Is silent upon the next request.
  void stall() { answer_text("", PEER_STALL); }
  std::size_t request_count() const { return peer_request_count(peer_); }
  std::string request(std::size_t index) const {
    const char *text = peer_request(peer_, index, nullptr);
    return text != nullptr ? text : "";
  }
  // Waits until so many requests have come.
  void await_requests(std::size_t count) const {
    while (request_count() < count) std::this_thread::yield();
  }

 private:
  peer *peer_;
};

// The stand-in service, whose API key is that of config_for().
class stand_in {
 public:
  explicit stand_in(std::initializer_list<const char *> more = {}) {
    std::vector<const char *> arguments = {"--api-key", "test-key"};
    arguments.insert(arguments.end(), more);
    arguments.push_back(nullptr);
    service_ = local_api_start(arguments.data());
  }
  stand_in(const stand_in &) = delete;
  stand_in &operator=(const stand_in &) = delete;
  ~stand_in() { local_api_stop(service_); }

  std::string url() const { return local_api_url(service_); }

 private:
  local_api *service_;
};

#ifdef __cpp_exceptions
// Whether the function throws just this class, no class derived from it.
template <class Exception, class Function>
bool throws(Function function) {
  try {
    function();
  } catch (const Exception &error) {
    return typeid(error) == typeid(Exception);
  } catch (...) {
  }
  return false;
}
#endif

// A page's body with these tokens, which says how many pages there are.
inline std::string page_body(std::initializer_list<const char *> tokens, int page, int pages) {
  std::string items;
  for (const char *token : tokens)
    items += std::string(items.empty() ? "" : ",") + "{\"token\":\"" + token + "\"}";
  return "{\"data\":[" + items + "],\"pagination\":{\"currentPage\":" + std::to_string(page) +
         ",\"pagesTotal\":" + std::to_string(pages) + "}}";
}

#endif
