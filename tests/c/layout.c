/* The layout of the public structs, and the values of the constants: what a program has compiled in.
 * A change here is a change of the ABI (docs/ABI.md). Of two numbers the first is that of 64 bits, the
 * second that of 32, which is the same whether 64-bit integers are aligned to eight bytes there (Arm) or to
 * four (x86). */
#include "support/check.h"

#include <apivideo.h>
#include <assert.h>

/* What holds for pointers of 64 bits, or of 32. */
#define BITS(of_64, of_32) (UINTPTR_MAX > UINT32_MAX ? (of_64) : (of_32))

/* A member as it must lie: tables list them in their order, so that gaps show. */
typedef struct member {
  const char *name;
  size_t offset, size, wanted_offset, wanted_size;
} member;

/* Asserted by the compiler besides, so that a program of the same compiler sees the same. */
static_assert(sizeof(void *) == BITS(8, 4) && sizeof(size_t) == sizeof(void *), "this test is for 64 or 32 bits");
static_assert(sizeof(av_client_config) == BITS(120, 72), "av_client_config");
static_assert(sizeof(av_request_options) == BITS(32, 20), "av_request_options");
static_assert(sizeof(av_tokens_list_params) == BITS(24, 20), "av_tokens_list_params");
static_assert(sizeof(av_token) == BITS(72, 64), "av_token");
static_assert(sizeof(av_token_page) == BITS(72, 64), "av_token_page");
static_assert(sizeof(av_upload_progress) == 80, "av_upload_progress");
static_assert(sizeof(av_upload_params) == BITS(104, 72), "av_upload_params");
static_assert(sizeof(av_uploaded_video) == BITS(144, 104), "av_uploaded_video");
static_assert(sizeof(av_status) == 4, "av_status");
static_assert(sizeof(av_trace_fn) == BITS(8, 4), "av_trace_fn");

/* Where it begins and how long it is, with 64 bits and with 32. */
#define MEMBER(type, name, offset_64, size_64, offset_32, size_32)     \
  {#type "." #name, offsetof(type, name), sizeof(((type *)0)->name), \
   BITS(offset_64, offset_32), BITS(size_64, size_32)}

static const member client_config[] = {
    MEMBER(av_client_config, struct_size, 0, 8, 0, 4),
    MEMBER(av_client_config, api_key, 8, 8, 4, 4),
    MEMBER(av_client_config, access_token, 16, 8, 8, 4),
    MEMBER(av_client_config, base_url, 24, 8, 12, 4),
    MEMBER(av_client_config, app_name, 32, 8, 16, 4),
    MEMBER(av_client_config, app_version, 40, 8, 20, 4),
    MEMBER(av_client_config, sdk_name, 48, 8, 24, 4),
    MEMBER(av_client_config, sdk_version, 56, 8, 28, 4),
    MEMBER(av_client_config, ca_file, 64, 8, 32, 4),
    MEMBER(av_client_config, proxy_url, 72, 8, 36, 4),
    MEMBER(av_client_config, trace_fn, 80, 8, 40, 4),
    MEMBER(av_client_config, trace_userdata, 88, 8, 44, 4),
    MEMBER(av_client_config, timeout_ms, 96, 4, 48, 4),
    MEMBER(av_client_config, connect_timeout_ms, 100, 4, 52, 4),
    MEMBER(av_client_config, attempt_timeout_ms, 104, 4, 56, 4),
    MEMBER(av_client_config, max_attempts, 108, 4, 60, 4),
    MEMBER(av_client_config, trace_level, 112, 4, 64, 4),
    MEMBER(av_client_config, flags, 116, 4, 68, 4),
};

static const member request_options[] = {
    MEMBER(av_request_options, struct_size, 0, 8, 0, 4),
    MEMBER(av_request_options, cancel, 8, 8, 4, 4),
    MEMBER(av_request_options, response, 16, 8, 8, 4),
    MEMBER(av_request_options, timeout_ms, 24, 4, 12, 4),
    MEMBER(av_request_options, max_attempts, 28, 4, 16, 4),
};

