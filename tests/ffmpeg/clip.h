/* A clip of a few frames with a comment: FFmpeg's encoder and muxer make it, and hand it out as it is
 * written, as a recorder's does; its demuxer and decoder read it. Include headers.h first. Compiles as C11 and as C++17. */
#ifndef CLIP_H
#define CLIP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIP_WIDTH = 64, CLIP_HEIGHT = 48, CLIP_FRAMES = 5, CLIP_BUFFER = 4096 };

typedef struct clip {
  uint8_t *bytes; /* to be freed with av_free() */
  int size, position;
} clip;

/* Ends the program if a call of FFmpeg failed. */
static int clip_require(int result, const char *what) {
  char text[AV_ERROR_MAX_STRING_SIZE] = "";
  if (result >= 0) return result;
  av_make_error_string(text, sizeof text, result);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(2);
}

static void *clip_require_pointer(void *pointer, const char *what) {
  clip_require(pointer ? 0 : AVERROR(ENOMEM), what);
  return pointer;
}

/* What a pixel of a frame is, or that it is so. */
static uint8_t clip_pixel(int frame, int x, int y) { return (uint8_t)(frame * 40 + x * 3 + y * 5); }

static void clip_draw(AVFrame *frame, int number) {
  int x, y;
  for (y = 0; y < CLIP_HEIGHT; y++)
    for (x = 0; x < CLIP_WIDTH; x++)
      frame->data[0][y * frame->linesize[0] + x] = clip_pixel(number, x, y);
}

static int clip_is_drawn(const AVFrame *frame, int number) {
  int x, y;
  for (y = 0; y < CLIP_HEIGHT; y++)
    for (x = 0; x < CLIP_WIDTH; x++)
      if (frame->data[0][y * frame->linesize[0] + x] != clip_pixel(number, x, y)) return 0;
  return 1;
}

/* Encodes a frame, or with NULL what is left, and writes the packets. */
static void clip_encode(AVCodecContext *encoder, AVFormatContext *muxer, const AVFrame *frame) {
  AVPacket *packet = (AVPacket *)clip_require_pointer(av_packet_alloc(), "av_packet_alloc");
  int result = clip_require(avcodec_send_frame(encoder, frame), "avcodec_send_frame");
  while ((result = avcodec_receive_packet(encoder, packet)) >= 0) {
    av_packet_rescale_ts(packet, encoder->time_base, muxer->streams[0]->time_base);
    clip_require(av_interleaved_write_frame(muxer, packet), "av_interleaved_write_frame");
  }
  if (result != AVERROR(EAGAIN) && result != AVERROR_EOF) clip_require(result, "avcodec_receive_packet");
  av_packet_free(&packet);
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t clip_byte;
#else
typedef uint8_t clip_byte;
#endif

/* Adds to a clip. */
static void clip_append(clip *to, clip_byte *bytes, int size) {
  to->bytes = (uint8_t *)clip_require_pointer(av_realloc(to->bytes, (size_t)(to->size + size)), "av_realloc");
  memcpy(to->bytes + to->size, bytes, (size_t)size);
  to->size += size;
}

/* Makes the clip: `take` is passed its bytes as they are written, and cannot go back. Returns what FFmpeg
 * makes of what that returned. */
static int clip_write(const char *comment, int (*take)(void *, clip_byte *, int), void *opaque) {
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_FFV1);
  AVCodecContext *encoder = (AVCodecContext *)clip_require_pointer(avcodec_alloc_context3(codec), "FFV1");
  AVFrame *frame = (AVFrame *)clip_require_pointer(av_frame_alloc(), "av_frame_alloc");
  AVFormatContext *muxer = NULL;
  AVDictionary *options = NULL;
  uint8_t *buffer = (uint8_t *)clip_require_pointer(av_malloc(CLIP_BUFFER), "av_malloc");
  AVIOContext *output = avio_alloc_context(buffer, CLIP_BUFFER, 1, opaque, NULL, take, NULL);
  int number, result;

  encoder->width = frame->width = CLIP_WIDTH;
  encoder->height = frame->height = CLIP_HEIGHT;
  encoder->pix_fmt = AV_PIX_FMT_GRAY8;
  frame->format = AV_PIX_FMT_GRAY8;
  encoder->time_base.num = 1;
  encoder->time_base.den = 25;
  encoder->thread_count = 1;
  clip_require(av_dict_set(&options, "level", "3", 0), "av_dict_set");
  clip_require(avcodec_open2(encoder, codec, &options), "avcodec_open2");
  av_dict_free(&options);

  clip_require(avformat_alloc_output_context2(&muxer, NULL, "matroska", NULL), "matroska");
  clip_require_pointer(avformat_new_stream(muxer, NULL), "avformat_new_stream");
  clip_require(avcodec_parameters_from_context(muxer->streams[0]->codecpar, encoder), "parameters");
  muxer->streams[0]->time_base = encoder->time_base;
  clip_require(av_dict_set(&muxer->metadata, "comment", comment, 0), "av_dict_set");
  muxer->pb = (AVIOContext *)clip_require_pointer(output, "avio_alloc_context");
  clip_require(avformat_write_header(muxer, NULL), "avformat_write_header");
  clip_require(av_frame_get_buffer(frame, 0), "av_frame_get_buffer");
  for (number = 0; number < CLIP_FRAMES; number++) {
    clip_require(av_frame_make_writable(frame), "av_frame_make_writable");
    clip_draw(frame, number);
    frame->pts = number;
    clip_encode(encoder, muxer, frame);
  }
  clip_encode(encoder, muxer, NULL);
  clip_require(av_write_trailer(muxer), "av_write_trailer");
  avio_flush(output);
  result = output->error;

  avformat_free_context(muxer);
  av_freep(&output->buffer);
  avio_context_free(&output);
  avcodec_free_context(&encoder);
  av_frame_free(&frame);
  return result;
}

