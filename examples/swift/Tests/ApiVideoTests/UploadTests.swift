// Uploads of files: whole, in parts, cancelled and gone on with, refused.
import ApiVideo
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What callbacks throw.
struct Mishap: Error, Equatable {}

/// The smallest size of a part.
let smallestPart = 5 << 20

final class UploadTests: XCTestCase {
    private var service: StandIn!
    private var device: Client!
    private var token: String!

    override func setUp() async throws {
        service = try StandIn.quick
        device = try service.device()
        let client = try service.client()
        let token = try await client.createToken(timeToLive: .seconds(600)).token
        self.token = token
        addTeardownBlock { try await client.deleteToken(token) }
    }

    func testDeviceWithoutAKeyUploadsAFile() async throws {
        let film = try Film(1000)
        let video = try await device.upload(
            contentsOf: film.file, token: token, options: UploadOptions(fileName: "holidays.mp4"))
        try await film.check(video.id, service)
        let stored = try await service.ledger()
        XCTAssertEqual(try stored.video(video.id).title, "holidays.mp4")
        XCTAssertEqual(stored.uploads.withAuthorization, 0)

        XCTAssertEqual(video.title, "holidays.mp4")
        XCTAssertEqual(video.bytes, 1000)
        XCTAssertEqual(video.isPublic, true)
        XCTAssertEqual(video.videosAbandoned, 0)
        XCTAssertEqual(
            try XCTUnwrap(video.createdAt).timeIntervalSinceNow, 0, accuracy: 60)
        XCTAssertEqual(
            try XCTUnwrap(video.publishedAt).timeIntervalSinceNow, 0, accuracy: 60)
        for address in [video.playerURL, video.hlsURL, video.mp4URL, video.thumbnailURL] {
            XCTAssert(address?.hasPrefix("http") == true, "\(address ?? "nil")")
        }
        XCTAssert(video.iframeHTML?.hasPrefix("<iframe") == true)
        XCTAssert(video.json?.contains(video.id) == true)
    }

    func testTitleIsTheNameOfTheFileUnlessToldOtherwise() async throws {
        let film = try Film(1)
        let video = try await device.upload(contentsOf: film.file, token: token)
        XCTAssertEqual(video.title, film.file.lastPathComponent)
    }

    func testPartsSideBySideMakeTheWholeFile() async throws {
        let film = try Film(17 << 20)
        let options = UploadOptions(partBytes: smallestPart, parallelParts: 3)
        let video = try await device.upload(
            contentsOf: film.file, token: token, options: options)
        try await film.check(video.id, service)
        let parts = try await service.ledger().video(video.id).parts
        XCTAssertEqual(parts.count, 4)
    }

    func testProgressAndStatesAreTold() async throws {
        let film = try Film(12 << 20)
        let (progress, states) = (Told<UploadProgress>(), Told<String>())
        let (device, token) = (device!, token!)
        let video = try await blocking {
            try device.upload(
                contentsOf: film.file, token: token,
                options: UploadOptions(
                    partBytes: smallestPart, progressInterval: .milliseconds(1)),
                progress: { progress.append($0) }, state: { states.append($0) })
        }.get()
        try await film.check(video.id, service)

        let confirmed = progress.values.map(\.bytesConfirmed)
        XCTAssertEqual(confirmed, confirmed.sorted(), "it never goes back")
        XCTAssertEqual(Set(confirmed).sorted(), [0, 5 << 20, 10 << 20, 12 << 20])
        XCTAssertEqual(Set(progress.values.map(\.bytesTotal)), [12 << 20])
        XCTAssertEqual(Set(progress.values.map(\.partsTotal)), [3])
        XCTAssertEqual(Set(progress.values.map(\.wait)), [nil])
        let last = try XCTUnwrap(progress.values.last)
        XCTAssertEqual(last.partsConfirmed, 3)
        XCTAssertEqual(last.bytesSent, 0)
        XCTAssertEqual(last.bytesRepeated, 0)
        XCTAssertEqual(
            Set(progress.values.map(\.activity)), [.sending, .waitingForAnswer])
        XCTAssertEqual(states.values.count, 2, "one after each part but the last")
    }

    func testActivityThatIsNotKnownIsStillOne() {
        XCTAssertEqual(UploadProgress.Activity(rawValue: 99).description, "activity 99")
        XCTAssertEqual(UploadProgress.Activity.waitingToRetry.description, "waitingToRetry")
    }

