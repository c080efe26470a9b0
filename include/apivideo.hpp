/** @file
 *
 * apivideo for C++17 and newer: the library of apivideo.h with objects that clean up after
 * themselves, exceptions, and times of std::chrono. Header-only: link as for C.
 *
 * @code
 * apivideo::config config;
 * config.api_key = "your key";
 * apivideo::client client(config);
 *
 * apivideo::token token = client.create(std::chrono::hours(1));
 * std::cout << token.value() << '\n';
 *
 * for (const auto &each : client.tokens()) std::cout << each.value() << '\n';
 *
 * try {
 *   client.remove(token);
 * } catch (const apivideo::not_found &) {
 *   std::cout << "It has expired.\n";
 * } catch (const apivideo::error &error) {
 *   std::cout << error.what() << '\n';
 * }
 *
 * apivideo::config device; // which has a token, and knows no key
 * device.no_credential = true;
 * apivideo::upload_params params;
 * params.token = "the token";
 * params.progress = [](const apivideo::upload_progress &it) {
 *   std::cout << it.bytes_confirmed << " of " << it.bytes_total << '\n';
 * };
 * std::cout << apivideo::client(device).upload("film.mp4", params).id() << '\n';
 * std::cout << apivideo::client(device).upload(std::cin, params).id() << '\n'; // while it comes
 * @endcode
 *
 * Five rules hold for all of it:
 *
 * 1. Each call comes twice: client::create() throws a class derived from apivideo::error (and an
 *    upload what your own code threw in it), client::try_create() throws nothing and returns a
 *    result. Without exceptions in the compiler, only the second is there.
 * 2. Const objects may be used by any number of threads at once, so that one client does for all of
 *    them. As any object, destroy or move one when no other thread is using it.
 * 3. What a call returns is yours and cleans up after itself. A `std::string_view` or token_view
 *    looks into the object that it was asked of, and lives as long.
 * 4. What C cannot take as it is (text with a NUL in it, a number or time out of range) is never
 *    cut: the call fails with status::invalid_argument, and nothing is sent.
 * 5. A moved-from object is empty, and a call on it fails with status::invalid_argument.
 *
 * A call costs what it costs in C, and allocates nothing of its own unless it fails or uploads. A
 * process that runs out of memory in a call is ended.
 *
 * What the calls do, and for how long they block, is told in full in apivideo.h. C and C++ may be
 * mixed, by the `handle()` of each class.
 */

#ifndef APIVIDEO_HPP
#define APIVIDEO_HPP

#include "apivideo.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <istream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if __cplusplus >= 202002L && __has_include(<stop_token>)
#include <stop_token>
#endif

/** The upload tokens of api.video, and uploads with them. */
namespace apivideo {

/** A moment by the clock of the system. */
using time_point = std::chrono::system_clock::time_point;

/** A timeout that never ends. */
inline constexpr std::chrono::milliseconds no_limit = std::chrono::milliseconds::max();

/** @cond DETAIL */
namespace detail {

template <auto Free>
struct deleter {
  template <class T>
  void operator()(T *it) const noexcept {
    Free(it);
  }
};
template <class T, auto Free>
using owner = std::unique_ptr<T, deleter<Free>>;

inline std::string_view view(const char *text) noexcept {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

inline bool has_nul(const std::string &text) noexcept {
  return text.find('\0') != std::string::npos;
}

/* The clock may count so finely that its last moment is in the year 2262. */
inline std::optional<time_point> moment(std::int64_t unix_seconds) noexcept {
  using std::chrono::seconds;
  constexpr auto last =
      std::chrono::duration_cast<seconds>(time_point::max().time_since_epoch()).count();
  if (unix_seconds == 0) return std::nullopt;
  if (unix_seconds > last) return time_point::max();
  if (unix_seconds < -last) return time_point::min();
  return time_point(seconds(unix_seconds));
}

/* False if it is out of range, here and below. */
inline bool to_c(std::int64_t from, std::uint32_t &to) noexcept {
  if (from < 0 || from > std::numeric_limits<std::uint32_t>::max()) return false;
  to = static_cast<std::uint32_t>(from);
  return true;
}

inline bool to_c(std::int64_t from, std::uint64_t &to) noexcept {
  to = static_cast<std::uint64_t>(from);
  return from >= 0;
}

inline bool to_c(const std::optional<std::chrono::milliseconds> &from, std::uint32_t &to) noexcept {
  constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();
  if (!from)
    to = 0;
  else if (*from == no_limit)
    to = unlimited;
  else if (from->count() < 1 || from->count() >= unlimited)
    return false;
  else
    to = static_cast<std::uint32_t>(from->count());
  return true;
}

}  // namespace detail
/** @endcond */

// ---- Failing ----

/** What became of a call: AV_STATUS_… of apivideo.h. A later library may tell others. */
enum class status : av_status {
  ok = AV_STATUS_OK,                             /**< Success. */
  invalid_argument = AV_STATUS_INVALID_ARGUMENT, /**< The caller's mistake; nothing was sent. */
  connect = AV_STATUS_CONNECT,           /**< No name, connection or proxy; nothing was sent. */
  tls = AV_STATUS_TLS,                   /**< The certificate was refused; nothing was sent. */
  transport = AV_STATUS_TRANSPORT,       /**< The connection broke during the exchange. */
  timeout = AV_STATUS_TIMEOUT,           /**< The time ran out. */
  cancelled = AV_STATUS_CANCELLED,       /**< By a cancel_source. */
  unauthorized = AV_STATUS_UNAUTHORIZED, /**< HTTP 401 or 403. */
  not_found = AV_STATUS_NOT_FOUND,       /**< HTTP 404: it may have expired or been deleted. */
  rejected = AV_STATUS_REJECTED,         /**< Any other HTTP 4xx: see failure::problems(). */
  rate_limited = AV_STATUS_RATE_LIMITED, /**< HTTP 429: see failure::retry_after(). */
  server = AV_STATUS_SERVER,             /**< HTTP 5xx: the service failed. */
  decode = AV_STATUS_DECODE,             /**< An answer that the API does not promise. */
  internal = AV_STATUS_INTERNAL,         /**< A bug of the library. */
  source = AV_STATUS_SOURCE /**< What to upload cannot be read, or is not the file it was. */
};

/** What is known of a failed call's effect on the service: AV_OUTCOME_… of apivideo.h. */
enum class outcome : std::int32_t {
  unknown = AV_OUTCOME_UNKNOWN,         /**< It may be done: look before you repeat a create. */
  not_applied = AV_OUTCOME_NOT_APPLIED, /**< It is not done. */
  applied = AV_OUTCOME_APPLIED          /**< It is done, but the answer was lost. */
};

/** The name that apivideo.h has for it, such as "AV_STATUS_NOT_FOUND". */
inline const char *to_string(status value) noexcept {
  return av_status_name(static_cast<av_status>(value));
}

/** The name that apivideo.h has for it, such as "AV_OUTCOME_APPLIED". */
inline const char *to_string(outcome value) noexcept {
  return av_outcome_name(static_cast<std::int32_t>(value));
}

/**
 * A problem in the service's own words. What it does not tell is empty, with a `data()` of nullptr.
 * The text lives as long as the failure.
 */
struct problem {
  std::string_view type;   /**< A URI, whose form has changed over the years. */
  std::string_view title;  /**< The problem, in English. */
  std::string_view detail; /**< More about it. */
  std::string_view name;   /**< The parameter it is about, such as "pageSize". */
};

/** @cond DETAIL */
namespace detail {

class upload_calls;

/* How an upload ended by the caller's own code: a function object, or the stream it read. */
struct mishap {
  apivideo::status status;
  apivideo::outcome outcome;
  const char *message;
  std::string state, video_id;
  std::exception_ptr thrown;
};

}  // namespace detail
/** @endcond */

/** What went wrong with one call. Copies share their text, which lives as long as any of them. */
class failure {
 public:
  /** Takes over an error of apivideo.h, which is not NULL. */
  explicit failure(av_error *error) : error_(error, &av_error_free) {}
  /** A status::invalid_argument with this message, a literal. */
  explicit failure(const char *mistake) noexcept : mistake_(mistake) {}

