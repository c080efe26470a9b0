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
func blocking<Value: Sendable>(
    _ body: @escaping @Sendable () throws(APIVideoError) -> Value
) async -> Result<Value, APIVideoError> {
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