    func testUploadIsFollowedInALoop() async throws {
        let film = try Film(12 << 20)
        let upload = device.startUpload(
            contentsOf: film.file, token: token,
            options: UploadOptions(partBytes: smallestPart, progressInterval: .milliseconds(1)))
        var last: UploadProgress?
        for await progress in upload.progress {
            XCTAssertGreaterThanOrEqual(progress.bytesConfirmed, last?.bytesConfirmed ?? 0)
            last = progress
        }
        XCTAssertEqual(last?.bytesConfirmed, 12 << 20)
        let video = try await upload.value
        try await film.check(video.id, service)
        XCTAssertNil(upload.state, "there is nothing left to go on from")
    }

    func testUploadGoesOnFromWhereItWasCancelled() async throws {
        let film = try Film(12 << 20)
        let (device, token) = (device!, token!)
        let cancellation = Cancellation()
        let result = await blocking {
            try device.upload(
                contentsOf: film.file, token: token,
                options: UploadOptions(partBytes: smallestPart), cancellation: cancellation,
                progress: { if $0.partsConfirmed == 1 { cancellation.trigger() } })
        }
        let error = try await failure { try result.get() }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.outcome, .notApplied)
        let unfinished = try await service.ledger().video(error.uploadVideoID)
        XCTAssertFalse(unfinished.whole)