  /** What kind of failure it is. Expect values that this header does not know. */
  apivideo::status status() const noexcept {
    if (mishap_) return mishap_->status;
    return error_ ? static_cast<apivideo::status>(av_error_status(error_.get()))
                  : apivideo::status::invalid_argument;
  }
  /** What is known of the call's effect on the service. */
  apivideo::outcome outcome() const noexcept {
    if (mishap_) return mishap_->outcome;
    return error_ ? static_cast<apivideo::outcome>(av_error_outcome(error_.get()))
                  : apivideo::outcome::not_applied;
  }
  /** One line for a person: which request, what failed, what may have happened. It holds no
   * credential. */
  const char *message() const noexcept {
    if (mishap_) return mishap_->message;
    return error_ ? av_error_message(error_.get()) : mistake_;
  }
  /** Whether the cause is temporary and repeating the call cannot do anything twice. */
  bool is_retryable() const noexcept { return av_error_is_retryable(error_.get()) != 0; }
  /** The HTTP status of the answer, 100 to 999; 0 if there was none. */
  int http_status() const noexcept { return av_error_http_status(error_.get()); }
  /** How many times the request was tried. */
  std::uint32_t attempts() const noexcept { return av_error_attempts(error_.get()); }
  /** How long to wait before the next try; nothing if that is not known. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    const std::int64_t wait = av_error_retry_after_ms(error_.get());
    if (wait < 0) return std::nullopt;
    return std::chrono::milliseconds(wait);
  }
  /** Of an upload, what to go on from, for upload_params::resume; empty if there is nothing. */
  std::string_view upload_state() const noexcept {
    if (mishap_) return mishap_->state;
    return detail::view(av_error_upload_state(error_.get()));
  }
  /** Of an upload, the id of the video that it was making; empty if none is known. */
  std::string_view upload_video_id() const noexcept {
    if (mishap_) return mishap_->video_id;
    return detail::view(av_error_upload_video_id(error_.get()));
  }
  /** Of an upload, what your own code threw that ended it: `progress` or `state` of upload_params, or
   * the stream that was read; otherwise null. */
  std::exception_ptr thrown() const noexcept {
    return mishap_ ? mishap_->thrown : std::exception_ptr();
  }
  /** The body of the answer, at most its first 65536 bytes, whatever they are. After a
   * status::decode of a create it may hold the new token. */
  std::string_view body() const noexcept {
    std::size_t length = 0;
    const char *bytes = av_error_body(error_.get(), &length);
    return bytes != nullptr ? std::string_view(bytes, length) : std::string_view();
  }
  /** The problem as a whole. */
  apivideo::problem problem() const noexcept {
    const av_error *it = error_.get();
    return {detail::view(av_error_problem_type(it)), detail::view(av_error_problem_title(it)),
            detail::view(av_error_problem_detail(it)), detail::view(av_error_problem_name(it))};
  }
  /** The single problems, which the service lists with HTTP 400. */
  std::vector<apivideo::problem> problems() const {
    const av_error *it = error_.get();
    std::vector<apivideo::problem> all(av_error_problem_count(it));
    for (std::size_t i = 0; i < all.size(); i++)
      all[i] = {detail::view(av_error_problem_type_at(it, i)),
                detail::view(av_error_problem_title_at(it, i)),
                detail::view(av_error_problem_detail_at(it, i)),
                detail::view(av_error_problem_name_at(it, i))};
    return all;
  }

#ifdef __cpp_exceptions
  /** Throws thrown(), if that is something; otherwise the class derived from error that belongs to
   * status(), or error itself. */
  [[noreturn]] void raise() const;
#endif

 private:
  friend class detail::upload_calls;
  failure(av_error *error, detail::mishap mishap)
      : error_(error, &av_error_free),
        mishap_(std::make_shared<const detail::mishap>(std::move(mishap))) {}

  std::shared_ptr<const av_error> error_;
  std::shared_ptr<const detail::mishap> mishap_; /* goes before the error, of which it tells, too */
  const char *mistake_ = "";
};

#ifdef __cpp_exceptions
/** What the calls throw; all that failure tells can be asked of it. */
class error : public std::exception, public failure {
 public:
  /** The exception for a failure. */
  explicit error(failure cause) noexcept : failure(std::move(cause)) {}
  /** The same as message(). */
  const char *what() const noexcept override { return message(); }
};

/** The error of one status; catch it by the names below. */
template <status Status>
class status_error : public error {
 public:
  using error::error;
};

using invalid_argument = status_error<status::invalid_argument>; /**< status::invalid_argument */
using connect_error = status_error<status::connect>;             /**< status::connect */
using tls_error = status_error<status::tls>;                     /**< status::tls */
using transport_error = status_error<status::transport>;         /**< status::transport */
using timeout = status_error<status::timeout>;                   /**< status::timeout */
using cancelled = status_error<status::cancelled>;               /**< status::cancelled */
using unauthorized = status_error<status::unauthorized>;         /**< status::unauthorized */
using not_found = status_error<status::not_found>;               /**< status::not_found */
using rejected = status_error<status::rejected>;                 /**< status::rejected */
using rate_limited = status_error<status::rate_limited>;         /**< status::rate_limited */
using server_error = status_error<status::server>;               /**< status::server */
using decode_error = status_error<status::decode>;               /**< status::decode */
using internal_error = status_error<status::internal>;           /**< status::internal */
using source_error = status_error<status::source>;               /**< status::source */

inline void failure::raise() const {
  if (mishap_ && mishap_->thrown) std::rethrow_exception(mishap_->thrown);
  switch (status()) {
    case status::invalid_argument: throw invalid_argument(*this);
    case status::connect: throw connect_error(*this);
    case status::tls: throw tls_error(*this);
    case status::transport: throw transport_error(*this);
    case status::timeout: throw timeout(*this);
    case status::cancelled: throw cancelled(*this);
    case status::unauthorized: throw unauthorized(*this);
    case status::not_found: throw not_found(*this);
    case status::rejected: throw rejected(*this);
    case status::rate_limited: throw rate_limited(*this);
    case status::server: throw server_error(*this);
    case status::decode: throw decode_error(*this);
    case status::internal: throw internal_error(*this);
    case status::source: throw source_error(*this);
    case status::ok: break;
  }
  throw error(*this);
}
#endif

/**
 * What a `try_…` call returns: a T or a failure, much as std::expected of C++23. To ask for the
 * one that is not there is undefined, but for value().
 */
template <class T>
class [[nodiscard]] result {
 public:
  /** A success. */
  result(T value) noexcept : either_(std::in_place_index<0>, std::move(value)) {}
  /** A failure. */
  result(failure cause) noexcept : either_(std::in_place_index<1>, std::move(cause)) {}

  /** Whether the call succeeded. */
  explicit operator bool() const noexcept { return either_.index() == 0; }
  /** What the call returned; std::move() it to keep it. */
  T &operator*() noexcept { return *std::get_if<0>(&either_); }
  /** The same. */
  const T &operator*() const noexcept { return *std::get_if<0>(&either_); }
  /** A member of what the call returned. */
  T *operator->() noexcept { return &**this; }
  /** The same. */
  const T *operator->() const noexcept { return &**this; }
  /** Why the call failed. */
  const failure &error() const noexcept { return *std::get_if<1>(&either_); }

#ifdef __cpp_exceptions
  /** What the call returned; throws the class derived from apivideo::error if it failed. */
  T value() && {
    if (!*this) error().raise();
    return std::move(**this);
  }
#endif

 private:
  std::variant<T, failure> either_;
};

// ---- Tokens ----

/**
 * A look at a token that something else owns: a token, a token_page, or a token_range, which lets
 * go of it when it moves on. It cannot be copied, so that it is not kept by mistake: keep the text
 * of value() in a `std::string`.
 */
class token_view {
 public:
  /** Looks at a token of apivideo.h, or at none if it is NULL. */
  explicit token_view(const av_token *handle) noexcept : handle_(handle) {}
  token_view(const token_view &) = delete;
  token_view &operator=(const token_view &) = delete;

