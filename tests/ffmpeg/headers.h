/* Our header and FFmpeg's in one translation unit: ours last, or first with OURS_FIRST. FFmpeg's
 * headers do not know C++. */
#ifdef __cplusplus
#define OURS <apivideo.hpp>
#define BEGIN_C extern "C" {
#define END_C }
#else
#define OURS <apivideo.h>
#define BEGIN_C
#define END_C
#endif

#ifdef OURS_FIRST
#include OURS
#endif

BEGIN_C
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/avstring.h>
#include <libavutil/base64.h>
#include <libavutil/bprint.h>
#include <libavutil/channel_layout.h>
#include <libavutil/cpu.h>
#include <libavutil/crc.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/eval.h>
#include <libavutil/fifo.h>
#include <libavutil/file.h>
#include <libavutil/frame.h>
#include <libavutil/hash.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/md5.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>
#include <libavutil/random_seed.h>
#include <libavutil/rational.h>
#include <libavutil/samplefmt.h>
#include <libavutil/sha.h>
#include <libavutil/time.h>
#include <libavutil/timestamp.h>
#include <libavutil/version.h>
END_C

#ifndef OURS_FIRST
#include OURS
#endif
