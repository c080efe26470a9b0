/* Times, as text. */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

struct text text(const char *format, ...) {
  struct text result;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(result.chars, sizeof result.chars, format, arguments);
  va_end(arguments);
  return result;
}

struct text local_date(int64_t seconds) {
  struct text date = text("unknown");
  struct tm parts;
  time_t moment = (time_t)seconds;
  if (localtime_r(&moment, &parts) != NULL)
    strftime(date.chars, sizeof date.chars, "%Y-%m-%d %H:%M:%S", &parts);
  return date;
}

/* In the form of RFC 3339 that the service uses. */
struct text utc_date(int64_t seconds) {
  struct text date = text("unknown");
  struct tm parts;
  time_t moment = (time_t)seconds;
  if (gmtime_r(&moment, &parts) != NULL)
    strftime(date.chars, sizeof date.chars, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return date;
}

struct text creation(int64_t created_at) {
  return created_at != 0 ? local_date(created_at) : text("unknown");
}

struct text expiry(int64_t expires_at, int32_t ttl_seconds) {
  if (expires_at != 0) return local_date(expires_at);
  return text(ttl_seconds == 0 ? "never" : "unknown");
}

/* In one unit, as --ttl takes it. */
struct text time_to_live(int32_t seconds) {
  if (seconds < 0) return text("unknown");
  if (seconds == 0) return text("forever");
  if (seconds % 86400 == 0) return text("%" PRId32 "d", seconds / 86400);
  if (seconds % 3600 == 0) return text("%" PRId32 "h", seconds / 3600);
  if (seconds % 60 == 0) return text("%" PRId32 "m", seconds / 60);
  return text("%" PRId32 "s", seconds);
}

/* In its two largest units: nobody plans by the seconds of next week. */
struct text duration(int64_t seconds) {
  const int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  if (seconds < minute) return text("%" PRId64 "s", seconds);
  if (seconds < hour) return text("%" PRId64 "m %" PRId64 "s", seconds / minute, seconds % minute);
  if (seconds < day)
    return text("%" PRId64 "h %" PRId64 "m", seconds / hour, seconds % hour / minute);
  return text("%" PRId64 "d %" PRId64 "h", seconds / day, seconds % day / hour);
}

struct text time_left(int64_t expires_at, int32_t ttl_seconds, int64_t now) {
  if (expires_at == 0) return text(ttl_seconds == 0 ? "forever" : "unknown");
  if (expires_at <= now) return text("expired"); /* by our clock, which need not be the service's */
  return duration(expires_at - now);
}
