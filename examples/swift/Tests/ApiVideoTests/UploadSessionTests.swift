// Uploads of bytes that are made meanwhile: from sequences, and written to sessions.
import ApiVideo
import XCTest

final class UploadSessionTests: XCTestCase {
    private var service: StandIn!
    private var device: Client!
    private var token: String!
    private let options = UploadOptions(partBytes: smallestPart)

    override func setUp() async throws {
        service = try StandIn.quick
        device = try service.device()
        let client = try service.client()
        let token = try await client.createToken(timeToLive: .seconds(600)).token
        self.token = token
        addTeardownBlock { try await client.deleteToken(token) }
    }

    func testSequenceOfDataIsUploaded() async throws {
        let film = try Film(12 << 20)
        let progress = Told<UploadProgress>()
        let video = try await device.upload(
            contentsOf: stream(film.chunks), token: token, options: options,
            progress: { progress.append($0) })
        try await film.check(video.id, service)
        XCTAssertEqual(video.bytes, 12 << 20)
        XCTAssertEqual(video.title, "video")
        XCTAssertEqual(progress.values.last?.bytesConfirmed, 12 << 20)
        XCTAssertNil(progress.values.first?.bytesTotal ?? nil, "nobody knows it yet")
    }

    func testSequenceOfBytesIsUploaded() async throws {
        let film = try Film(1_000_000)
        let video = try await device.upload(
            contentsOf: stream(film.chunks.map { [UInt8]($0) }), token: token)
        try await film.check(video.id, service)
    }

    func testSequenceGoesSideBySideToo() async throws {
        let film = try Film(17 << 20)
        let upload = device.startUpload(
            contentsOf: stream(film.chunks), token: token,
            options: UploadOptions(partBytes: smallestPart, parallelParts: 2))
        var confirmed = 0
        for await progress in upload.progress { confirmed = progress.bytesConfirmed }
        XCTAssertEqual(confirmed, 17 << 20)
        let video = try await upload.value
        try await film.check(video.id, service)
    }

    func testSequenceThatFailsIsGoneOnWithFromItsBeginning() async throws {
        let film = try Film(12 << 20)
        let broken = AsyncThrowingStream<Data, any Error> { continuation in
            for chunk in film.chunks.dropLast() { continuation.yield(chunk) }
            continuation.finish(throwing: Mishap())
        }
        let upload = device.startUpload(contentsOf: broken, token: token, options: options)
        do {
            _ = try await upload.value
            XCTFail("nothing is thrown")
        } catch is Mishap {
        }
        let state = try XCTUnwrap(upload.state)

        let video = try await device.upload(
            contentsOf: stream(film.chunks), token: token, options: UploadOptions(resume: state))
        try await film.check(video.id, service)
    }

    func testSequenceThatEndsBeforeWhereItGoesOnIsRefused() async throws {
        let film = try Film(6 << 20)
        let session = try device.uploadSession(token: token, options: options)
        try await session.write(film.bytes)
        let state = try XCTUnwrap(session.state)
        let error = try await failure {
            try await device.upload(
                contentsOf: stream(Array(film.chunks.prefix(2))), token: token,
                options: UploadOptions(resume: state))
        }
        XCTAssertEqual(error.status, .invalidArgument)
    }

    func testTaskCancelledWhileTheSequenceWaitsMakesNoVideoOfWhatItHad() async throws {
        let film = try Film(6 << 20)
        let (chunks, continuation) = AsyncStream.makeStream(of: Data.self)
        continuation.yield(film.bytes)
        let upload = device.startUpload(contentsOf: chunks, token: token, options: options)
        for await progress in upload.progress where progress.partsConfirmed == 1 {
            upload.cancel()  // upon which the stream ends, as if that were its end
            break
        }
        let error = try await failure { try await upload.value }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertNotNil(upload.state)
        XCTAssertEqual(error.uploadState, upload.state)
        let unfinished = try await service.ledger().video(error.uploadVideoID)
        XCTAssertFalse(unfinished.whole)
    }

    func testSessionTakesBytesAsTheyCome() async throws {
        let film = try Film(12 << 20)
        let states = Told<String>()
        let session = try device.uploadSession(
            token: token, options: options, state: { states.append($0) })
        var written = 0
        for chunk in film.chunks {
            XCTAssertEqual(session.offset, written)
            try await session.write(chunk)
            written += chunk.count
        }
        XCTAssertEqual(session.state, states.values.last)
        XCTAssertEqual(session.offset, 12 << 20)
        let video = try await session.finish()
        try await film.check(video.id, service)
        XCTAssertNil(session.state)
    }

