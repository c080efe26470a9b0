// What an upload makes.
package apivideo;

import com.sun.jna.Pointer;
import java.time.Instant;
import java.util.Optional;

/**
 * A video that was uploaded. All but its id may be empty, where the service did not tell it. The addresses
 * of a private video hold a secret, and so do iframeHtml and json.
 *
 * @param id its id
 * @param title its title
 * @param playerUrl the address of a page that plays it
 * @param iframeHtml HTML with that page in a frame
 * @param hlsUrl the address of its HLS manifest
 * @param mp4Url the address of an MP4 file
 * @param thumbnailUrl the address of a picture of it
 * @param json the service's answer as it is; empty, and with it all of the above but the id, if the answer
 *     was lost, and proved otherwise that the video is whole
 * @param createdAt when it was made, by the service's clock
 * @param publishedAt when it was published
 * @param isPublic whether anybody may see it
 * @param bytes how many bytes were uploaded in all
 * @param videosAbandoned how many unfinished videos the upload may have left behind, which the service
 *     drops after a week
 */
public record UploadedVideo(String id, Optional<String> title, Optional<String> playerUrl, Optional<String> iframeHtml,
    Optional<String> hlsUrl, Optional<String> mp4Url, Optional<String> thumbnailUrl, Optional<String> json,
    Optional<Instant> createdAt, Optional<Instant> publishedAt, Optional<Boolean> isPublic, long bytes, long videosAbandoned) {
  UploadedVideo(Pointer pointer) {
    this(new LibApiVideo.UploadedVideo(pointer));
  }

  private UploadedVideo(LibApiVideo.UploadedVideo video) {
    this(video.videoId, Optional.ofNullable(video.title), Optional.ofNullable(video.playerUrl),
        Optional.ofNullable(video.iframeHtml), Optional.ofNullable(video.hlsUrl), Optional.ofNullable(video.mp4Url),
        Optional.ofNullable(video.thumbnailUrl), Optional.ofNullable(video.json), ApiVideo.time(video.createdAt),
        ApiVideo.time(video.publishedAt), video.isPublic < 0 ? Optional.empty() : Optional.of(video.isPublic != 0),
        video.bytes, Integer.toUnsignedLong(video.videosAbandoned));
  }

  /** Without the addresses, which may hold a secret. */
  @Override
  public String toString() {
    return "UploadedVideo[id=" + id + ", bytes=" + bytes + "]";
  }
}