static const member tokens_list_params[] = {
    MEMBER(av_tokens_list_params, struct_size, 0, 8, 0, 4),
    MEMBER(av_tokens_list_params, current_page, 8, 4, 4, 4),
    MEMBER(av_tokens_list_params, page_size, 12, 4, 8, 4),
    MEMBER(av_tokens_list_params, sort_by, 16, 4, 12, 4),
    MEMBER(av_tokens_list_params, sort_order, 20, 4, 16, 4),
};

static const member token[] = {
    MEMBER(av_token, created_at, 0, 8, 0, 8),
    MEMBER(av_token, expires_at, 8, 8, 8, 8),
    MEMBER(av_token, reserved, 16, 32, 16, 32),
    MEMBER(av_token, token, 48, 8, 48, 4),
    MEMBER(av_token, reserved_pointer, 56, 8, 52, 4),
    MEMBER(av_token, ttl_seconds, 64, 4, 56, 4),
    MEMBER(av_token, reserved32, 68, 4, 60, 4),
};

static const member token_page[] = {
    MEMBER(av_token_page, items_total, 0, 8, 0, 8),
    MEMBER(av_token_page, reserved, 8, 32, 8, 32),
    MEMBER(av_token_page, items, 40, 8, 40, 4),
    MEMBER(av_token_page, count, 48, 8, 44, 4),
    MEMBER(av_token_page, current_page, 56, 4, 48, 4),
    MEMBER(av_token_page, pages_total, 60, 4, 52, 4),
    MEMBER(av_token_page, page_size, 64, 4, 56, 4),
    MEMBER(av_token_page, reserved32, 68, 4, 60, 4),
};

static const member upload_progress[] = {
    MEMBER(av_upload_progress, bytes_confirmed, 0, 8, 0, 8),
    MEMBER(av_upload_progress, bytes_sent, 8, 8, 8, 8),
    MEMBER(av_upload_progress, bytes_total, 16, 8, 16, 8),
    MEMBER(av_upload_progress, bytes_repeated, 24, 8, 24, 8),
    MEMBER(av_upload_progress, reserved, 32, 32, 32, 32),
    MEMBER(av_upload_progress, parts_confirmed, 64, 4, 64, 4),
    MEMBER(av_upload_progress, parts_total, 68, 4, 68, 4),
    MEMBER(av_upload_progress, state, 72, 4, 72, 4),
    MEMBER(av_upload_progress, wait_ms, 76, 4, 76, 4),
};

static const member upload_params[] = {
    MEMBER(av_upload_params, struct_size, 0, 8, 0, 4),
    MEMBER(av_upload_params, token, 8, 8, 4, 4),
    MEMBER(av_upload_params, video_id, 16, 8, 8, 4),
    MEMBER(av_upload_params, file_name, 24, 8, 12, 4),
    MEMBER(av_upload_params, resume, 32, 8, 16, 4),
    MEMBER(av_upload_params, progress_fn, 40, 8, 20, 4),
    MEMBER(av_upload_params, state_fn, 48, 8, 24, 4),
    MEMBER(av_upload_params, userdata, 56, 8, 28, 4),
    MEMBER(av_upload_params, part_bytes, 64, 8, 32, 8),
    MEMBER(av_upload_params, max_bytes_per_second, 72, 8, 40, 8),
    MEMBER(av_upload_params, parallel_parts, 80, 4, 48, 4),
    MEMBER(av_upload_params, stall_timeout_ms, 84, 4, 52, 4),
    MEMBER(av_upload_params, answer_timeout_ms, 88, 4, 56, 4),
    MEMBER(av_upload_params, patience_ms, 92, 4, 60, 4),
    MEMBER(av_upload_params, progress_interval_ms, 96, 4, 64, 4),
    MEMBER(av_upload_params, flags, 100, 4, 68, 4),
};

