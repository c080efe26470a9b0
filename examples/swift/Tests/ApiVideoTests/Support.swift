// What the tests share: clients of the two stand-in services, and the ledger of what these did.
import ApiVideo
import Foundation
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A stand-in service that tests/languages/with_local_api.sh started.
struct StandIn {
    let url: String

    /// Answers at once.
    static var quick: StandIn { get throws { try StandIn("APIVIDEO_BASE_URL") } }
    /// Does its work at once, and answers after a minute.
    static var slow: StandIn { get throws { try StandIn("APIVIDEO_SLOW_BASE_URL") } }

    private init(_ variable: String) throws {
        url = try XCTUnwrap(ProcessInfo.processInfo.environment[variable], "\(variable) is not set")
    }

    func client(timeout: Duration? = nil) throws -> Client {
        let key = try XCTUnwrap(
            ProcessInfo.processInfo.environment["APIVIDEO_API_KEY"], "APIVIDEO_API_KEY is not set")
        return try Client(.apiKey(key), baseURL: url, timeout: timeout)
    }

    /// A device's client, which knows no key.
    func device(timeout: Duration? = nil) throws -> Client {
        try Client(.noCredential, baseURL: url, timeout: timeout)
    }

    /// What the service really did.
    func ledger() async throws -> Ledger {
        let url = try XCTUnwrap(URL(string: url + "/local-api/ledger"))
        let (data, _) = try await URLSession.shared.data(from: url)
        return try JSONDecoder().decode(Ledger.self, from: data)
    }

    /// Waits until the service has received some more requests than those of `before`.
    func receives(_ requests: Int = 1, after before: Ledger) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await ledger().requests < before.requests + requests {
            if ContinuousClock.now > deadline { throw Missing() }
        }
    }

    struct Missing: Error {}
}

struct Ledger: Decodable {
    /// Those that arrived, whatever became of them.
    let requests: Int
    /// All tokens that there are.
    let tokens: [String]
    let uploads: Uploads

    struct Uploads: Decodable {
        let videos: [Video]
        /// Uploads that came with a credential beside their token.
        let withAuthorization: Int

        enum CodingKeys: String, CodingKey {
            case videos
            case withAuthorization = "with_authorization"
        }
    }

    struct Video: Decodable {
        let videoId: String
        let title: String
        let whole: Bool
        let bytes: Int
        /// That of the whole.
        let sha256: String?
        let parts: [Part]
    }

    struct Part: Decodable {
        /// How often it came whole.
        let received: Int
    }

    func video(_ id: String?) throws -> Video {
        try XCTUnwrap(uploads.videos.first { $0.videoId == id }, "no video \(id ?? "nil")")
    }
}

/// Bytes to upload, and a file of them, which goes with the last reference.
final class Film: Sendable {
    let bytes: Data
    let file: URL

    /// So many bytes, none like the others.
    init(_ count: Int) throws {
        let random = try XCTUnwrap(FileHandle(forReadingAtPath: "/dev/urandom"))
        bytes = try XCTUnwrap(random.read(upToCount: count))
        file = FileManager.default.temporaryDirectory.appending(
            path: "film-\(UUID().uuidString).mp4")
        try bytes.write(to: file)
    }

    deinit { try? FileManager.default.removeItem(at: file) }

    /// The bytes in pieces of an odd size.
    var chunks: [Data] {
        stride(from: 0, to: bytes.count, by: 700_001).map {
            bytes[$0..<min($0 + 700_001, bytes.count)]
        }
    }

    /// Checks that the service has just this, with no part that it had received before.
    func check(
        _ id: String?, _ service: StandIn, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let video = try await service.ledger().video(id)
        XCTAssert(video.whole, file: file, line: line)
        XCTAssertEqual(video.bytes, bytes.count, file: file, line: line)
        XCTAssertEqual(video.sha256, try sha256(), file: file, line: line)
        XCTAssertEqual(video.parts.map(\.received).max(), 1, file: file, line: line)
    }

    private func sha256() throws -> String {
        let (sum, output) = (Process(), Pipe())
        sum.executableURL = URL(filePath: "/usr/bin/env")
        sum.arguments = ["sha256sum", file.path]
        sum.standardOutput = output
        try sum.run()
        let line = output.fileHandleForReading.readDataToEndOfFile()
        sum.waitUntilExit()
        return String(decoding: line.prefix(64), as: UTF8.self)
    }
}

/// What callbacks were told, on whatever thread.
final class Told<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var told: [Value] = []

    func append(_ value: Value) { lock.withLock { told.append(value) } }
    var values: [Value] { lock.withLock { told } }
}

/// A service that gives one answer, whatever it is asked, to one connection.
struct CannedService {
    let url: String

    init(answer: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let ready = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        XCTAssert(ready, "no socket: errno \(errno)")
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread {
            let connection = accept(listener, nil, nil)
            var request = [UInt8](repeating: 0, count: 4096)
            _ = read(connection, &request, request.count)
            _ = answer.withCString { write(connection, $0, strlen($0)) }
            close(connection)
            close(listener)
        }
    }
}

/// Runs what blocks without keeping a thread that tasks need.
func blocking<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async -> Result<Value, Failure> {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: Result(catching: body)) }
    }
}

/// What `body` throws; a test in which it throws nothing has failed.
func failure<Value: Sendable>(of body: () async throws -> Value) async throws -> APIVideoError {
    do {
        throw NothingThrown(returned: try await body())
    } catch let error as APIVideoError {
        return error
    }
}

struct NothingThrown<Value: Sendable>: Error {
    let returned: Value
}