/* The SHA-256 of the clip, as text. */
static void clip_digest(const clip *of, char text[65]) {
  struct AVSHA *sha = (struct AVSHA *)clip_require_pointer(av_sha_alloc(), "av_sha_alloc");
  uint8_t digest[32];
  int at;
  clip_require(av_sha_init(sha, 256), "av_sha_init");
  av_sha_update(sha, of->bytes, (size_t)of->size);
  av_sha_final(sha, digest);
  for (at = 0; at < 32; at++) snprintf(text + 2 * at, 3, "%02x", digest[at]);
  av_free(sha);
}

static int clip_feed(void *opaque, uint8_t *to, int size) {
  clip *from = (clip *)opaque;
  int left = from->size - from->position;
  if (left == 0) return AVERROR_EOF;
  if (size > left) size = left;
  memcpy(to, from->bytes + from->position, (size_t)size);
  from->position += size;
  return size;
}

/* Reads the clip: how many of its frames are as they were drawn, and its comment, to be freed with
 * av_free(), in `*comment`. */
static int clip_read(clip *from, char **comment) {
  uint8_t *buffer = (uint8_t *)clip_require_pointer(av_malloc(CLIP_BUFFER), "av_malloc");
  AVIOContext *input = avio_alloc_context(buffer, CLIP_BUFFER, 0, from, clip_feed, NULL, NULL);
  AVFormatContext *demuxer = (AVFormatContext *)clip_require_pointer(avformat_alloc_context(), "demuxer");
  AVPacket *packet = (AVPacket *)clip_require_pointer(av_packet_alloc(), "av_packet_alloc");
  AVFrame *frame = (AVFrame *)clip_require_pointer(av_frame_alloc(), "av_frame_alloc");
  const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_FFV1);
  AVCodecContext *decoder = (AVCodecContext *)clip_require_pointer(avcodec_alloc_context3(codec), "FFV1");
  const AVDictionaryEntry *entry;
  int number = 0, right = 0, ended = 0;

  from->position = 0;
  demuxer->pb = (AVIOContext *)clip_require_pointer(input, "avio_alloc_context");
  clip_require(avformat_open_input(&demuxer, NULL, av_find_input_format("matroska"), NULL), "avformat_open_input");
  clip_require(avformat_find_stream_info(demuxer, NULL), "avformat_find_stream_info");
  entry = av_dict_get(demuxer->metadata, "comment", NULL, 0);
  *comment = av_strdup(entry ? entry->value : "");
  clip_require(avcodec_parameters_to_context(decoder, demuxer->streams[0]->codecpar), "parameters");
  decoder->thread_count = 1;
  clip_require(avcodec_open2(decoder, codec, NULL), "avcodec_open2");
  while (!ended) {
    ended = av_read_frame(demuxer, packet) < 0;
    clip_require(avcodec_send_packet(decoder, ended ? NULL : packet), "avcodec_send_packet");
    av_packet_unref(packet);
    while (avcodec_receive_frame(decoder, frame) >= 0) right += clip_is_drawn(frame, number++);
  }

  avcodec_free_context(&decoder);
  avformat_close_input(&demuxer);
  av_freep(&input->buffer);
  avio_context_free(&input);
  av_packet_free(&packet);
  av_frame_free(&frame);
  return number == right ? right : -1;
}

#endif