  /** The token: its id and the secret in one, so treat it as a password. */
  std::string_view value() const noexcept { return c_str(); }
  /** The same, NUL-terminated. */
  const char *c_str() const noexcept { return handle_ != nullptr ? handle_->token : ""; }
  /** The time to live that the service tells, 0 for ever; nothing if it is not told. */
  std::optional<std::chrono::seconds> ttl() const noexcept {
    if (handle_ == nullptr || handle_->ttl_seconds < 0) return std::nullopt;
    return std::chrono::seconds(handle_->ttl_seconds);
  }
  /** When it was made, by the service's clock; nothing if that is not told. A time that time_point
   * cannot tell, here and below, is its last or first one. */
  std::optional<time_point> created_at() const noexcept {
    return detail::moment(handle_ != nullptr ? handle_->created_at : 0);
  }
  /** When it ends; nothing is never if ttl() is 0, otherwise not told. */
  std::optional<time_point> expires_at() const noexcept {
    return detail::moment(handle_ != nullptr ? handle_->expires_at : 0);
  }
  /** The token of apivideo.h; it stays its owner's. NULL for none. */
  const av_token *handle() const noexcept { return handle_; }

 protected:
  /** What is looked at. */
  const av_token *handle_;
};

/** A token of one's own, as small as a pointer. */
class token : public token_view {
 public:
  /** Takes over a token of apivideo.h. */
  explicit token(av_token *handle) noexcept : token_view(handle) {}
  /** Takes over, and leaves an empty token. */
  token(token &&other) noexcept : token_view(std::exchange(other.handle_, nullptr)) {}
  /** Takes over, and leaves an empty token. */
  token &operator=(token &&other) noexcept {
    token taken(std::move(other));
    std::swap(handle_, taken.handle_);
    return *this;
  }
  /** Frees the token, which does not revoke it: see client::remove(). */
  ~token() { av_token_free(const_cast<av_token *>(handle_)); /* which it was before */ }

  /** The token, as long as this object lives. */
  std::string_view value() const & noexcept { return token_view::value(); }
  /** The token of an object that is about to go. */
  std::string value() const && { return c_str(); }
};

/** @cond DETAIL */
namespace detail {

/* An input iterator over the tokens of a Cursor, which has a `current()`, NULL at the end, and a
 * `next()`. */
template <class Cursor>
class token_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = token_view;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = token_view;

  explicit token_iterator(Cursor cursor = {}) noexcept : cursor_(cursor) {}
  reference operator*() const noexcept { return token_view(cursor_.current()); }
  token_iterator &operator++() { return cursor_.next(), *this; }
  void operator++(int) { cursor_.next(); }
  /* All that are at their end are equal, as are all that are not. */
  friend bool operator==(const token_iterator &one, const token_iterator &other) noexcept {
    return (one.cursor_.current() == nullptr) == (other.cursor_.current() == nullptr);
  }
  friend bool operator!=(const token_iterator &one, const token_iterator &other) noexcept {
    return !(one == other);
  }

 private:
  Cursor cursor_;
};

}  // namespace detail
/** @endcond */

/** One page of tokens: `for (const auto &token : page)`, with views that look into it. */
class token_page {
  struct cursor {
    const av_token *current() const noexcept { return left > 0 ? *items : nullptr; }
    void next() noexcept { ++items, --left; }
    const av_token *const *items = nullptr;
    std::size_t left = 0;
  };

 public:
  /** A C++ input iterator over token_view. */
  using iterator = detail::token_iterator<cursor>;

  /** Takes over a page of apivideo.h, which is not NULL. */
  explicit token_page(av_token_page *handle) noexcept : handle_(handle) {}

  /** How many tokens this page holds. */
  std::size_t size() const noexcept { return handle_ ? handle_->count : 0; }
  /** Whether it holds none. */
  bool empty() const noexcept { return size() == 0; }
  /** The token `index`, from 0 to size() - 1. */
  token_view operator[](std::size_t index) const noexcept {
    return token_view(handle_->items[index]);
  }
  /** The first token. */
  iterator begin() const noexcept {
    return handle_ ? iterator({handle_->items, size()}) : iterator();
  }
  /** Behind the last token. */
  iterator end() const noexcept { return iterator(); }

  /** How many tokens there are on all pages; 0 is none if this one is empty, otherwise not told. */
  std::uint64_t items_total() const noexcept { return handle_ ? handle_->items_total : 0; }
  /** How many pages there are; 0 is not told. */
  std::uint32_t pages_total() const noexcept { return handle_ ? handle_->pages_total : 0; }
  /** The number of this page, from 1; 0 is not told. */
  std::uint32_t current_page() const noexcept { return handle_ ? handle_->current_page : 0; }
  /** How many tokens a page holds at most; 0 is not told. */
  std::uint32_t page_size() const noexcept { return handle_ ? handle_->page_size : 0; }

 private:
  detail::owner<av_token_page, av_token_page_free> handle_;
};

// ---- What is passed ----

/**
 * A text that is passed to a call, which makes no copy of it: a literal or other `const char *`, a
 * `std::string`, or a token. (A `std::string_view` need not end in the NUL that C asks for.)
 */
class c_string {
 public:
  /** A NUL-terminated text; nullptr is what NULL is in apivideo.h. */
  c_string(const char *text) noexcept : text_(text) {}
  /** A string; with a NUL in it, the call fails with status::invalid_argument. */
  c_string(const std::string &text) noexcept
      : text_(text.c_str()), has_nul_(detail::has_nul(text)) {}
  /** A token. */
  c_string(const token_view &token) noexcept : text_(token.c_str()) {}

  /** The text, NUL-terminated. */
  const char *c_str() const noexcept { return text_; }
  /** Whether the text has a NUL in it, where C would take it to end. */
  bool has_nul() const noexcept { return has_nul_; }

 private:
  const char *text_;
  bool has_nul_ = false;
};

/** The type of never. */
struct never_t {
  /** There is never. */
  explicit never_t() = default;
};

/** The time to live of a token that is valid for ever: `client.create(apivideo::never)`. */
inline constexpr never_t never{};

/**
 * How long a token is to be valid: a length of time of std::chrono, in whatever unit, rounded up to
 * whole seconds; or never. Out of 1 to 2147483647 s, the call fails with status::invalid_argument.
 */
class time_to_live {
 public:
  /** So long. */
  template <class Rep, class Period>
  constexpr time_to_live(std::chrono::duration<Rep, Period> length) noexcept
      : seconds_(whole_seconds(length)) {}
  /** For ever. */
  constexpr time_to_live(never_t) noexcept : seconds_(0) {}
  /** A number has no unit: say `std::chrono::seconds(3600)`. */
  template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
  time_to_live(Number) = delete;

  /** As apivideo.h has it: in seconds, 0 for ever; nothing if it is out of range. */
  constexpr std::optional<std::uint32_t> to_c() const noexcept { return seconds_; }

 private:
  template <class Rep, class Period>
  static constexpr std::optional<std::uint32_t> whole_seconds(
      std::chrono::duration<Rep, Period> length) noexcept {
    constexpr auto most = std::numeric_limits<std::int32_t>::max();
    /* First as floating point, for what is far out of range would overflow as whole seconds. No
     * comparison with a NaN is true. */
    const std::chrono::duration<long double> about(length);
    if (!(about.count() >= 1 && about.count() <= most)) return std::nullopt;
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
    if (seconds.count() < 1) return std::nullopt;
    if (seconds < length) ++seconds;
    if (seconds.count() > most) return std::nullopt;
    return static_cast<std::uint32_t>(seconds.count());
  }