static const member uploaded_video[] = {
    MEMBER(av_uploaded_video, created_at, 0, 8, 0, 8),
    MEMBER(av_uploaded_video, published_at, 8, 8, 8, 8),
    MEMBER(av_uploaded_video, bytes, 16, 8, 16, 8),
    MEMBER(av_uploaded_video, reserved, 24, 32, 24, 32),
    MEMBER(av_uploaded_video, video_id, 56, 8, 56, 4),
    MEMBER(av_uploaded_video, title, 64, 8, 60, 4),
    MEMBER(av_uploaded_video, player_url, 72, 8, 64, 4),
    MEMBER(av_uploaded_video, iframe_html, 80, 8, 68, 4),
    MEMBER(av_uploaded_video, hls_url, 88, 8, 72, 4),
    MEMBER(av_uploaded_video, mp4_url, 96, 8, 76, 4),
    MEMBER(av_uploaded_video, thumbnail_url, 104, 8, 80, 4),
    MEMBER(av_uploaded_video, json, 112, 8, 84, 4),
    MEMBER(av_uploaded_video, reserved_pointers, 120, 16, 88, 8),
    MEMBER(av_uploaded_video, is_public, 136, 4, 96, 4),
    MEMBER(av_uploaded_video, videos_abandoned, 140, 4, 100, 4),
};

/* Each member lies where it must, right behind the one before, and the last one ends the struct:
 * there is no padding, whose bytes nobody would have set. */
static void check_members(const member *members, size_t count, size_t struct_size) {
  size_t i, end = 0;
  for (i = 0; i < count; i++) {
    const member *it = &members[i];
    CHECK_ROW(it->name, it->offset == it->wanted_offset);
    CHECK_ROW(it->name, it->size == it->wanted_size);
    CHECK_ROW(it->name, it->offset == end);
    end = it->offset + it->size;
  }
  CHECK_ROW(members[0].name, end == struct_size);
}

#define CHECK_MEMBERS(members, type) \
  check_members(members, sizeof members / sizeof *members, sizeof(type))

static void structs_lie_as_published_without_padding(void) {
  CHECK_MEMBERS(client_config, av_client_config);
  CHECK_MEMBERS(request_options, av_request_options);
  CHECK_MEMBERS(tokens_list_params, av_tokens_list_params);
  CHECK_MEMBERS(token, av_token);
  CHECK_MEMBERS(token_page, av_token_page);
  CHECK_MEMBERS(upload_progress, av_upload_progress);
  CHECK_MEMBERS(upload_params, av_upload_params);
  CHECK_MEMBERS(uploaded_video, av_uploaded_video);
}

typedef struct constant {
  const char *name;
  int64_t value, wanted;
} constant;

#define CONSTANT(name, value) {#name, name, value}

static const constant statuses[] = {
    CONSTANT(AV_STATUS_OK, 0),
    CONSTANT(AV_STATUS_INVALID_ARGUMENT, 1),
    CONSTANT(AV_STATUS_CONNECT, 2),
    CONSTANT(AV_STATUS_TLS, 3),
    CONSTANT(AV_STATUS_TRANSPORT, 4),
    CONSTANT(AV_STATUS_TIMEOUT, 5),
    CONSTANT(AV_STATUS_CANCELLED, 6),
    CONSTANT(AV_STATUS_UNAUTHORIZED, 7),
    CONSTANT(AV_STATUS_NOT_FOUND, 8),
    CONSTANT(AV_STATUS_REJECTED, 9),
    CONSTANT(AV_STATUS_RATE_LIMITED, 10),
    CONSTANT(AV_STATUS_SERVER, 11),
    CONSTANT(AV_STATUS_DECODE, 12),
    CONSTANT(AV_STATUS_INTERNAL, 13),
    CONSTANT(AV_STATUS_SOURCE, 14),
};

static const constant outcomes[] = {
    CONSTANT(AV_OUTCOME_UNKNOWN, 0),
    CONSTANT(AV_OUTCOME_NOT_APPLIED, 1),
    CONSTANT(AV_OUTCOME_APPLIED, 2),
};

