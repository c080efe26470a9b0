// A call of C++ allocates what the same call of C does, and nothing by `operator new`.
#include "support/scene.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <new>

using std::chrono::seconds;

// ---------------------------------------------------------------------------- what is counted

// Of this thread alone: the peer has one of its own.
static thread_local int allocations, news;

// The next function of that name: the C library's, or that of a tool that looks on.
template <class Function>
static Function *next(const char *name) {
  Function *found;
  *reinterpret_cast<void **>(&found) = dlsym(RTLD_NEXT, name);
  return found;
}

extern "C" void *malloc(std::size_t size) noexcept {
  static const auto real = next<void *(std::size_t)>("malloc");
  allocations++;
  return real(size);
}
extern "C" void *realloc(void *old, std::size_t size) noexcept {
  static const auto real = next<void *(void *, std::size_t)>("realloc");
  allocations++;
  return real(old, size);
}
void *operator new(std::size_t size) {
  news++;
  if (void *place = std::malloc(size)) return place;
  throw std::bad_alloc();
}
void operator delete(void *place) noexcept { std::free(place); }
void operator delete(void *place, std::size_t) noexcept { std::free(place); }

struct count {
  int allocations, news;
};

template <class Function>
static count count_of(Function function) {
  const count before = {allocations, news};
  function();
  return {allocations - before.allocations, news - before.news};
}

// ------------------------------------------------------------------------------------- the calls

static const char token_body[] = "{\"token\":\"to1tcmSFHeYY5KzyhOqVKMKb\",\"ttl\":60}";

template <class InC, class InCxx>
static void check_same(const char *name, InC in_c, InCxx in_cxx) {
  in_c(); // the first one opens the connection
  in_c();
  const count c = count_of(in_c), cxx = count_of(in_cxx), again = count_of(in_c);
  CHECK_ROW(name, c.allocations > 0);
  CHECK_ROW(name, c.allocations == again.allocations);
  CHECK_ROW(name, cxx.allocations == c.allocations);
  CHECK_ROW(name, cxx.news == 0);
}

static void calls_allocate_what_c_does() {
  scripted_peer server;
  const apivideo::client client(config_for(server.url()));
  const std::string id = "to1tcmSFHeYY5KzyhOqVKMKb";
  av_request_options options = {};
  options.struct_size = sizeof options;
  apivideo::response response;
  const apivideo::cancel_source cancel;
  apivideo::request_options with;
  options.response = response.handle();
  options.cancel = cancel.handle();
  with.response = &response;
  with.cancel = cancel;
  for (int i = 0; i < 15; i++) server.answer("200 OK", token_body);
  check_same(
      "create",
      [&] {
        av_token *token = nullptr;
        av_tokens_create(client.handle(), 60, nullptr, &token, nullptr);
        av_token_free(token);
      },
      [&] { CHECK(client.create(seconds(60)).c_str()[0] == 't'); });
  check_same(
      "get",
      [&] {
        av_token *token = nullptr;
        av_tokens_get(client.handle(), id.c_str(), nullptr, &token, nullptr);
        av_token_free(token);
      },
      [&] { CHECK(client.get(id).handle() != nullptr); });
  check_same(
      "get with options",
      [&] {
        av_token *token = nullptr;
        av_tokens_get(client.handle(), id.c_str(), &options, &token, nullptr);
        av_token_free(token);
      },
      [&] { CHECK(client.get(id, with).handle() != nullptr); });
  for (int i = 0; i < 5; i++) server.answer("200 OK", page_body({"a", "b"}, 1, 1));
  check_same(
      "list",
      [&] {
        av_token_page *page = nullptr;
        av_tokens_list(client.handle(), nullptr, nullptr, &page, nullptr);
        av_token_page_free(page);
      },
      [&] {
        std::size_t count = 0;
        for (const auto &token : client.list()) count += token.value().size();
        CHECK(count == 2);
      });
  for (int i = 0; i < 5; i++) server.answer_text("HTTP/1.1 204 No Content\r\n\r\n");
  check_same(
      "remove", [&] { av_tokens_delete(client.handle(), id.c_str(), nullptr, nullptr); },
      [&] { client.remove(id); });
  for (int i = 0; i < 5; i++) server.answer("200 OK", page_body({"a", "b"}, 1, 1));
  check_same(
      "tokens",
      [&] {
        av_token_iter *iter = nullptr;
        const av_token *token = nullptr;
        av_tokens_iterate(client.handle(), nullptr, &iter, nullptr);
        while (av_token_iter_next(iter, nullptr, &token, nullptr) == AV_STATUS_OK && token) {
        }
        av_token_iter_free(iter);
      },
      [&] {
        std::size_t count = 0;
        for (const auto &token : client.tokens()) count += token.value().size();
        CHECK(count == 2);
      });
}

// The counters count.
static void what_allocates_is_seen() {
  const count seen = count_of([] { CHECK(std::string(100, 'x').size() == 100); });
  CHECK(seen.allocations == 1 && seen.news == 1);
}

int main() {
  what_allocates_is_seen();
  calls_allocate_what_c_does();
  return checks_report();
}