  std::optional<std::uint32_t> seconds_;
};

/**
 * Cancels calls: any number of them may have it in request_options::cancel. Copies cancel the same
 * calls; each thread may have one.
 */
class cancel_source {
 public:
  /** Not cancelled yet. */
  cancel_source() : handle_(av_cancel_new(), &av_cancel_free) {}
  /** Cancels the same calls. (There is no move, which would leave one that cancels nothing.) */
  cancel_source(const cancel_source &) = default;
  /** Cancels the same calls from now on. */
  cancel_source &operator=(const cancel_source &) = default;

#ifdef __cpp_lib_jthread
  /** Cancelled when `stop` is, and by cancel(): `options.cancel = stop`. It is there from C++20 on,
   * where the standard library has `std::stop_token`. */
  cancel_source(std::stop_token stop) {
    struct trigger {
      av_cancel *cancel;
      void operator()() const noexcept { av_cancel_trigger(cancel); }
    };
    struct bound {
      explicit bound(std::stop_token from) : callback(std::move(from), trigger{source.handle()}) {}
      cancel_source source;
      std::stop_callback<trigger> callback;
    };
    const auto both = std::make_shared<bound>(std::move(stop));
    handle_ = std::shared_ptr<av_cancel>(both, both->source.handle());
  }
#endif

  /** Ends every call that uses it with status::cancelled, within 20 ms, unless its answer is there
   * already; later ones are not begun. It never blocks. */
  void cancel() const noexcept { av_cancel_trigger(handle_.get()); }
  /** The handle of apivideo.h; it stays this object's. */
  av_cancel *handle() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<av_cancel> handle_;
};

/** What the service tells of its rate limit; what it does not tell is nothing. */
struct rate_limit {
  std::optional<std::int64_t> limit;         /**< How many requests a window (a minute) allows. */
  std::optional<std::int64_t> remaining;     /**< How many are left in this window. */
  std::optional<std::chrono::seconds> reset; /**< How long it is until the next window. */
};

/**
 * Tells of the HTTP answer to a call, whether that succeeded or failed: pass it in
 * request_options::response, to one call at a time. It tells of the last attempt of the last call;
 * its text lives until its next use.
 */
class response {
 public:
  /** Tells nothing yet. */
  response() noexcept : handle_(av_response_new()) {}

  /** The HTTP status, 100 to 999; 0 if there was no answer. */
  int http_status() const noexcept { return av_response_http_status(handle()); }
  /** How many times the request was tried. */
  std::uint32_t attempts() const noexcept { return av_response_attempts(handle()); }
  /** The first value of a header, in capitals or small; nothing if there is none. */
  std::optional<std::string_view> header(c_string name) const noexcept {
    const char *value = name.has_nul() ? nullptr : av_response_header(handle(), name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  }
  /** What the answer tells about the rate limit. */
  apivideo::rate_limit rate_limit() const noexcept {
    std::int64_t limit = -1, remaining = -1, reset = -1;
    av_response_rate_limit(handle(), &limit, &remaining, &reset);
    apivideo::rate_limit told;
    if (limit >= 0) told.limit = limit;
    if (remaining >= 0) told.remaining = remaining;
    if (reset >= 0) told.reset = std::chrono::seconds(reset);
    return told;
  }
  /** The handle of apivideo.h; it stays this object's. */
  av_response *handle() const noexcept { return handle_.get(); }

 private:
  detail::owner<av_response, av_response_free> handle_;
};

/** How much is traced. */
enum class trace_level : std::int32_t {
  off = AV_TRACE_OFF,     /**< Nothing. */
  error = AV_TRACE_ERROR, /**< Failed attempts. */
  info = AV_TRACE_INFO,   /**< Every attempt. */
  debug = AV_TRACE_DEBUG  /**< Every attempt and its steps. */
};

/**
 * Takes one line of the trace, on the thread that is inside the call; those of several threads come
 * at once. The line holds no credential and no whole token, and lives until the function returns.
 * What the function throws is dropped: a trace changes nothing about a call.
 */
using trace_function = std::function<void(trace_level level, std::string_view line)>;

/** What a client is made from: `api_key` or `no_credential` alone is enough. What is not set is the
 * default. */
struct config {
  std::optional<std::string> api_key{};      /**< The account's API key: this or `access_token`. */
  std::optional<std::string> access_token{}; /**< An access token got by other means. */
  std::optional<std::string> base_url{};     /**< APIVIDEO_PRODUCTION_URL, unless it is set. */
  std::optional<std::string> app_name{};     /**< Your application: 1 to 50 of A-Z a-z 0-9 - _ . */
  std::optional<std::string> app_version{};  /**< Its version, such as 1.20.3. */
  std::optional<std::string> sdk_name{};     /**< A library of yours over this one. */
  std::optional<std::string> sdk_version{};  /**< Its version. */
  std::optional<std::string> ca_file{};      /**< A PEM file that replaces the system's trust. */
  std::optional<std::string> proxy_url{};    /**< "" is none; unless set, the environment's. */
  trace_function trace{};                    /**< Takes the trace. */
  apivideo::trace_level trace_level = apivideo::trace_level::info; /**< How much it takes. */
  /** What the whole of a call may take, 30 s unless set; 1 ms to 49 days, or no_limit, as below. */
  std::optional<std::chrono::milliseconds> timeout{};
  /** What name lookup, TCP, proxy and TLS of an attempt may take together, 10 s unless set. */
  std::optional<std::chrono::milliseconds> connect_timeout{};
  /** What one attempt of a get, list or remove may take if another is allowed, 10 s unless set. */
  std::optional<std::chrono::milliseconds> attempt_timeout{};
  std::int64_t max_attempts = 0; /**< How many times a request may be tried; 0 is 3. */
  bool allow_plain_http = false; /**< Allows http:// to another machine, in the clear. */
  bool no_credential = false;    /**< Knows no key on purpose: the client can only upload. */
};

/** What a single call may do otherwise than its client. */
struct request_options {
  std::optional<cancel_source> cancel{};              /**< Cancels the call. */
  apivideo::response *response = nullptr;             /**< Is told of the answer to the call. */
  std::optional<std::chrono::milliseconds> timeout{}; /**< As in config. */
  std::int64_t max_attempts = 0;                      /**< As in config; 0 is the client's. */
};

/** What tokens are sorted by. */
enum class sort_key : std::int32_t {
  service_default = AV_TOKEN_SORT_DEFAULT, /**< As the service does by default. */
  created_at = AV_TOKEN_SORT_CREATED_AT,   /**< By when a token was made. */
  ttl = AV_TOKEN_SORT_TTL                  /**< By how long a token is still valid. */
};

/** In which order. */
enum class sort_order : std::int32_t {
  service_default = AV_SORT_DEFAULT, /**< As the service does by default. */
  ascending = AV_SORT_ASC,           /**< Smallest first. */
  descending = AV_SORT_DESC          /**< Largest first. */
};

/** What to list. */
struct list_params {
  std::int64_t current_page = 0; /**< The page, from 1; 0 is the first. */
  std::int64_t page_size = 0;    /**< How many tokens a page holds, 1 to 100; 0 is 25. */
  sort_key sort_by = sort_key::service_default; /**< What they are sorted by. */
  /** In which order. */
  apivideo::sort_order sort_order = apivideo::sort_order::service_default;
};

/** What an upload is doing. A later library may tell others. */
enum class upload_activity : std::int32_t {
  sending = AV_UPLOAD_SENDING,                        /**< Bytes are sent. */
  waiting_for_answer = AV_UPLOAD_WAITING_FOR_ANSWER,  /**< All of a part is sent. */
  waiting_to_retry = AV_UPLOAD_WAITING_TO_RETRY,      /**< An attempt failed, another follows. */
  waiting_for_rate_limit = AV_UPLOAD_WAITING_FOR_RATE_LIMIT /**< The rate limit is used up. */
};

/** How far an upload has come. */
struct upload_progress {
  std::uint64_t bytes_confirmed = 0; /**< In parts that are confirmed; it never goes back. */
  std::uint64_t bytes_sent = 0;      /**< Besides, of the part under way, that have arrived. */
  std::uint64_t bytes_total = 0;     /**< How many the file has; 0 is not known. */
  std::uint64_t bytes_repeated = 0;  /**< Sent in vain. */
  std::uint32_t parts_confirmed = 0; /**< How many parts are confirmed. */
  std::uint32_t parts_total = 0;     /**< How many there are; 0 is not known. */
  upload_activity activity = upload_activity::sending; /**< What it is doing. */
  std::chrono::milliseconds wait{0}; /**< How long it will wait, if it does in order to go on. */
};

/** What to upload with, and how: `token` alone is enough. What is not set is the default. */
struct upload_params {
  std::string token{};                    /**< The upload token. */
  std::optional<std::string> video_id{};  /**< A video that was made before; otherwise a new one. */
  std::optional<std::string> file_name{}; /**< The title; else the path's last item, or "video". */
  std::optional<std::string> resume{};    /**< A state to go on from: failure::upload_state(). */
  /** Takes how far it has come, on the thread that is inside the call. What it or `state` throws ends
   * the call as a cancel does, and comes out of it: see failure::thrown(). So it cancels
   * request_options::cancel, if that is set, and all that shares it: have one for each upload. */
  std::function<void(const upload_progress &progress)> progress{};
  /** Takes what to go on from, after each part: keep it, and a crash costs one part. After a failure in
   * which something was tried, failure::upload_state() takes its place, an empty one too: drop it then. */
  std::function<void(std::string_view state)> state{};
  std::int64_t part_bytes = 0; /**< 5 MiB to 200 MiB; 0 is 32 MiB of a file, 8 MiB of a stream. */
  std::int64_t max_bytes_per_second = 0; /**< 0 is as fast as it goes. */
  std::int64_t parallel_parts = 0;       /**< 1 to 16 at once, by threads; 0 is one, by none. */
  /** Another connection after so long without a byte that arrives; 30 s unless set, or no_limit. */
  std::optional<std::chrono::milliseconds> stall_timeout{};
  /** How long the answer to a part may take; 5 min unless set, or no_limit. */
  std::optional<std::chrono::milliseconds> answer_timeout{};
  /** Gives up after so long without a byte that arrives; 5 min unless set, or no_limit. */
  std::optional<std::chrono::milliseconds> patience{};
  /** How often `progress` is told at most; 250 ms unless set. */
  std::optional<std::chrono::milliseconds> progress_interval{};
};

/**
 * A video that was uploaded. Text that is not told is empty, and lives as long as this object. The
 * addresses of a private video hold a secret.
 */
class uploaded_video {
 public:
  /** Takes over a video of apivideo.h, which is not NULL. */
  explicit uploaded_video(av_uploaded_video *handle) noexcept : handle_(handle) {}

