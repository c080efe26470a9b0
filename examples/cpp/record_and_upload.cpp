// record_and_upload: uploads what comes on standard input while it comes, as from a recorder:
//
//   ffmpeg -i CAMERA -c copy -f mpegts - | record_and_upload TOKEN [TITLE]
//
// MPEG-TS, WebM and fragmented MP4 (-movflags frag_keyframe+empty_moov) may be sent while they are
// written; plain MP4 may not: its head is written last. Three parts go at once, so that reading goes
// on while they are under way. What the network loses is sent again, from memory.
#include <apivideo.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

static std::optional<std::string> text(const char *it) {
  return it != nullptr ? std::optional<std::string>(it) : std::nullopt;
}

int main(int argc, char **argv) {
#ifdef _WIN32
  _setmode(_fileno(stdin), _O_BINARY); // or it is taken for text
#endif
  apivideo::config config;
  config.no_credential = true;
  config.base_url = text(std::getenv("APIVIDEO_BASE_URL"));

  apivideo::upload_params params;
  params.token = argc > 1 ? argv[1] : "";
  params.file_name = text(argc > 2 ? argv[2] : nullptr);
  params.parallel_parts = 3;
  params.progress = [](const apivideo::upload_progress &now) {
    std::cerr << '\r' << now.bytes_confirmed << " bytes are there, " << now.bytes_sent << " under way  ";
  };

  try {
    const auto video = apivideo::client(config).upload(std::cin, params);
    std::cout << video.id() << " is whole: " << video.bytes() << " bytes\n";
  } catch (const apivideo::error &error) {
    std::cerr << '\n' << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
