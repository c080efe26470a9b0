# Judges what the loader bound for a program that uses FFmpeg and us; prints what is wrong, and exits
# with 1 if anything is.
#   awk -f bindings.awk -v program=NAME -v ours=FILE WANTED STRONG LOG
# `ours` is the file we are in: libapivideo.so.0.1, or the program itself if we are linked statically.
# WANTED: the names that the program's own object file refers to, one a line.
# STRONG: the names that the program defines, but for weak ones and copies of a library's data.
# LOG: what LD_DEBUG=bindings tells.

function base(path) { sub(/.*\//, "", path); return path }
function is_ffmpeg(file) { return file ~ /^lib(av(codec|device|filter|format|util)|swresample|swscale|postproc)\.so/ }
function wrong(what) { failures++; printf "%s: %s binds to %s: %s\n", what, from, to, name }

FILENAME == ARGV[1] { wanted[$1] = 1; next }
FILENAME == ARGV[2] { strong[$1] = 1; next }

/binding file .* symbol `/ {
  line = $0
  sub(/.*binding file /, "", line)
  split(line, part, " ")
  from = base(part[1])
  to = base(part[4])
  name = line
  sub(/.*symbol `/, "", name)
  sub(/'.*/, "", name)
  bindings++

  if (to == ours && from != ours && from != program) {
    # What the program shares with its libraries without our doing: weak templates of C++, stderr.
    if (ours != program || name in strong) wrong("a library's name is taken over by us")
  }
  if (from == ours && ours != program && is_ffmpeg(to)) wrong("a name of ours is FFmpeg's")
  if (from == program && (is_ffmpeg(to) || to == ours) && to != program && !(name in wanted))
    wrong("a name that the program does not ask for")
  if (is_ffmpeg(from) && (to == program || to == ours) && name ~ /^(av|ff|sws|swr)/)
    wrong("a name of FFmpeg is taken over")

  # That the log tells what it should: what the program uses is bound to where it is.
  if (from == program && to == ours && name == "av_tokens_create") seen["us"] = 1
  if (from == program && to ~ /^libavutil/ && name == "av_malloc") seen["libavutil"] = 1
  if (from == program && to ~ /^libavformat/ && name == "avformat_open_input") seen["libavformat"] = 1
  if (from == program && to ~ /^libavcodec/ && name == "avcodec_send_frame") seen["libavcodec"] = 1
  if (from ~ /^libavformat/ && to ~ /^libavutil/ && name == "av_malloc") seen["libavutil by libavformat"] = 1
}

function must_see(what) {
  if (what in seen) return
  failures++
  printf "no binding to %s was seen\n", what
}

END {
  if (ours != program) must_see("us")
  must_see("libavutil")
  must_see("libavformat")
  must_see("libavcodec")
  must_see("libavutil by libavformat")
  if (failures) exit 1
  printf "%d bindings\n", bindings
}