  /** Its id; empty if this object was moved from. */
  std::string_view id() const noexcept { return text(&av_uploaded_video::video_id); }
  /** Its title. */
  std::string_view title() const noexcept { return text(&av_uploaded_video::title); }
  /** The address of a page that plays it. */
  std::string_view player_url() const noexcept { return text(&av_uploaded_video::player_url); }
  /** HTML with that page in a frame. */
  std::string_view iframe_html() const noexcept { return text(&av_uploaded_video::iframe_html); }
  /** The address of its HLS manifest. */
  std::string_view hls_url() const noexcept { return text(&av_uploaded_video::hls_url); }
  /** The address of an MP4 file. */
  std::string_view mp4_url() const noexcept { return text(&av_uploaded_video::mp4_url); }
  /** The address of a picture of it. */
  std::string_view thumbnail_url() const noexcept {
    return text(&av_uploaded_video::thumbnail_url);
  }
  /** The service's answer; empty, as all of the above but the id, if it was lost, and proved
   * otherwise that the video is whole. */
  std::string_view json() const noexcept { return text(&av_uploaded_video::json); }
  /** When it was made; nothing if that is not told. */
  std::optional<time_point> created_at() const noexcept {
    return detail::moment(handle_ ? handle_->created_at : 0);
  }
  /** When it was published; nothing if that is not told. */
  std::optional<time_point> published_at() const noexcept {
    return detail::moment(handle_ ? handle_->published_at : 0);
  }
  /** Whether anybody may see it; nothing if that is not told. */
  std::optional<bool> is_public() const noexcept {
    if (!handle_ || handle_->is_public < 0) return std::nullopt;
    return handle_->is_public != 0;
  }
  /** How many bytes were uploaded in all. */
  std::uint64_t bytes() const noexcept { return handle_ ? handle_->bytes : 0; }
  /** How many unfinished videos this upload may have left behind, which the service drops. */
  std::uint32_t videos_abandoned() const noexcept {
    return handle_ ? handle_->videos_abandoned : 0;
  }
  /** The video of apivideo.h; it stays this object's. */
  const av_uploaded_video *handle() const noexcept { return handle_.get(); }

 private:
  std::string_view text(const char *av_uploaded_video::*member) const noexcept {
    return handle_ ? detail::view(handle_.get()->*member) : std::string_view();
  }

  detail::owner<av_uploaded_video, av_uploaded_video_free> handle_;
};

/** @cond DETAIL */
namespace detail {

/* No exception may pass through C. */
template <class Function, class... Arguments>
void call_from_c(const Function &function, Arguments &&...arguments) noexcept {
#ifdef __cpp_exceptions
  try {
    function(std::forward<Arguments>(arguments)...);
  } catch (...) {
  }
#else
  function(std::forward<Arguments>(arguments)...);
#endif
}

/* What is wrong with them, a literal; nullptr if nothing is. What they call is not passed here. */
inline const char *to_c(const upload_params &from, av_upload_params &to) noexcept {
  const auto text = [](const std::optional<std::string> &it, const char *&member) {
    if (it) member = it->c_str();
    return !it || !has_nul(*it);
  };
  to.struct_size = sizeof to;
  to.token = from.token.c_str();
  if (has_nul(from.token)) return "invalid argument: params.token has a NUL in it";
  if (!text(from.video_id, to.video_id))
    return "invalid argument: params.video_id has a NUL in it";
  if (!text(from.file_name, to.file_name))
    return "invalid argument: params.file_name has a NUL in it";
  if (!text(from.resume, to.resume)) return "invalid argument: params.resume has a NUL in it";
  if (!to_c(from.part_bytes, to.part_bytes))
    return "invalid argument: params.part_bytes must be from 5242880 to 209715200, or 0";
  if (!to_c(from.max_bytes_per_second, to.max_bytes_per_second))
    return "invalid argument: params.max_bytes_per_second must not be negative";
  if (!to_c(from.parallel_parts, to.parallel_parts))
    return "invalid argument: params.parallel_parts must be from 0 to 16";
  if (!to_c(from.stall_timeout, to.stall_timeout_ms))
    return "invalid argument: params.stall_timeout is out of range";
  if (!to_c(from.answer_timeout, to.answer_timeout_ms))
    return "invalid argument: params.answer_timeout is out of range";
  if (!to_c(from.patience, to.patience_ms))
    return "invalid argument: params.patience is out of range";
  if (!to_c(from.progress_interval, to.progress_interval_ms))
    return "invalid argument: params.progress_interval is out of range";
  return nullptr;
}

/* What is wrong with them, a literal; nullptr if nothing is. */
inline const char *to_c(const list_params &from, av_tokens_list_params &to) noexcept {
  to.struct_size = sizeof to;
  to.sort_by = static_cast<std::int32_t>(from.sort_by);
  to.sort_order = static_cast<std::int32_t>(from.sort_order);
  if (!to_c(from.current_page, to.current_page))
    return "invalid argument: params.current_page must be from 1 to 4294967295, or 0";
  if (!to_c(from.page_size, to.page_size))
    return "invalid argument: params.page_size must be from 1 to 100, or 0";
  return nullptr;
}

/* The same. */
inline const char *to_c(const request_options &from, av_request_options &to) noexcept {
  to.struct_size = sizeof to;
  to.cancel = from.cancel ? from.cancel->handle() : nullptr;
  to.response = from.response != nullptr ? from.response->handle() : nullptr;
  if (!to_c(from.max_attempts, to.max_attempts))
    return "invalid argument: options.max_attempts must be from 1 to 4294967295, or 0";
  if (!to_c(from.timeout, to.timeout_ms))
    return "invalid argument: options.timeout must be from 1 ms to 4294967294 ms, or no_limit";
  return nullptr;
}

/* Does something with a stream that is read; what it throws comes out by `thrown`. False if the stream
 * has failed, for which its end does not count. */
template <class Function>
bool from_stream(std::istream &from, std::exception_ptr &thrown, Function function) noexcept {
#ifdef __cpp_exceptions
  try {
    function();
  } catch (...) {
    if (from.bad() || !from.eof()) thrown = std::current_exception();
  }
#else
  (void)thrown;
  function();
#endif
  return !from.bad() && (!from.fail() || from.eof()) && thrown == nullptr;
}

/* Seeks where the stream can, and reads otherwise. */
inline void skip(std::istream &from, std::uint64_t bytes) {
  const auto count = static_cast<std::streamoff>(bytes);
  if (count == 0 || !from) return;
  if (from.rdbuf()->pubseekoff(count, std::ios::cur, std::ios::in) == std::streampos(-1))
    from.ignore(count);
}

/* Makes the calls of one upload, and takes what they call back. A function object that throws has the
 * call cancelled, and what it threw comes with the call's failure. */
class upload_calls {
 public:
  explicit upload_calls(const upload_params &from) : progress_(from.progress), state_(from.state) {}
  upload_calls(const upload_calls &) = delete;
  upload_calls &operator=(const upload_calls &) = delete;

