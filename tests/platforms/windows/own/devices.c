/* What has a name but is no file to upload: devices, pipes and directories are refused in words, at once. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"

#include <windows.h>

/* What is there everywhere is told by what it is; what depends on the machine, or that it cannot be opened. */
typedef struct row {
  const char *path;
  int is_there;
  const char *words;
} row;

static void try_row(const av_client *client, const row *it) {
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  const char *message;
  av_status status;
  double took = now_ms();
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = "to1";
  status = av_upload_file(client, it->path, &params, NULL, &video, &error);
  message = error ? av_error_message(error) : "";
  printf("%s: %s, %s\n", it->path, av_status_name(status), message);
  CHECK_ROW(it->path, video == NULL && strstr(message, "nothing was sent"));
  if (it->is_there)
    CHECK_ROW(it->path, status == AV_STATUS_INVALID_ARGUMENT && strstr(message, it->words));
  else
    CHECK_ROW(it->path, (status == AV_STATUS_SOURCE && strstr(message, "cannot be ")) ||
                            (status == AV_STATUS_INVALID_ARGUMENT && strstr(message, it->words)));
  took = now_ms() - took;
  CHECK_WITHIN(it->path, &took, 1, 5000);
  av_error_free(error);
}

int main(void) {
  static const row rows[] = {
      {"NUL", 1, "is no regular file"},
      {"nul", 1, "is no regular file"},
      {"\\\\.\\NUL", 1, "is no regular file"},
      {"\\\\.\\pipe\\apivideo-devices", 1, "is no regular file"},
      {"C:\\", 1, "is a directory"},
      {"C:\\windows", 1, "is a directory"},
      {"C:/windows/", 1, "is a directory"},
      {".", 1, "is a directory"},
      {"CON", 0, "is no regular file"},
      {"CONIN$", 0, "is no regular file"},
      {"AUX", 0, "is no regular file"},
      {"COM1", 0, "is no regular file"},
      {"LPT1", 0, "is no regular file"},
      {"\\\\.\\pipe\\apivideo-devices-none", 0, ""},
      {"\\\\.\\PhysicalDrive0", 0, "is no regular file"},
      {"C:\\windows\\none\\film.mp4", 0, ""},
      {"?*<>|", 0, ""},
  };
  av_client *client = client_for("http://127.0.0.1:1");
  /* Without whoever reads or writes there: to open it is to be its client. */
  HANDLE pipe = CreateNamedPipeA("\\\\.\\pipe\\apivideo-devices", PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE,
                                 PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, NULL);
  size_t i;
  CHECK(pipe != INVALID_HANDLE_VALUE);
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) try_row(client, &rows[i]);
  CloseHandle(pipe);
  av_client_free(client);
  return checks_report();
}
