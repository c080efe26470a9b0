// Ten thousand calls, and hundreds of uploads, after which the process holds what it held before.
import ApiVideo
import CMalloc
import XCTest

// The name makes it the first to run: what other tests leave to pools and caches, such as threads that
// end late, would blur the account.
final class AllocationTests: XCTestCase {
    func testTenThousandCallsLeaveNothing() async throws {
        let client = try StandIn.quick.client()
        try await checkNothingIsLeft { () throws in
            let token = try client.createToken(timeToLive: .seconds(600))
            _ = try client.getToken(token.token)
            _ = try client.listTokens()
            _ = try client.tokens().map { try $0.get() }
            try client.deleteToken(token.token)
            XCTAssertThrowsError(try client.getToken(token.token))
            XCTAssertThrowsError(try client.deleteToken(token.token))
            let cancellation = Cancellation()
            cancellation.trigger()
            XCTAssertThrowsError(try client.listTokens(cancellation: cancellation))
            _ = try StandIn.quick.client()
        }
    }

    func testTenThousandAsyncCallsLeaveNothing() async throws {
        let client = try StandIn.quick.client()
        try await checkNothingIsLeft {
            let token = try await client.createToken(timeToLive: .seconds(600))
            _ = try await client.getToken(token.token)
            _ = try await client.listTokens()
            for try await _ in client.asyncTokens() {}
            try await client.deleteToken(token.token)
            _ = try await failure { try await client.getToken(token.token) }
            _ = try await failure { try await client.deleteToken(token.token) }
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.listTokens()
            }
            _ = try await failure { try await task.value }
        }
    }

    func testUploadsLeaveNothing() async throws {
        let film = try Film(1)
        let client = try StandIn.quick.client()
        let token = try await client.createToken(timeToLive: .seconds(600)).token
        let device = try StandIn.quick.device()
        // What the service keeps of each video would slow down other tests.
        try await checkNothingIsLeft(rounds: 300) {
            let upload = device.startUpload(contentsOf: film.file, token: token)
            for await _ in upload.progress {}
            _ = try await upload.value
            _ = try await failure {
                try await device.upload(
                    contentsOf: film.file, token: token, options: UploadOptions(resume: "none"))
            }
            do {
                _ = try await device.upload(
                    contentsOf: film.file, token: token, progress: { _ in throw Mishap() })
            } catch is Mishap {
            }
            let session = try device.uploadSession(token: token, state: { _ in })
            try await session.write(film.bytes)
        }
        try await client.deleteToken(token)
    }

    /// Makes so many rounds, of eight calls by default, which are ten thousand, and compares what the
    /// process holds before and after.
    private func checkNothingIsLeft(
        rounds: Int = 1250, _ round: () async throws -> Void
    ) async throws {
        for _ in 0..<rounds / 5 { try await round() }  // until pools and caches have their size
        let before = try Resources()
        for _ in 0..<rounds { try await round() }
        var after = try Resources()
        // The thread of the last call may still be about to end.
        let deadline = ContinuousClock.now + .seconds(10)
        while !after.isAbout(before) && ContinuousClock.now < deadline { after = try Resources() }
        XCTAssert(after.isAbout(before), "\(before) has become \(after)")
    }
}

/// What this process holds.
struct Resources {
    let descriptors: Int
    /// The address space that is in use.
    let virtualBytes: Int
    /// The memory that is resident.
    let residentBytes: Int
    /// The part of it that was allocated and not freed.
    let heapBytes: Int

    init() throws {
        descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = statm.split(separator: " ").compactMap { Int($0) }
        virtualBytes = pages[0] * sysconf(Int32(_SC_PAGESIZE))
        residentBytes = pages[1] * sysconf(Int32(_SC_PAGESIZE))
        let heap = mallinfo2()
        heapBytes = heap.uordblks + heap.hblkhd
    }

    /// Whether nothing of 50 bytes has been left in each of 1250 rounds, or of 220 in each of 300.
    func isAbout(_ before: Resources) -> Bool {
        descriptors <= before.descriptors && residentBytes < before.residentBytes + 1 << 20
            && heapBytes < before.heapBytes + 64 << 10
    }
}