  /* Has the upload call back here, as long as this lives. */
  void listen(av_upload_params &to) noexcept {
    to.userdata = this;
    if (progress_)
      to.progress_fn = [](void *calls, const av_upload_progress *it) noexcept {
        const upload_progress progress = {it->bytes_confirmed,
                                          it->bytes_sent,
                                          it->bytes_total,
                                          it->bytes_repeated,
                                          it->parts_confirmed,
                                          it->parts_total,
                                          static_cast<upload_activity>(it->state),
                                          std::chrono::milliseconds(it->wait_ms)};
        static_cast<upload_calls *>(calls)->tell(&upload_calls::progress_, progress);
      };
    if (state_)
      to.state_fn = [](void *calls, const char *state) noexcept {
        static_cast<upload_calls *>(calls)->tell(&upload_calls::state_, std::string_view(state));
      };
  }

  /* Whether a function object has thrown in the call under way. */
  bool has_thrown() const noexcept { return thrown_ != nullptr; }

  /* Makes a call that hands out nothing: `function(options, error)`. */
  template <class Function>
  result<std::monostate> make(const request_options &options, Function function) noexcept {
    av_request_options to = {};
    av_error *failed = nullptr;
    if (const char *mistake = to_c(options, to)) return failure(mistake);
    const std::optional<cancel_source> outer = cancel_; /* if a function object makes this call */
    if (!options.cancel && !own_cancel_ && (progress_ || state_)) own_cancel_.emplace();
    cancel_ = options.cancel ? options.cancel : own_cancel_;
    if (cancel_) to.cancel = cancel_->handle();
    const av_status status_of_c = function(&to, &failed);
    cancel_ = outer;
    if (const std::exception_ptr thrown = std::exchange(thrown_, nullptr)) {
      own_cancel_.reset(); /* It stays cancelled, and others are to follow. */
      return ended(failed, static_cast<apivideo::status>(av_error_status(failed)), threw, thrown);
    }
    if (status_of_c != AV_STATUS_OK) return failure(failed);
    return std::monostate();
  }

  /* Makes a call that hands out the video: `function(options, out, error)`. */
  template <class Function>
  result<uploaded_video> make_video(const request_options &options, Function function) noexcept {
    av_uploaded_video *made = nullptr;
    const result<std::monostate> done =
        make(options, [&](const av_request_options *with, av_error **failed) {
          return function(with, &made, failed);
        });
    uploaded_video video(made);
    if (done) return video;
    if (made == nullptr) return done.error();
    /* It was too late to cancel it. */
    return failure(nullptr, {status::cancelled, outcome::applied, threw, "",
                             std::string(video.id()), done.error().thrown()});
  }

  /* The failure of a stream that is read, which may have thrown. `error` tells the state, unless
   * nothing has been written since `resume`. */
  static failure unreadable(av_error *error, const std::optional<std::string> &resume,
                            const std::exception_ptr &thrown) {
    return ended(error, status::source, "the stream that is uploaded cannot be read", thrown,
                 resume.value_or(""));
  }

 private:
  template <class Function, class Argument>
  void tell(Function upload_calls::*function, const Argument &argument) noexcept {
    if (thrown_) return; /* It is to end, and nobody listens any more. */
#ifdef __cpp_exceptions
    try {
      (this->*function)(argument);
    } catch (...) {
      thrown_ = std::current_exception();
      if (cancel_) cancel_->cancel(); /* unless it is being ended already */
    }
#else
    (this->*function)(argument);
#endif
  }

  static failure ended(av_error *error, apivideo::status status, const char *message,
                       const std::exception_ptr &thrown, std::string state = "") {
    if (const char *left = av_error_upload_state(error)) state = left;
    return failure(error,
                   {status, static_cast<apivideo::outcome>(av_error_outcome(error)), message,
                    std::move(state), std::string(view(av_error_upload_video_id(error))), thrown});
  }

  static constexpr const char *threw = "the upload was ended: a function object that it calls threw";

  std::function<void(const upload_progress &progress)> progress_;
  std::function<void(std::string_view state)> state_;
  std::optional<cancel_source> cancel_, own_cancel_; /* the first is that of the call under way */
  std::exception_ptr thrown_;
};

}  // namespace detail
/** @endcond */

// ---- Calls ----

/**
 * All tokens of all pages, one request a page, when it comes to it; made by client::tokens(). It
 * may outlive its client, and is for one thread at a time.
 *
 * `for (const auto &token : range)` throws what a page fails with; another such loop over the same
 * range goes on behind the last token that was told, and asks for a failed page again.
 */
class token_range {
 public:
  /** Goes to the next token, at first to the first. False at the end, or if error() tells why. */
  bool try_next() noexcept {
    av_request_options options = {};
    av_error *failed = nullptr;
    error_.reset();
    current_ = nullptr;
    if (const char *mistake = detail::to_c(options_, options))
      error_.emplace(mistake);
    else if (av_token_iter_next(handle_.get(), &options, &current_, &failed) != AV_STATUS_OK)
      error_.emplace(failed);
    return current_ != nullptr;
  }
  /** The token that was gone to; an empty one if there is none. The next one takes its place. */
  token_view current() const noexcept { return token_view(handle_ ? current_ : nullptr); }
  /** Why there is no next token; nothing at the end of them all. */
  const std::optional<failure> &error() const noexcept { return error_; }

#ifdef __cpp_exceptions
 private:
  struct cursor {
    const av_token *current() const noexcept {
      return range != nullptr ? range->current().handle() : nullptr;
    }
    void next() {
      if (!range->try_next() && range->error_) range->error_->raise();
    }
    token_range *range = nullptr;
  };

 public:
  /** A C++ input iterator over token_view, whose `++` throws what a page fails with. */
  using iterator = detail::token_iterator<cursor>;
  /** Goes to the next token, at first to the first; throws what that fails with. */
  iterator begin() { return ++iterator({this}); }
  /** Behind the last token. */
  iterator end() const noexcept { return iterator(); }
#endif

 private:
  friend class client;
  token_range(av_token_iter *handle, const request_options &options, std::shared_ptr<void> trace)
      : trace_(std::move(trace)), handle_(handle), options_(options) {}

