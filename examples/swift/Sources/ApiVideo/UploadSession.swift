// An upload whose bytes are written as they come.
import CApiVideo
import Foundation

/// An upload of what is made meanwhile: write its bytes as they come, and `finish` makes the video.
///
///     let session = try client.uploadSession(token: token)
///     while let chunk = recorder.next() { try await session.write(chunk) }
///     let video = try await session.finish()
///
/// `write` and `finish` come twice, as a client's operations do. They are for one task or thread at a
/// time: a call that comes during another one is refused, with `.invalidArgument`. A failure leaves
/// the session as it is: go on writing from `offset`, or go on from `state` another day. It takes the
/// memory of a part, and is freed with its last reference; what is not finished the service then keeps
/// for a week.
public final class UploadSession: @unchecked Sendable {  // `events` makes one call at a time
    private let handle: OpaquePointer
    private let events: UploadEvents

    init(
        _ client: Client, _ token: String, _ options: UploadOptions, _ events: UploadEvents
    ) throws(APIVideoError) {
        var upload: OpaquePointer?
        try options.withParams(token, events) { params in
            Result { () throws(APIVideoError) in
                try call { _, error in
                    client.withHandle { av_upload_begin($0, params, &upload, error) }
                }
            }
        }.get()
        handle = upload!
        self.events = events
    }

    deinit { av_upload_free(handle) }

    /// How many bytes have been taken, from the very first: where the next `write` goes on. It is 0 at
    /// the beginning, and what is confirmed after a resume.
    public var offset: Int {
        withExtendedLifetime(self) { Int(clamping: av_upload_offset(handle)) }
    }

    /// What to go on from in another session; `nil` if there is nothing, and once the video is whole.
    public var state: String? { events.latestState }

    /// Takes the next bytes, and blocks while a part is sent, if they fill one.
    ///
    /// - Parameters:
    ///   - bytes: `Data`, `[UInt8]` or the like.
    ///   - timeout: what the call may take; without it there is no limit.
    ///   - maxAttempts: how many attempts in a row may fail without getting further in a part; by
    ///     default the client's.
    ///   - cancellation: ends the call from another thread.
    /// - Throws: what the functions `progress` and `state` throw; otherwise an `APIVideoError`. `offset`
    ///   tells how much was taken.
    public func write(
        _ bytes: some ContiguousBytes, timeout: Duration? = nil, maxAttempts: Int? = nil,
        cancellation: Cancellation? = nil
    ) throws {
        try write(bytes, 0, timeout, maxAttempts, cancellation)
    }

    /// Takes the next bytes; the task's cancellation ends the call.
    public func write(
        _ bytes: some ContiguousBytes & Sendable, timeout: Duration? = nil, maxAttempts: Int? = nil
    ) async throws {
        try await write(bytes, from: 0, timeout: timeout, maxAttempts: maxAttempts)
    }

    /// Sends what is left, and blocks until the video is whole. After a failure it may be called again.
    ///
    /// - Parameters:
    ///   - timeout: what the call may take; without it there is no limit.
    ///   - maxAttempts: how many attempts in a row may fail without getting further in a part; by
    ///     default the client's.
    ///   - cancellation: ends the call from another thread.
    /// - Throws: as `write`; also if nothing was written.
    public func finish(
        timeout: Duration? = nil, maxAttempts: Int? = nil, cancellation: Cancellation? = nil
    ) throws -> UploadedVideo {
        var video: UnsafeMutablePointer<av_uploaded_video>?
        defer { av_uploaded_video_free(video) }
        try withExtendedLifetime(self) {
            try events.call(
                timeout: timeout, maxAttempts: maxAttempts, cancellation: cancellation
            ) { options, error in av_upload_finish(handle, options, &video, error) }
        }
        events.complete()
        return UploadedVideo(copying: video!)
    }

    /// Sends what is left, and waits until the video is whole; the task's cancellation ends the call.
    public func finish(
        timeout: Duration? = nil, maxAttempts: Int? = nil
    ) async throws -> UploadedVideo {
        try await withOwnThread { cancellation in
            Result {
                try self.finish(
                    timeout: timeout, maxAttempts: maxAttempts, cancellation: cancellation)
            }
        }.get()
    }

    /// Takes the bytes from `start` on.
    func write(
        _ bytes: some ContiguousBytes & Sendable, from start: Int, timeout: Duration?,
        maxAttempts: Int?
    ) async throws {
        try await withOwnThread { cancellation in
            Result { try self.write(bytes, start, timeout, maxAttempts, cancellation) }
        }.get()
    }

    private func write(
        _ bytes: some ContiguousBytes, _ start: Int, _ timeout: Duration?, _ maxAttempts: Int?,
        _ cancellation: Cancellation?
    ) throws {
        try withExtendedLifetime(self) {
            try events.call(
                timeout: timeout, maxAttempts: maxAttempts, cancellation: cancellation
            ) { options, error in
                bytes.withUnsafeBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
                    return av_upload_write(handle, rest.baseAddress, rest.count, options, error)
                }
            }
        }
    }
}

extension Client {
    /// Begins to upload what is made meanwhile; nothing is sent yet. With `options.resume` write all
    /// bytes from the session's `offset` on once more.
    ///
    /// - Parameters:
    ///   - token: the upload token.
    ///   - options: how to upload.
    ///   - progress: takes how far it has come, within the calls of the session, on their threads.
    ///   - state: takes what to go on from, after each part but the last, in the same way.
    /// - Throws: `.invalidArgument`, also for the state of a file.
    public func uploadSession(
        token: String, options: UploadOptions = UploadOptions(),
        progress: (@Sendable (UploadProgress) throws -> Void)? = nil,
        state: (@Sendable (String) throws -> Void)? = nil
    ) throws(APIVideoError) -> UploadSession {
        try UploadSession(self, token, options, UploadEvents(options, progress, state))
    }
}
