// What uploads are told, and what they tell: options, how far they have come, and the video.
import CApiVideo
import Foundation

/// How to upload. What is `nil` is the default.
public struct UploadOptions: Hashable, Sendable {
    /// The id of a video without a file, which somebody with a key has made before, such as a private
    /// one. By default the upload makes a new video.
    public var videoID: String?
    /// The name that the service is told, which becomes the title of a new video. By default it is
    /// that of the file, and "video" for what is not a file.
    public var fileName: String?
    /// The state to go on from, as `APIVideoError.uploadState` or the `state` function told it: of the
    /// same service and the same bytes. The token may be another one.
    public var resume: String?
    /// The size of a part, 5 MiB to 200 MiB. By default it is 32 MiB for a file and 8 MiB for what is
    /// not a file, or more if there would be more than 10,000 parts. A part whose connection breaks is
    /// sent again from its beginning.
    public var partBytes: Int?
    /// How many bytes per second are sent at most; by default there is no limit.
    public var maxBytesPerSecond: Int?
    /// How many parts are sent at once, each by a thread of the library, 1 to 16; with 0 it is one
    /// after the other, and no thread is started. The first and the last one always go alone.
    public var parallelParts: Int
    /// After so long without a byte that arrives, an attempt takes another connection; by default
    /// 30 s, or `Client.noLimit`.
    public var stallTimeout: Duration?
    /// How long the answer to a part may take; by default 5 minutes, or `Client.noLimit`.
    public var answerTimeout: Duration?
    /// The upload is given up after so long without a byte that arrives, over all attempts: how long
    /// an outage may last; by default 5 minutes, or `Client.noLimit`.
    public var patience: Duration?
    /// How long it is at least from one progress to the next while bytes are sent; by default 250 ms.
    public var progressInterval: Duration?

    /// How to upload.
    public init(
        videoID: String? = nil, fileName: String? = nil, resume: String? = nil,
        partBytes: Int? = nil, maxBytesPerSecond: Int? = nil, parallelParts: Int = 0,
        stallTimeout: Duration? = nil, answerTimeout: Duration? = nil, patience: Duration? = nil,
        progressInterval: Duration? = nil
    ) {
        self.videoID = videoID
        self.fileName = fileName
        self.resume = resume
        self.partBytes = partBytes
        self.maxBytesPerSecond = maxBytesPerSecond
        self.parallelParts = parallelParts
        self.stallTimeout = stallTimeout
        self.answerTimeout = answerTimeout
        self.patience = patience
        self.progressInterval = progressInterval
    }

    /// Lends all this to C, with the token and what is called back, for the length of `body`.
    func withParams<Value>(
        _ token: String, _ events: UploadEvents, _ body: (UnsafePointer<av_upload_params>) -> Value
    ) throws(APIVideoError) -> Value {
        var params = av_upload_params()
        params.struct_size = MemoryLayout<av_upload_params>.size
        params.part_bytes = try number(partBytes, "partBytes")
        params.max_bytes_per_second = try number(maxBytesPerSecond, "maxBytesPerSecond")
        guard let parallelParts = UInt32(exactly: parallelParts), parallelParts <= 16 else {
            throw APIVideoError(
                invalidArgument: "parallelParts must be 0 to 16, not \(self.parallelParts)")
        }
        params.parallel_parts = parallelParts
        params.stall_timeout_ms = try milliseconds(stallTimeout, "stallTimeout")
        params.answer_timeout_ms = try milliseconds(answerTimeout, "answerTimeout")
        params.patience_ms = try milliseconds(patience, "patience")
        params.progress_interval_ms = try milliseconds(progressInterval, "progressInterval")
        events.receive(from: &params)
        let token = try text(token, "token")
        let strings = [
            token, try text(videoID, "videoID"), try text(fileName, "fileName"),
            try text(resume, "resume"),
        ]
        return withCStrings(strings) { strings in
            params.token = strings[0]
            params.video_id = strings[1]
            params.file_name = strings[2]
            params.resume = strings[3]
            return withExtendedLifetime(events) { body(&params) }
        }
    }
}

/// How far an upload has come.
public struct UploadProgress: Hashable, Sendable {
    /// Bytes in parts that the service has confirmed, also before a resume. It never goes back.
    public let bytesConfirmed: Int
    /// Besides, bytes of the parts under way that have arrived; both together are how far it is.
    public let bytesSent: Int
    /// How many bytes there are; `nil` if that is not known.
    public let bytesTotal: Int?
    /// Bytes that were sent in vain.
    public let bytesRepeated: Int
    /// How many parts the service has confirmed.
    public let partsConfirmed: Int
    /// How many parts there are; `nil` if that is not known.
    public let partsTotal: Int?
    /// What the upload is doing.
    public let activity: Activity
    /// How long it will wait before it goes on; `nil` if it does not.
    public let wait: Duration?

