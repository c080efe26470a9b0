/* What is told while a file is uploaded, held against the stand-in's ledger at each moment of it, while the service
 * fails and loses answers: no more is confirmed than the service has, what was confirmed stays so, and all is told on
 * the calling thread. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/uploads.h"

#include <pthread.h>

#define TITLE "film.mp4"

typedef struct listener {
  const source *of;
  const char *url;
  pthread_t thread;
  int elsewhere, told, states;
  int too_much, went_back, too_many_bytes, too_many_parts, of_no_state;
  uint64_t confirmed, most_repeated;
} listener;

/* The bytes that all videos of the title have: another one may have been begun anew. */
static uint64_t has_bytes(const listener *it) {
  ledger now = ledger_of(it->url);
  stored has = stored_in(now.text, TITLE, it->of);
  ledger_free(&now);
  return has.bytes;
}

static void progress(void *userdata, const av_upload_progress *now) {
  listener *it = (listener *)userdata;
  it->told++;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
  it->too_much += now->bytes_confirmed > has_bytes(it);
  it->went_back += now->bytes_confirmed < it->confirmed;
  it->too_many_bytes += now->bytes_confirmed + now->bytes_sent > now->bytes_total || now->bytes_total != it->of->size;
  it->too_many_parts += now->parts_confirmed > now->parts_total || now->parts_total != 4;
  it->of_no_state += now->state < AV_UPLOAD_SENDING || now->state > AV_UPLOAD_WAITING_FOR_RATE_LIMIT;
  it->confirmed = now->bytes_confirmed;
  it->most_repeated = now->bytes_repeated > it->most_repeated ? now->bytes_repeated : it->most_repeated;
}

static void keep_state(void *userdata, const char *state) {
  listener *it = (listener *)userdata;
  (void)state;
  it->states++;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
}

static void watched(const source *of, const char *faults, const char *seed, listener *it) {
  const char *arguments[] = {"--api-key",   "test-key", "--seed", "1", "--fail-rate", faults, "--drop-rate", faults,
                             "--random-seed", seed,     NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status;
  av_upload_params params;
  ledger now = ledger_of(local_api_url(service));
  char token[64], state[4200] = "";
  int calls = 0;
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  config.max_attempts = 10;
  client = client_of(&config);
  params = quick_params(token, TITLE);
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.progress_fn = progress;
  params.state_fn = keep_state;
  params.userdata = it;
  params.progress_interval_ms = 5;
  it->of = of;
  it->url = local_api_url(service);
  it->thread = pthread_self();
  it->confirmed = 0;
  do {
    params.resume = state[0] ? state : NULL;
    status = av_upload_file(client, of->path, &params, NULL, &video, &error);
    state[0] = 0;
    if (av_error_upload_state(error)) snprintf(state, sizeof state, "%s", av_error_upload_state(error));
    else if (error) it->confirmed = 0;
    av_error_free(error);
    error = NULL;
  } while (status != AV_STATUS_OK && ++calls < 10);
  CHECK_ROW(seed, status == AV_STATUS_OK);
  CHECK_ROW(seed, it->confirmed == of->size);
  now = ledger_of(local_api_url(service));
  CHECK_ROW(seed, uploads_number(now.text, "with_authorization") == 0);
  CHECK_ROW(seed, stored_in(now.text, TITLE, of).right == 1);
  ledger_free(&now);
  av_uploaded_video_free(video);
  av_client_free(client);
  local_api_stop(service);
}

int main(void) {
  source of = source_of(3 * SMALLEST_PART + 1000);
  listener it;
  int seed;
  memset(&it, 0, sizeof it);
  watched(&of, "0", "1", &it);
  CHECK(it.states == 3 && it.most_repeated == 0);
  for (seed = 1; seed <= 10; seed++) {
    char text[12];
    snprintf(text, sizeof text, "%d", seed);
    watched(&of, "20", text, &it);
  }
  CHECK(it.elsewhere == 0);
  CHECK(it.too_much == 0);
  CHECK(it.went_back == 0);
  CHECK(it.too_many_bytes == 0);
  CHECK(it.too_many_parts == 0);
  CHECK(it.of_no_state == 0);
  /* Something did go wrong. */
  CHECK(it.most_repeated > 0);
  printf("uploads, progress: told %d times, states %d, confirmed beyond the ledger %d, gone back %d, on other threads %d\n",
         it.told, it.states, it.too_much, it.went_back, it.elsewhere);
  source_delete(&of);
  return checks_report();
}