static const constant others[] = {
    CONSTANT(AV_TOKEN_SORT_DEFAULT, 0),
    CONSTANT(AV_TOKEN_SORT_CREATED_AT, 1),
    CONSTANT(AV_TOKEN_SORT_TTL, 2),
    CONSTANT(AV_SORT_DEFAULT, 0),
    CONSTANT(AV_SORT_ASC, 1),
    CONSTANT(AV_SORT_DESC, 2),
    CONSTANT(AV_TRACE_OFF, 0),
    CONSTANT(AV_TRACE_ERROR, 1),
    CONSTANT(AV_TRACE_INFO, 2),
    CONSTANT(AV_TRACE_DEBUG, 3),
    CONSTANT(AV_CLIENT_ALLOW_PLAIN_HTTP, 1),
    CONSTANT(AV_CLIENT_NO_CREDENTIAL, 2),
    CONSTANT(AV_UPLOAD_SENDING, 0),
    CONSTANT(AV_UPLOAD_WAITING_FOR_ANSWER, 1),
    CONSTANT(AV_UPLOAD_WAITING_TO_RETRY, 2),
    CONSTANT(AV_UPLOAD_WAITING_FOR_RATE_LIMIT, 3),
};

/* The preprocessor knows them too. */
#if AV_STATUS_OK != 0 || AV_STATUS_INTERNAL != 13 || AV_CLIENT_ALLOW_PLAIN_HTTP != 1
#error "the constants are not for #if"
#endif

static void check_constants(const constant *constants, size_t count) {
  size_t i;
  for (i = 0; i < count; i++) CHECK_ROW(constants[i].name, constants[i].value == constants[i].wanted);
}

#define COUNT(table) (sizeof table / sizeof *table)

static void constants_have_their_published_values(void) {
  check_constants(statuses, COUNT(statuses));
  check_constants(outcomes, COUNT(outcomes));
  check_constants(others, COUNT(others));
}

static void a_status_or_outcome_is_called_by_its_constant(void) {
  static const int32_t unknown_statuses[] = {-1, 15, 1000, INT32_MAX, INT32_MIN};
  static const int32_t unknown_outcomes[] = {-1, 3, 1000, INT32_MAX, INT32_MIN};
  size_t i;
  for (i = 0; i < COUNT(statuses); i++)
    CHECK_ROW(statuses[i].name, texts_equal(av_status_name((av_status)statuses[i].value), statuses[i].name));
  for (i = 0; i < COUNT(outcomes); i++)
    CHECK_ROW(outcomes[i].name, texts_equal(av_outcome_name((int32_t)outcomes[i].value), outcomes[i].name));
  for (i = 0; i < COUNT(unknown_statuses); i++)
    CHECK(texts_equal(av_status_name(unknown_statuses[i]), "AV_STATUS_(unknown)"));
  for (i = 0; i < COUNT(unknown_outcomes); i++)
    CHECK(texts_equal(av_outcome_name(unknown_outcomes[i]), "AV_OUTCOME_(unknown)"));
}

static void header_and_library_are_of_one_version(void) {
  char composed[64];
  snprintf(composed, sizeof composed, "%d.%d.%d", APIVIDEO_VERSION_MAJOR, APIVIDEO_VERSION_MINOR,
           APIVIDEO_VERSION_PATCH);
  CHECK(texts_equal(APIVIDEO_VERSION, composed));
  CHECK(texts_equal(APIVIDEO_VERSION, av_library_version()));
  /* A static string, not a new one each time. */
  CHECK(av_library_version() == av_library_version());
}

static void the_services_are_at_their_published_urls(void) {
  CHECK(texts_equal(APIVIDEO_PRODUCTION_URL, "https://ws.api.video"));
  CHECK(texts_equal(APIVIDEO_SANDBOX_URL, "https://sandbox.api.video"));
}

int main(void) {
  structs_lie_as_published_without_padding();
  constants_have_their_published_values();
  a_status_or_outcome_is_called_by_its_constant();
  header_and_library_are_of_one_version();
  the_services_are_at_their_published_urls();
  return checks_report();
}
