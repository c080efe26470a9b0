// Uploads of a file and of a sequence of bytes: awaited, blocking, or followed while they run.
import CApiVideo
import Foundation

// Of a file.
extension Client {
    /// Uploads a file with an upload token, and blocks until the service says that the video is whole,
    /// which may take hours. The client needs no credential; one that it has is not sent.
    ///
    /// - Parameters:
    ///   - file: the URL of a file that is not empty; nobody may write to it meanwhile.
    ///   - token: the upload token.
    ///   - options: how to upload.
    ///   - timeout: what the whole upload may take; without it there is no limit, whatever the
    ///     client's is.
    ///   - maxAttempts: how many attempts in a row may fail without getting further in a part; by
    ///     default the client's.
    ///   - cancellation: ends the upload from another thread.
    ///   - progress: takes how far it has come, within this call.
    ///   - state: takes what to go on from, after each part but the last, within this call. Keep it, and
    ///     a crash costs one part; after a failure that tried something, `uploadState` takes its place,
    ///     also `nil`.
    /// - Throws: what `progress` or `state` throws, which ends the upload; otherwise an `APIVideoError`,
    ///   whose `uploadState` can be gone on from. Unless its `outcome` is `.notApplied`, the video may be
    ///   whole.
    public func upload(
        contentsOf file: URL, token: String, options: UploadOptions = UploadOptions(),
        timeout: Duration? = nil, maxAttempts: Int? = nil, cancellation: Cancellation? = nil,
        progress: ((UploadProgress) throws -> Void)? = nil,
        state: ((String) throws -> Void)? = nil
    ) throws -> UploadedVideo {
        try upload(
            file, token, options, timeout, maxAttempts, cancellation,
            UploadEvents(options, progress, state))
    }

    /// Uploads a file with an upload token; the task's cancellation ends the upload. All else is as in
    /// the form that blocks. `progress` and `state` are called on another thread, one call at a time.
    public func upload(
        contentsOf file: URL, token: String, options: UploadOptions = UploadOptions(),
        timeout: Duration? = nil, maxAttempts: Int? = nil,
        progress: (@Sendable (UploadProgress) throws -> Void)? = nil,
        state: (@Sendable (String) throws -> Void)? = nil
    ) async throws -> UploadedVideo {
        try await upload(
            file, token, options, timeout, maxAttempts, UploadEvents(options, progress, state))
    }

    /// Starts to upload a file with an upload token, as `upload` does, to be followed and awaited
    /// meanwhile.
    ///
    ///     let upload = client.startUpload(contentsOf: file, token: token)
    ///     for await progress in upload.progress { print(progress.bytesConfirmed) }
    ///     let video = try await upload.value
    public func startUpload(
        contentsOf file: URL, token: String, options: UploadOptions = UploadOptions(),
        timeout: Duration? = nil, maxAttempts: Int? = nil,
        state: (@Sendable (String) throws -> Void)? = nil
    ) -> Upload {
        Upload(options, state) { events in
            try await self.upload(file, token, options, timeout, maxAttempts, events)
        }
    }

    private func upload(
        _ file: URL, _ token: String, _ options: UploadOptions, _ timeout: Duration?,
        _ maxAttempts: Int?, _ events: UploadEvents
    ) async throws -> UploadedVideo {
        try await withOwnThread { cancellation in
            Result {
                try self.upload(file, token, options, timeout, maxAttempts, cancellation, events)
            }
        }.get()
    }

    private func upload(
        _ file: URL, _ token: String, _ options: UploadOptions, _ timeout: Duration?,
        _ maxAttempts: Int?, _ cancellation: Cancellation?, _ events: UploadEvents
    ) throws -> UploadedVideo {
        guard file.isFileURL else {
            throw APIVideoError(invalidArgument: "the URL is not that of a file")
        }
        let path = try text(file.path, "the file's path")
        var video: UnsafeMutablePointer<av_uploaded_video>?
        defer { av_uploaded_video_free(video) }
        try options.withParams(token, events) { params in
            Result {
                try events.call(
                    timeout: timeout, maxAttempts: maxAttempts, cancellation: cancellation
                ) { options, error in
                    withHandle { av_upload_file($0, path, params, options, &video, error) }
                }
            }
        }.get()
        events.complete()
        return UploadedVideo(copying: video!)
    }
}