    /// What an upload is doing. A later library may tell more: a `switch` needs a `default`.
    public struct Activity: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// One of the `AV_UPLOAD_…` constants of apivideo.h.
        public let rawValue: Int32

        /// An activity from its number, known to this version or not.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Bytes are being sent.
        public static let sending = Activity(rawValue: AV_UPLOAD_SENDING)
        /// All of a part is sent; the answer to the last one may take minutes.
        public static let waitingForAnswer = Activity(rawValue: AV_UPLOAD_WAITING_FOR_ANSWER)
        /// An attempt failed, and another one begins after `wait`.
        public static let waitingToRetry = Activity(rawValue: AV_UPLOAD_WAITING_TO_RETRY)
        /// The rate limit is used up, and it goes on after about `wait`.
        public static let waitingForRateLimit = Activity(
            rawValue: AV_UPLOAD_WAITING_FOR_RATE_LIMIT)

        /// The name, such as "sending"; the number of one that is not known.
        public var description: String {
            switch self {
            case .sending: "sending"
            case .waitingForAnswer: "waitingForAnswer"
            case .waitingToRetry: "waitingToRetry"
            case .waitingForRateLimit: "waitingForRateLimit"
            default: "activity \(rawValue)"
            }
        }
    }

    /// Copies a progress of the library.
    init(copying progress: UnsafePointer<av_upload_progress>) {
        let progress = progress.pointee
        bytesConfirmed = Int(clamping: progress.bytes_confirmed)
        bytesSent = Int(clamping: progress.bytes_sent)
        bytesTotal = progress.bytes_total == 0 ? nil : Int(clamping: progress.bytes_total)
        bytesRepeated = Int(clamping: progress.bytes_repeated)
        partsConfirmed = Int(progress.parts_confirmed)
        partsTotal = progress.parts_total == 0 ? nil : Int(progress.parts_total)
        activity = Activity(rawValue: progress.state)
        wait = progress.wait_ms == 0 ? nil : .milliseconds(progress.wait_ms)
    }
}

/// A video that was uploaded: a plain value. What is not told is `nil`. The addresses of a private
/// video hold a secret, so its description has none of them.
public struct UploadedVideo: Hashable, Sendable {
    /// Its id.
    public let id: String
    /// Its title.
    public let title: String?
    /// The address of a page that plays it.
    public let playerURL: String?
    /// HTML with that page in a frame.
    public let iframeHTML: String?
    /// The address of its HLS manifest.
    public let hlsURL: String?
    /// The address of an MP4 file.
    public let mp4URL: String?
    /// The address of a picture of it.
    public let thumbnailURL: String?
    /// The service's answer as it is. `nil`, as all that may be, if it was lost, and the video was
    /// proved to be whole otherwise.
    public let json: String?
    /// When it was made, by the service's clock.
    public let createdAt: Date?
    /// When it was published.
    public let publishedAt: Date?
    /// Whether anybody may see it.
    public let isPublic: Bool?
    /// How many bytes were uploaded in all.
    public let bytes: Int
    /// How many unfinished videos the upload may have left behind, which the service drops.
    public let videosAbandoned: Int

    /// Copies a video of the library.
    init(copying video: UnsafePointer<av_uploaded_video>) {
        func told(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }
        let video = video.pointee
        id = String(cString: video.video_id)
        title = told(video.title)
        playerURL = told(video.player_url)
        iframeHTML = told(video.iframe_html)
        hlsURL = told(video.hls_url)
        mp4URL = told(video.mp4_url)
        thumbnailURL = told(video.thumbnail_url)
        json = told(video.json)
        createdAt = date(video.created_at)
        publishedAt = date(video.published_at)
        isPublic = video.is_public < 0 ? nil : video.is_public != 0
        bytes = Int(clamping: video.bytes)
        videosAbandoned = Int(video.videos_abandoned)
    }
}

extension UploadedVideo: CustomStringConvertible, CustomReflectable {
    /// Its id and size.
    public var description: String { "UploadedVideo(id: \(id), bytes: \(bytes))" }
    /// The same, for `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["id": id, "bytes": bytes]) }
}
