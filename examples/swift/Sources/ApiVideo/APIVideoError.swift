// What a call throws.
import CApiVideo
import Foundation

/// What went wrong with one call, copied out of the library: a plain value.
public struct APIVideoError: Error, Hashable, Sendable {
    /// The kind of failure, to branch on.
    public let status: Status
    /// One line for a person: which request, what failed, what may have happened. It holds no
    /// credential and no whole token.
    public let message: String
    /// What is known of the call's effect on the service.
    public let outcome: Outcome
    /// Whether the cause is temporary and repeating the call cannot do anything twice.
    public let isRetryable: Bool
    /// The HTTP status of the answer; `nil` if there was none.
    public let httpStatus: Int?
    /// How many times the request was tried; 0 if it was never begun.
    public let attempts: Int
    /// How long to wait before the next try; `nil` if that is not known.
    public let retryAfter: Duration?
    /// The problem in the service's own words; `nil` if it told none.
    public let problem: Problem?
    /// The single problems that the service lists, as it does with HTTP 400.
    public let problems: [Problem]
    /// The answer as received, at most its first 65536 bytes; `nil` if there was none. After a
    /// `.decode` of a create it may hold the new token, and of an upload the addresses of a private
    /// video: secrets.
    public let body: Data?
    /// Of an upload, what to go on from: `UploadOptions.resume`. `nil` if there is nothing. Neither
    /// the token nor a key is in it.
    public let uploadState: String?
    /// Of an upload, the id of the unfinished video; `nil` if none is known.
    public let uploadVideoID: String?

    /// The kinds of failure. A later library may tell more of them: a `switch` needs a `default`.
    public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// One of the `AV_STATUS_…` constants of apivideo.h.
        public let rawValue: Int32

        /// A status from its number, known to this version or not.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The caller's mistake; nothing was sent.
        public static let invalidArgument = Status(rawValue: AV_STATUS_INVALID_ARGUMENT)
        /// No way to the service: name, connection or proxy; nothing was sent.
        public static let connect = Status(rawValue: AV_STATUS_CONNECT)
        /// The certificate was refused, or no TLS could be agreed on; nothing was sent.
        public static let tls = Status(rawValue: AV_STATUS_TLS)
        /// The connection broke during the exchange.
        public static let transport = Status(rawValue: AV_STATUS_TRANSPORT)
        /// The time ran out.
        public static let timeout = Status(rawValue: AV_STATUS_TIMEOUT)
        /// The task or the `Cancellation` of the call was cancelled.
        public static let cancelled = Status(rawValue: AV_STATUS_CANCELLED)
        /// HTTP 401 or 403: the credential, or the token of an upload, is wrong, has ended, or is
        /// for the other environment.
        public static let unauthorized = Status(rawValue: AV_STATUS_UNAUTHORIZED)
        /// HTTP 404: there is no such token; it may have expired or been deleted; or no such video.
        public static let notFound = Status(rawValue: AV_STATUS_NOT_FOUND)
        /// Any other HTTP 4xx; `problems` tells why.
        public static let rejected = Status(rawValue: AV_STATUS_REJECTED)
        /// Too many requests; `retryAfter` tells how long to wait.
        public static let rateLimited = Status(rawValue: AV_STATUS_RATE_LIMITED)
        /// HTTP 5xx: the service failed.
        public static let server = Status(rawValue: AV_STATUS_SERVER)
        /// An answer that the API does not promise.
        public static let decode = Status(rawValue: AV_STATUS_DECODE)
        /// A bug of the library, contained.
        public static let `internal` = Status(rawValue: AV_STATUS_INTERNAL)
        /// The file of an upload cannot be read, has changed, or is another one.
        public static let source = Status(rawValue: AV_STATUS_SOURCE)

        /// The name in C, such as "AV_STATUS_NOT_FOUND".
        public var description: String { String(cString: av_status_name(rawValue)) }
    }

    /// What became of the thing that was asked for.
    public enum Outcome: Sendable {
        /// Nobody here can tell. After a create, look before you repeat it.
        case unknown
        /// The service has not done it. Reads always tell this.
        case notApplied
        /// The service has done it, but its answer was lost or cannot be used.
        case applied
    }

    /// A problem as the service tells it; what it leaves out is `nil`.
    public struct Problem: Hashable, Sendable {
        /// Its kind, a URI whose form has changed over the years: compare statuses instead.
        public let type: String?
        /// In short, in English.
        public let title: String?
        /// More about it.
        public let detail: String?
        /// The parameter that it is about, by the service's name for it.
        public let name: String?
    }
}

extension APIVideoError: CustomStringConvertible, LocalizedError {
    /// The message.
    public var description: String { message }
    /// The message, as `localizedDescription`.
    public var errorDescription: String? { message }
}

extension APIVideoError {
    /// Copies an error of the library, which stays the caller's to free.
    init(copying error: OpaquePointer?) {
        status = Status(rawValue: av_error_status(error))
        message = String(cString: av_error_message(error))
        outcome =
            switch av_error_outcome(error) {
            case AV_OUTCOME_NOT_APPLIED: .notApplied
            case AV_OUTCOME_APPLIED: .applied
            default: .unknown
            }
        isRetryable = av_error_is_retryable(error) == 1
        let httpStatus = av_error_http_status(error)
        self.httpStatus = httpStatus == 0 ? nil : Int(httpStatus)
        attempts = Int(av_error_attempts(error))
        let retryAfter = av_error_retry_after_ms(error)
        self.retryAfter = retryAfter < 0 ? nil : .milliseconds(retryAfter)
        problem = Problem(
            type: av_error_problem_type(error), title: av_error_problem_title(error),
            detail: av_error_problem_detail(error), name: av_error_problem_name(error))
        problems = (0..<av_error_problem_count(error)).compactMap { index in
            Problem(
                type: av_error_problem_type_at(error, index),
                title: av_error_problem_title_at(error, index),
                detail: av_error_problem_detail_at(error, index),
                name: av_error_problem_name_at(error, index))
        }
        var length = 0
        body = av_error_body(error, &length).map { Data(bytes: $0, count: length) }
        uploadState = av_error_upload_state(error).map { String(cString: $0) }
        uploadVideoID = av_error_upload_video_id(error).map { String(cString: $0) }
    }

    /// A mistake that this wrapper finds before the library can.
    init(invalidArgument message: String) {
        self.init(
            .invalidArgument, "invalid argument: \(message); nothing was sent", isRetryable: false)
    }

    /// There is no thread for an `async` call to wait on.
    static let noThread = APIVideoError(
        .connect, "no thread is to be had for the call; nothing was sent", isRetryable: true)

    private init(_ status: Status, _ message: String, isRetryable: Bool) {
        self.status = status
        self.message = message
        self.isRetryable = isRetryable
        outcome = .notApplied
        httpStatus = nil
        attempts = 0
        retryAfter = nil
        problem = nil
        problems = []
        body = nil
        uploadState = nil
        uploadVideoID = nil
    }
}

extension APIVideoError.Problem {
    /// Copies what there is; `nil` if there is nothing.
    fileprivate init?(
        type: UnsafePointer<CChar>?, title: UnsafePointer<CChar>?,
        detail: UnsafePointer<CChar>?, name: UnsafePointer<CChar>?
    ) {
        if type == nil && title == nil && detail == nil && name == nil { return nil }
        self.type = type.map { String(cString: $0) }
        self.title = title.map { String(cString: $0) }
        self.detail = detail.map { String(cString: $0) }
        self.name = name.map { String(cString: $0) }
    }
}