// Of bytes that are made meanwhile.
extension Client {
    /// Uploads bytes while they are made, such as a recording; the task's cancellation ends the upload.
    /// Of the containers those may be sent so that are never changed at their beginning again, such as
    /// fragmented MP4, MPEG-TS or WebM, not plain MP4 or MOV.
    ///
    /// To go on from `options.resume`, pass a sequence that begins with the very first byte once more:
    /// what the service has is skipped. Where that cannot be, write to an `UploadSession` from its
    /// `offset` on.
    ///
    /// - Parameters:
    ///   - chunks: the bytes, in chunks of any size, such as an `AsyncStream` of `Data` or `[UInt8]`.
    ///   - token: the upload token.
    ///   - options: how to upload.
    ///   - timeout: what it may take to send a chunk, or what is left at the end; without it there is no
    ///     limit.
    ///   - maxAttempts: how many attempts in a row may fail without getting further in a part; by
    ///     default the client's.
    ///   - progress: takes how far it has come, on another thread.
    ///   - state: takes what to go on from, after each part but the last, on another thread.
    /// - Throws: what `chunks`, `progress` or `state` throws, which ends the upload, to be gone on with from
    ///   what `state` took last; otherwise an `APIVideoError`.
    public func upload<Chunks: AsyncSequence>(
        contentsOf chunks: Chunks, token: String, options: UploadOptions = UploadOptions(),
        timeout: Duration? = nil, maxAttempts: Int? = nil,
        progress: (@Sendable (UploadProgress) throws -> Void)? = nil,
        state: (@Sendable (String) throws -> Void)? = nil
    ) async throws -> UploadedVideo where Chunks.Element: ContiguousBytes & Sendable {
        try await upload(
            chunks, token, options, timeout, maxAttempts, UploadEvents(options, progress, state))
    }

    /// Starts to upload bytes while they are made, as `upload` does, to be followed and awaited
    /// meanwhile.
    public func startUpload<Chunks: AsyncSequence & Sendable>(
        contentsOf chunks: Chunks, token: String, options: UploadOptions = UploadOptions(),
        timeout: Duration? = nil, maxAttempts: Int? = nil,
        state: (@Sendable (String) throws -> Void)? = nil
    ) -> Upload where Chunks.Element: ContiguousBytes & Sendable {
        Upload(options, state) { events in
            try await self.upload(chunks, token, options, timeout, maxAttempts, events)
        }
    }

    private func upload<Chunks: AsyncSequence>(
        _ chunks: Chunks, _ token: String, _ options: UploadOptions, _ timeout: Duration?,
        _ maxAttempts: Int?, _ events: UploadEvents
    ) async throws -> UploadedVideo where Chunks.Element: ContiguousBytes & Sendable {
        let session = try UploadSession(self, token, options, events)
        var confirmed = session.offset
        for try await chunk in chunks {
            let skipped = min(confirmed, chunk.withUnsafeBytes(\.count))
            confirmed -= skipped
            try await session.write(
                chunk, from: skipped, timeout: timeout, maxAttempts: maxAttempts)
        }
        // A task that is cancelled may find the sequence at an end that is none: this throws then.
        return try await session.finish(timeout: timeout, maxAttempts: maxAttempts)
    }
}

/// An upload that runs. It runs on if nobody keeps this, until it is complete, fails or is cancelled.
public final class Upload: Sendable {
    /// How far it has come, for one loop, which ends with the upload. A loop that is slow gets the
    /// newest alone.
    public let progress: AsyncStream<UploadProgress>

    private let events: UploadEvents
    private let task: Task<UploadedVideo, any Error>

    init(
        _ options: UploadOptions, _ state: (@Sendable (String) throws -> Void)?,
        _ upload: @escaping @Sendable (UploadEvents) async throws -> UploadedVideo
    ) {
        let (progress, continuation) = AsyncStream.makeStream(
            of: UploadProgress.self, bufferingPolicy: .bufferingNewest(1))
        let events = UploadEvents(options, { continuation.yield($0) }, state)
        self.progress = progress
        self.events = events
        task = Task {
            defer { continuation.finish() }
            return try await upload(events)
        }
    }

    /// The video, once it is whole. A task that is cancelled while it awaits this cancels the upload.
    ///
    /// - Throws: as `upload`.
    public var value: UploadedVideo {
        get async throws {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    /// What to go on from if the upload ends now, or has failed, whatever with; `nil` if there is
    /// nothing, and once the video is whole.
    public var state: String? { events.latestState }

    /// Ends the upload: `value` throws an error with status `.cancelled`, unless it is complete already.
    public func cancel() { task.cancel() }
}
