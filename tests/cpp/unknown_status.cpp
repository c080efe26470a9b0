// A status that a later library tells is thrown as apivideo::error itself. The linker puts this
// program's function in the place of av_error_status (`--wrap`), which tells such a one.
#include "support/scene.hpp"

extern "C" av_status __wrap_av_error_status(const av_error *) { return 99; }

int main() {
  scripted_peer server;
  server.answer("404 Not Found", "{\"title\":\"None.\"}");
  try {
    apivideo::client(config_for(server.url())).get("t");
    CHECK(!"thrown");
  } catch (const apivideo::error &error) {
    CHECK(typeid(error) == typeid(apivideo::error));
    CHECK(static_cast<int>(error.status()) == 99);
    CHECK(error.problem().title == "None.");
  }
  return checks_report();
}