  std::shared_ptr<void> trace_;
  detail::owner<av_token_iter, av_token_iter_free> handle_;
  request_options options_;
  const av_token *current_ = nullptr;
  std::optional<failure> error_;
};

/**
 * An upload of what is made meanwhile, such as a recording; made by client::begin_upload(). Pass its
 * bytes to write() as they come; finish() completes the video. It may outlive its client, and is for
 * one thread at a time; what it calls must neither use nor destroy it. Destroyed before finish(), it
 * leaves the video unfinished, and what is confirmed to who goes on from the state.
 *
 * Of the containers those may be sent while they are written that are never changed at their
 * beginning again: fragmented MP4, MPEG-TS, WebM; not plain MP4 or MOV.
 *
 * It takes the memory of upload_params::part_bytes, and of as many parts more as go at once.
 */
class upload_session {
 public:
  /** Takes the next bytes. Once a part is full and another byte follows it, that is sent; unless
   * parts go at once, the call blocks until it is confirmed. `options` are for this call.
   *
   * After a failure the upload is still there, and nothing that was taken is lost: write on from
   * offset(), or keep failure::upload_state(), and go on another day. */
  result<std::monostate> try_write(const void *data, std::size_t size,
                                   const request_options &options = {}) noexcept {
    if (!handle_) return failure(empty);
    return calls_->make(options, [&](const av_request_options *with, av_error **failed) {
      const av_status done = av_upload_write(handle(), data, size, with, failed);
      /* What threw came too late to cancel it, but is to be told with the state. */
      if (done == AV_STATUS_OK && calls_->has_thrown()) return ended(failed);
      return done;
    });
  }
  /** The same for bytes in a string. */
  result<std::monostate> try_write(std::string_view data,
                                   const request_options &options = {}) noexcept {
    return try_write(data.data(), data.size(), options);
  }
  /** A pointer does not tell how many bytes there are. */
  result<std::monostate> try_write(const char *, const request_options & = {}) = delete;

  /** Completes the upload: sends what is left as its last part. Nothing can be written after that.
   * If it fails, call it again; a failure::upload_state() is there to go on from, too. */
  result<uploaded_video> try_finish(const request_options &options = {}) noexcept {
    if (!handle_) return failure(empty);
    return calls_->make_video(options, [&](const av_request_options *with, av_uploaded_video **out,
                                           av_error **failed) {
      return av_upload_finish(handle(), with, out, failed);
    });
  }

#ifdef __cpp_exceptions
  /** As try_write(), throwing. */
  void write(const void *data, std::size_t size, const request_options &options = {}) {
    try_write(data, size, options).value();
  }
  /** The same for bytes in a string. */
  void write(std::string_view data, const request_options &options = {}) {
    try_write(data, options).value();
  }
  /** A pointer does not tell how many bytes there are. */
  void write(const char *, const request_options & = {}) = delete;
  /** As try_finish(), throwing. */
  uploaded_video finish(const request_options &options = {}) { return try_finish(options).value(); }
#endif

  /** How many bytes have been taken, from the very beginning of the film: where to write on. After a
   * resume that is what was confirmed; after a write that failed, it tells what of that was taken. */
  std::uint64_t offset() const noexcept { return av_upload_offset(handle()); }
  /** What another upload can go on from, for upload_params::resume; empty if there is nothing. It
   * is valid until the next call. */
  std::string_view state() const noexcept { return detail::view(av_upload_state(handle())); }
  /** The upload of apivideo.h; it stays this object's. */
  av_upload *handle() const noexcept { return handle_.get(); }

 private:
  friend class client;
  static constexpr const char *empty = "invalid argument: the upload was moved from";

  upload_session(av_upload *handle, std::unique_ptr<detail::upload_calls> calls,
                 std::shared_ptr<void> trace) noexcept
      : trace_(std::move(trace)), calls_(std::move(calls)), handle_(handle) {}

  /* Ends what is under way, and fails with the state that this leaves. Nothing is sent. */
  av_status ended(av_error **failed) const noexcept {
    const cancel_source cancel;
    av_request_options options = {};
    av_uploaded_video *none = nullptr;
    options.struct_size = sizeof options;
    options.cancel = cancel.handle();
    cancel.cancel();
    return av_upload_finish(handle(), &options, &none, failed);
  }

  /* Uploads all of a stream, which stands at the beginning of the film. */
  result<uploaded_video> take_all_of(std::istream &from, const upload_params &params,
                                     const request_options &options) noexcept {
    const auto begin = std::chrono::steady_clock::now();
    const std::unique_ptr<char[]> buffer(new char[piece]);
    const auto in_time = [&] {
      request_options left = options;
      if (options.timeout && *options.timeout != no_limit) {
        const auto gone = std::chrono::steady_clock::now() - begin;
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*options.timeout - gone);
        left.timeout = std::max(rest, std::chrono::milliseconds(1));
      }
      return left;
    };
    std::exception_ptr thrown;
    bool is_sound = detail::from_stream(from, thrown, [&] { detail::skip(from, offset()); });
    while (is_sound && !from.eof()) {
      is_sound = detail::from_stream(from, thrown, [&] { from.read(buffer.get(), piece); });
      if (from.gcount() == 0) continue;
      const auto size = static_cast<std::size_t>(from.gcount());
      const result<std::monostate> written = try_write(buffer.get(), size, in_time());
      if (!written) return written.error();
    }
    if (is_sound) return try_finish(in_time());
    av_error *left = nullptr;
    ended(&left);
    return detail::upload_calls::unreadable(left, params.resume, thrown);
  }

  static constexpr std::streamsize piece = 64 * 1024;

  std::shared_ptr<void> trace_;
  std::unique_ptr<detail::upload_calls> calls_;
  detail::owner<av_upload, av_upload_free> handle_;
};

/**
 * A client: one credential, one service, and the connections to it, which are kept open between
 * calls. Any number of threads may call through one client at once; a program rarely needs two.
 *
 * A call blocks until its answer is there, at most for its timeout; the statuses it may fail with
 * are told in apivideo.h. So are calls that hand out JSON, for fields that are not known here: they
 * take handle().
 */
class client {
 public:
  /** Makes a client. Nothing is sent, so that a wrong key shows with the first call. */
  static result<client> try_make(const config &from) noexcept {
    av_client_config to = {};
    const char *mistake = nullptr;
    const auto text = [&](const std::optional<std::string> &it, const char *&member,
                          const char *has_nul) {
      if (!it) return;
      member = it->c_str();
      if (detail::has_nul(*it)) mistake = has_nul;
    };
    const auto time = [&](const std::optional<std::chrono::milliseconds> &it,
                          std::uint32_t &member, const char *out_of_range) {
      if (!detail::to_c(it, member)) mistake = out_of_range;
    };

    to.struct_size = sizeof to;
    text(from.api_key, to.api_key, "invalid argument: config.api_key has a NUL in it");
    text(from.access_token, to.access_token,
         "invalid argument: config.access_token has a NUL in it");
    text(from.base_url, to.base_url, "invalid argument: config.base_url has a NUL in it");
    text(from.app_name, to.app_name, "invalid argument: config.app_name has a NUL in it");
    text(from.app_version, to.app_version, "invalid argument: config.app_version has a NUL in it");
    text(from.sdk_name, to.sdk_name, "invalid argument: config.sdk_name has a NUL in it");
    text(from.sdk_version, to.sdk_version, "invalid argument: config.sdk_version has a NUL in it");
    text(from.ca_file, to.ca_file, "invalid argument: config.ca_file has a NUL in it");
    text(from.proxy_url, to.proxy_url, "invalid argument: config.proxy_url has a NUL in it");
    time(from.timeout, to.timeout_ms, "invalid argument: config.timeout is out of range");
    time(from.connect_timeout, to.connect_timeout_ms,
         "invalid argument: config.connect_timeout is out of range");
    time(from.attempt_timeout, to.attempt_timeout_ms,
         "invalid argument: config.attempt_timeout is out of range");
    if (!detail::to_c(from.max_attempts, to.max_attempts))
      mistake = "invalid argument: config.max_attempts is out of range";
    if (mistake != nullptr) return failure(mistake);

    to.flags = (from.allow_plain_http ? AV_CLIENT_ALLOW_PLAIN_HTTP : 0) |
               (from.no_credential ? AV_CLIENT_NO_CREDENTIAL : 0);
    std::shared_ptr<trace_function> trace;
    if (from.trace) {
      trace = std::make_shared<trace_function>(from.trace);
      to.trace_fn = pass_trace;
      to.trace_userdata = trace.get();
      to.trace_level = static_cast<std::int32_t>(from.trace_level);
    }

    av_client *made = nullptr;
    av_error *failed = nullptr;
    if (av_client_new(&to, &made, &failed) != AV_STATUS_OK) return failure(failed);
    return client(made, std::move(trace));
  }