        let video = try await device.upload(
            contentsOf: film.file, token: token,
            options: UploadOptions(resume: try XCTUnwrap(error.uploadState)))
        XCTAssertEqual(video.id, error.uploadVideoID)
        try await film.check(video.id, service)
    }

    func testTaskThatAwaitsTheVideoCancelsTheUpload() async throws {
        let film = try Film(12 << 20)
        let upload = device.startUpload(
            contentsOf: film.file, token: token,
            options: UploadOptions(
                partBytes: smallestPart, maxBytesPerSecond: 2 << 20,
                progressInterval: .milliseconds(10)))
        let task = Task { try await upload.value }
        for await progress in upload.progress where progress.partsConfirmed >= 1 {
            task.cancel()
            break
        }
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.uploadState, upload.state)

        let video = try await device.upload(
            contentsOf: film.file, token: token,
            options: UploadOptions(resume: try XCTUnwrap(upload.state)))
        try await film.check(video.id, service)
    }

    func testTaskCancelledBeforeTheUploadSendsNothing() async throws {
        let film = try Film(1)
        let (device, token) = (device!, token!)
        let before = try await service.ledger()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await device.upload(contentsOf: film.file, token: token)
        }
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        let after = try await service.ledger()
        XCTAssertEqual(after.requests, before.requests)
    }

    func testWhatACallbackThrowsEndsTheUploadAndIsThrown() async throws {
        let film = try Film(12 << 20)
        let (device, token) = (device!, token!)
        let options = UploadOptions(partBytes: smallestPart)
        let states = Told<String>()

        let cancellation = Cancellation()
        let blocked = await blocking {
            try device.upload(
                contentsOf: film.file, token: token, options: options, cancellation: cancellation,
                state: {
                    states.append($0)
                    throw Mishap()
                })
        }
        XCTAssertThrowsError(try blocked.get()) { XCTAssertEqual($0 as? Mishap, Mishap()) }
        XCTAssertEqual(states.values.count, 1, "the upload has ended")
        XCTAssertNoThrow(
            try service.client().listTokens(cancellation: cancellation),
            "the caller's cancellation is not triggered")

        do {
            _ = try await device.upload(
                contentsOf: film.file, token: token, options: options,
                progress: { _ in throw Mishap() })
            XCTFail("nothing is thrown")
        } catch is Mishap {
        }

        let upload = device.startUpload(
            contentsOf: film.file, token: token, options: options, state: { _ in throw Mishap() })
        do {
            _ = try await upload.value
            XCTFail("nothing is thrown")
        } catch is Mishap {
        }
        let video = try await device.upload(
            contentsOf: film.file, token: token,
            options: UploadOptions(resume: try XCTUnwrap(upload.state)))
        try await film.check(video.id, service)
    }

    func testWhatACallbackThrowsAtTheVeryEndLeavesTheVideoToBeFound() async throws {
        let film = try Film(12 << 20)
        let (device, token) = (device!, token!)
        let states = Told<String>()
        let result = await blocking {
            try device.upload(
                contentsOf: film.file, token: token,
                options: UploadOptions(partBytes: smallestPart),
                progress: { if $0.bytesConfirmed == $0.bytesTotal { throw Mishap() } },
                state: { states.append($0) })
        }
        XCTAssertThrowsError(try result.get()) { XCTAssertEqual($0 as? Mishap, Mishap()) }
        let video = try await device.upload(
            contentsOf: film.file, token: token,
            options: UploadOptions(resume: try XCTUnwrap(states.values.last)))
        XCTAssertEqual(video.bytes, 12 << 20)
        let stored = try await service.ledger().video(video.id)
        XCTAssert(stored.whole)
    }

    func testUploadsThatWaitDoNotHoldUpTasks() async throws {
        // More than a machine has processors. The service answers after a minute.
        let film = try Film(1)
        let slow = try StandIn.slow
        let device = try slow.device()
        let before = try await slow.ledger()
        let uploads = (0..<64).map { _ in
            device.startUpload(contentsOf: film.file, token: "toNobodyHasEverMadeThisOne")
        }
        try await slow.receives(uploads.count, after: before)
        for upload in uploads { upload.cancel() }
        for upload in uploads {
            let error = try await failure { try await upload.value }
            XCTAssertEqual(error.status, .cancelled)
        }
    }

    func testCancellationTriggeredBeforehandEndsAnUploadAtOnce() async throws {
        let film = try Film(1)
        let (device, token) = (device!, token!)
        let cancellation = Cancellation()
        cancellation.trigger()
        let result = await blocking {
            try device.upload(
                contentsOf: film.file, token: token, cancellation: cancellation)
        }
        let error = try await failure { try result.get() }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.attempts, 0)
    }

    func testTimeOfTheClientDoesNotApplyButThatOfTheCall() async throws {
        let film = try Film(6 << 20)
        let hasty = try service.device(timeout: .milliseconds(1))
        let video = try await hasty.upload(contentsOf: film.file, token: token)
        try await film.check(video.id, service)

        let error = try await failure {
            try await device.upload(
                contentsOf: film.file, token: token,
                options: UploadOptions(maxBytesPerSecond: 1 << 20), timeout: .milliseconds(500))
        }
        XCTAssertEqual(error.status, .timeout)
    }

    func testEveryOptionIsTaken() async throws {
        let film = try Film(6 << 20)
        let video = try await device.upload(
            contentsOf: film.file, token: token,
            options: UploadOptions(
                partBytes: smallestPart, maxBytesPerSecond: 1 << 30, parallelParts: 16,
                stallTimeout: .seconds(60), answerTimeout: .seconds(600),
                patience: Client.noLimit, progressInterval: .seconds(1)),
            timeout: Client.noLimit, maxAttempts: 5)
        try await film.check(video.id, service)
    }

    func testVideoThatWasMadeBeforeIsUploadedTo() async throws {
        let film = try Film(1000)
        let id = try await makePrivateVideo()
        let video = try await device.upload(
            contentsOf: film.file, token: token, options: UploadOptions(videoID: id))
        XCTAssertEqual(video.id, id)
        XCTAssertEqual(video.isPublic, false)
        try await film.check(id, service)
    }

    func testNoTextHoldsASecret() async throws {
        let film = try Film(1000)
        let id = try await makePrivateVideo()
        let upload = device.startUpload(
            contentsOf: film.file, token: token, options: UploadOptions(videoID: id))
        let video = try await upload.value
        let session = try device.uploadSession(token: token)
        let options = UploadOptions(resume: "av", partBytes: smallestPart)
        let error = try await failure {
            try await device.upload(
                contentsOf: film.file, token: token, options: UploadOptions(partBytes: 1))
        }
        for value in [video, [video], upload, session, device!, options, error] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                XCTAssertFalse(text.contains(token), text)
                XCTAssertFalse(text.contains("://"), text)
            }
        }
    }

    func testTokenThatIsRefusedIsUnauthorized() async throws {
        let film = try Film(1000)
        let wrong = "toNobodyHasEverMadeThisOne"
        let error = try await failure {
            try await device.upload(contentsOf: film.file, token: wrong)
        }
        XCTAssertEqual(error.status, .unauthorized)
        XCTAssertEqual(error.outcome, .notApplied)
        XCTAssertNil(error.uploadState)
        XCTAssertNil(error.uploadVideoID)
        XCTAssertFalse(error.message.contains(wrong))
    }

    func testFileThatIsMissingIsNoSource() async throws {
        let error = try await failure {
            try await device.upload(
                contentsOf: URL(filePath: "/nowhere/film.mp4"), token: token)
        }
        XCTAssertEqual(error.status, .source)
        XCTAssertEqual(error.status.description, "AV_STATUS_SOURCE")
        XCTAssertEqual(error.outcome, .notApplied)
    }

    func testOtherFileThanBeforeIsNoSource() async throws {
        let (film, other) = (try Film(6 << 20), try Film(6 << 20))
        let upload = device.startUpload(
            contentsOf: film.file, token: token, options: UploadOptions(partBytes: smallestPart),
            state: { _ in throw Mishap() })
        _ = try? await upload.value
        let state = try XCTUnwrap(upload.state)
        let error = try await failure {
            try await device.upload(
                contentsOf: other.file, token: token, options: UploadOptions(resume: state))
        }
        XCTAssertEqual(error.status, .source)
    }

    func testWrongArgumentsAreRefusedBeforeAnythingIsSent() async throws {
        let film = try Film(1000)
        let before = try await service.ledger()
        let refused: [UploadOptions] = [
            UploadOptions(videoID: "a\0b"), UploadOptions(videoID: ""),
            UploadOptions(fileName: "a\0b"), UploadOptions(fileName: ""),
            UploadOptions(resume: "a\0b"), UploadOptions(resume: "no state"),
            UploadOptions(partBytes: 0), UploadOptions(partBytes: -1),
            UploadOptions(partBytes: smallestPart - 1), UploadOptions(partBytes: 201 << 20),
            UploadOptions(maxBytesPerSecond: 0), UploadOptions(maxBytesPerSecond: -1),
            UploadOptions(parallelParts: -1), UploadOptions(parallelParts: 17),
            UploadOptions(parallelParts: 1 << 32), UploadOptions(stallTimeout: .zero),
            UploadOptions(answerTimeout: .seconds(-1)), UploadOptions(patience: .seconds(1 << 32)),
            UploadOptions(progressInterval: .zero),
        ]
        for options in refused {
            let error = try await failure {
                try await device.upload(contentsOf: film.file, token: token, options: options)
            }
            XCTAssertEqual(error.status, .invalidArgument, "\(options)")
            XCTAssertThrowsError(
                try device.uploadSession(token: token, options: options), "\(options)"
            ) { XCTAssertEqual(($0 as? APIVideoError)?.status, .invalidArgument) }
        }
        for (file, token) in [
            (film.file, ""), (film.file, "a\0b"),
            (try XCTUnwrap(URL(string: "https://example.org/film.mp4")), token!),
        ] {
            let error = try await failure {
                try await device.upload(contentsOf: file, token: token)
            }
            XCTAssertEqual(error.status, .invalidArgument, "\(file) \(token)")
        }
        for (timeout, attempts) in [(Duration.zero, 1), (.seconds(-1), 1), (.seconds(1), 0)] {
            let error = try await failure {
                try await device.upload(
                    contentsOf: film.file, token: token, timeout: timeout, maxAttempts: attempts)
            }
            XCTAssertEqual(error.status, .invalidArgument, "\(timeout) \(attempts)")
        }
        let after = try await service.ledger()
        XCTAssertEqual(after.requests, before.requests)
    }

    func testClientWithoutAKeyCanOnlyUpload() async throws {
        let error = try await failure {
            try await device.createToken(timeToLive: .seconds(60))
        }
        XCTAssertEqual(error.status, .invalidArgument)
        XCTAssertThrowsError(try Client(.apiKey(""), baseURL: service.url)) {
            XCTAssertEqual(($0 as? APIVideoError)?.status, .invalidArgument)
        }
    }

    /// Makes a video with the key, as a backend does, and returns its id.
    private func makePrivateVideo() async throws -> String {
        struct Video: Decodable { let videoId: String }
        let key = try XCTUnwrap(ProcessInfo.processInfo.environment["APIVIDEO_API_KEY"])
        var request = URLRequest(url: try XCTUnwrap(URL(string: service.url + "/videos")))
        request.httpMethod = "POST"
        request.httpBody = Data(#"{"title": "secret", "public": false}"#.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue(
            "Basic " + Data("\(key):".utf8).base64EncodedString(),
            forHTTPHeaderField: "Authorization")
        let (data, _) = try await URLSession.shared.data(for: request)
        return try JSONDecoder().decode(Video.self, from: data).videoId
    }
}