    func testSessionBlocksAThread() async throws {
        let film = try Film(6 << 20)
        let (device, token, options) = (device!, token!, options)
        let video = try await blocking {
            let session = try device.uploadSession(token: token, options: options)
            for chunk in film.chunks { try session.write([UInt8](chunk)) }
            return try session.finish()
        }.get()
        try await film.check(video.id, service)
    }

    func testSessionGoesOnFromItsOffset() async throws {
        let film = try Film(12 << 20)
        var session = try device.uploadSession(token: token, options: options)
        try await session.write(film.bytes.prefix(11 << 20))
        let state = try XCTUnwrap(session.state)

        session = try device.uploadSession(token: token, options: UploadOptions(resume: state))
        XCTAssertEqual(session.offset, 10 << 20)
        XCTAssertEqual(session.state, state)
        try await session.write(film.bytes.dropFirst(session.offset))
        let video = try await session.finish()
        try await film.check(video.id, service)
    }

    func testSessionGoesOnAfterACallThatWasCancelled() async throws {
        let film = try Film(12 << 20)
        let session = try device.uploadSession(token: token, options: options)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await session.write(film.bytes)
        }
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        try await session.write(film.bytes.dropFirst(session.offset))
        let video = try await session.finish()
        try await film.check(video.id, service)
    }

    func testWhatACallbackThrowsIsThrownAndTheSessionGoesOn() async throws {
        let film = try Film(12 << 20)
        let states = Told<String>()
        let session = try device.uploadSession(
            token: token, options: options,
            state: {
                states.append($0)
                if states.values.count == 1 { throw Mishap() }
            })
        do {
            try await session.write(film.bytes)
            XCTFail("nothing is thrown")
        } catch is Mishap {
        }
        XCTAssertEqual(session.state, states.values.last)
        try await session.write(film.bytes.dropFirst(session.offset))
        let video = try await session.finish()
        try await film.check(video.id, service)
    }

    func testSessionIsForOneCallAtATime() async throws {
        final class Holder: @unchecked Sendable { weak var session: UploadSession? }
        let film = try Film(6 << 20)
        let (holder, refusals) = (Holder(), Told<APIVideoError.Status?>())
        let session = try device.uploadSession(
            token: token, options: options,
            state: { _ in
                do {
                    try holder.session?.write([1])
                } catch {
                    refusals.append((error as? APIVideoError)?.status)
                }
            })
        holder.session = session
        try await session.write(film.bytes)
        XCTAssertEqual(refusals.values, [.invalidArgument])
        let video = try await session.finish()
        try await film.check(video.id, service)
    }

    func testSessionWithoutBytesIsNoVideo() async throws {
        let session = try device.uploadSession(token: token)
        try await session.write(Data())
        let error = try await failure { try await session.finish() }
        XCTAssertEqual(error.status, .invalidArgument)
        let empty = try await failure {
            try await device.upload(contentsOf: stream([Data]()), token: token)
        }
        XCTAssertEqual(empty.status, .invalidArgument)
    }

    func testSessionNeedsNoClient() async throws {
        let film = try Film(1000)
        var client: Client? = try service.device()
        weak var watched = client
        let session = try client!.uploadSession(token: token)
        client = nil
        XCTAssertNil(watched, "the client is freed with its last reference")
        try await session.write(film.bytes)
        let video = try await session.finish()
        try await film.check(video.id, service)
    }

    func testStateOfAFileIsRefused() async throws {
        let film = try Film(6 << 20)
        let upload = device.startUpload(
            contentsOf: film.file, token: token, options: options, state: { _ in throw Mishap() })
        _ = try? await upload.value
        let state = try XCTUnwrap(upload.state)
        XCTAssertThrowsError(
            try device.uploadSession(token: token, options: UploadOptions(resume: state))
        ) { XCTAssertEqual(($0 as? APIVideoError)?.status, .invalidArgument) }
    }

    /// The chunks, one after the other.
    private func stream<Chunk: Sendable>(_ chunks: [Chunk]) -> AsyncStream<Chunk> {
        AsyncStream { continuation in
            for chunk in chunks { continuation.yield(chunk) }
            continuation.finish()
        }
    }
}