  /** Makes an upload token. Whoever has it can upload videos to the account, until it ends or is
   * removed. `ttl` is a length of time, 1 to 2147483647 s, or apivideo::never. Unless the outcome of
   * a failure is outcome::not_applied, a token may have been made that nobody knows of. */
  result<token> try_create(time_to_live ttl, const request_options &options = {}) const noexcept {
    const std::optional<std::uint32_t> seconds = ttl.to_c();
    if (!seconds)
      return failure("invalid argument: ttl must be from 1 s to 2147483647 s, or apivideo::never");
    return call<token, av_token>(options, av_tokens_create, *seconds);
  }

  /** Looks up one token that is active. */
  result<token> try_get(c_string id, const request_options &options = {}) const noexcept {
    if (id.has_nul()) return failure(nul_in_id);
    return call<token, av_token>(options, av_tokens_get, id.c_str());
  }

  /** Lists one page of the active tokens. */
  result<token_page> try_list(const list_params &params = {},
                              const request_options &options = {}) const noexcept {
    av_tokens_list_params to = {};
    if (const char *mistake = detail::to_c(params, to)) return failure(mistake);
    return call<token_page, av_token_page>(options, av_tokens_list, &to);
  }

  /** Revokes a token: nothing more can be uploaded with it. The result has nothing to tell but
   * whether it was done. */
  result<std::monostate> try_remove(c_string id,
                                    const request_options &options = {}) const noexcept {
    av_request_options to = {};
    av_error *failed = nullptr;
    if (id.has_nul()) return failure(nul_in_id);
    if (const char *mistake = detail::to_c(options, to)) return failure(mistake);
    if (av_tokens_delete(handle(), id.c_str(), &to, &failed) != AV_STATUS_OK)
      return failure(failed);
    return std::monostate();
  }

  /** All active tokens of all pages from `params.current_page` on, the oldest first unless `params`
   * sorts. Nothing is sent yet: the options are for each page. Removing tokens meanwhile skips
   * others: collect first, or list page 1 and remove until it is empty. */
  result<token_range> try_tokens(const list_params &params = {},
                                 const request_options &options = {}) const noexcept {
    av_tokens_list_params to = {};
    if (const char *mistake = detail::to_c(params, to)) return failure(mistake);
    av_token_iter *made = nullptr;
    av_error *failed = nullptr;
    if (av_tokens_iterate(handle(), &to, &made, &failed) != AV_STATUS_OK) return failure(failed);
    return token_range(made, options, trace_);
  }

  /** Uploads the file at `path` with a token, whether or not the client has a key. One call makes at
   * most one video that plays; after a failure, another goes on from failure::upload_state(). It is
   * for `options.timeout` to bound it: that of the client does not, for it may take hours. */
  result<uploaded_video> try_upload(c_string path, const upload_params &params,
                                    const request_options &options = {}) const noexcept {
    av_upload_params to = {};
    detail::upload_calls calls(params);
    if (path.has_nul()) return failure("invalid argument: path has a NUL in it");
    if (const char *mistake = detail::to_c(params, to)) return failure(mistake);
    calls.listen(to);
    return calls.make_video(options, [&](const av_request_options *with, av_uploaded_video **out,
                                         av_error **failed) {
      return av_upload_file(handle(), path.c_str(), &to, with, out, failed);
    });
  }

  /** The same for what a stream gives until its end, while it comes, as from a pipe or `std::cin`; of
   * what form that may be, upload_session tells. A stream that cannot be read fails with
   * status::source and the state; what it throws, if it is made to, is failure::thrown().
   *
   * It begins where the stream stands. To go on, pass the same film from the same place on: what is
   * confirmed is passed over, by seeking where the stream can, otherwise by reading. */
  result<uploaded_video> try_upload(std::istream &from, const upload_params &params,
                                    const request_options &options = {}) const noexcept {
    av_request_options checked = {};
    if (const char *mistake = detail::to_c(options, checked)) return failure(mistake);
    result<upload_session> session = try_begin_upload(params);
    if (!session) return session.error();
    return session->take_all_of(from, params, options);
  }

  /** Begins to upload what is made meanwhile, or goes on from `params.resume`: with the bytes from
   * upload_session::offset() on, which must be the same. Nothing is sent yet. */
  result<upload_session> try_begin_upload(const upload_params &params) const noexcept {
    av_upload_params to = {};
    av_upload *made = nullptr;
    av_error *failed = nullptr;
    if (const char *mistake = detail::to_c(params, to)) return failure(mistake);
    auto calls = std::make_unique<detail::upload_calls>(params);
    calls->listen(to);
    if (av_upload_begin(handle(), &to, &made, &failed) != AV_STATUS_OK) return failure(failed);
    return upload_session(made, std::move(calls), trace_);
  }

#ifdef __cpp_exceptions
  /** As try_make(), throwing. */
  explicit client(const config &from) : client(try_make(from).value()) {}
  /** As try_create(), throwing. */
  [[nodiscard]] token create(time_to_live ttl, const request_options &options = {}) const {
    return try_create(ttl, options).value();
  }
  /** As try_get(), throwing. */
  token get(c_string id, const request_options &options = {}) const {
    return try_get(id, options).value();
  }
  /** As try_list(), throwing. */
  token_page list(const list_params &params = {}, const request_options &options = {}) const {
    return try_list(params, options).value();
  }
  /** As try_remove(), throwing. */
  void remove(c_string id, const request_options &options = {}) const {
    try_remove(id, options).value();
  }
  /** As try_upload(), throwing: `client.upload("film.mp4", {token})`. */
  uploaded_video upload(c_string path, const upload_params &params,
                        const request_options &options = {}) const {
    return try_upload(path, params, options).value();
  }
  /** The same for a stream: `client.upload(std::cin, {token})`. */
  uploaded_video upload(std::istream &from, const upload_params &params,
                        const request_options &options = {}) const {
    return try_upload(from, params, options).value();
  }
  /** As try_begin_upload(), throwing. */
  upload_session begin_upload(const upload_params &params) const {
    return try_begin_upload(params).value();
  }
  /** As try_tokens(), throwing: `for (const auto &token : client.tokens())`. */
  token_range tokens(const list_params &params = {}, const request_options &options = {}) const {
    return try_tokens(params, options).value();
  }
#endif

  /** The client of apivideo.h; it stays this object's. */
  const av_client *handle() const noexcept { return handle_.get(); }

 private:
  static constexpr const char *nul_in_id = "invalid argument: the token has a NUL in it";

  client(av_client *handle, std::shared_ptr<void> trace) noexcept
      : trace_(std::move(trace)), handle_(handle) {}

  static void pass_trace(void *function, std::int32_t level, const char *line) noexcept {
    detail::call_from_c(*static_cast<const trace_function *>(function),
                        static_cast<trace_level>(level), line);
  }

  template <class T, class Handle, class Function, class Argument>
  result<T> call(const request_options &options, Function function,
                 Argument argument) const noexcept {
    av_request_options to = {};
    Handle *made = nullptr;
    av_error *failed = nullptr;
    if (const char *mistake = detail::to_c(options, to)) return failure(mistake);
    if (function(handle(), argument, &to, &made, &failed) != AV_STATUS_OK) return failure(failed);
    return T(made);
  }

  std::shared_ptr<void> trace_; /* what the client calls outlives it */
  detail::owner<av_client, av_client_free> handle_;
};

}  // namespace apivideo

#endif  // APIVIDEO_HPP
