// Many calls at once, and how long what they use lives.
import ApiVideo
import XCTest

final class SharingTests: XCTestCase {
    func testOneClientServesManyTasks() async throws {
        let client = try StandIn.quick.client()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<10 {
                        let token = try await client.createToken(timeToLive: .seconds(600))
                        let found = try await client.getToken(token.token)
                        XCTAssertEqual(found, token)
                        try await client.deleteToken(token.token)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func testOneClientServesManyThreads() throws {
        let client = try StandIn.quick.client()
        DispatchQueue.concurrentPerform(iterations: 16) { _ in
            for _ in 0..<40 {
                do {
                    let token = try client.createToken(timeToLive: .seconds(600))
                    XCTAssertEqual(try client.getToken(token.token), token)
                    try client.deleteToken(token.token)
                } catch {
                    XCTFail("\(error)")
                }
            }
        }
    }

    func testCallsThatWaitDoNotHoldUpTasks() async throws {
        // More than a machine has processors, and than Dispatch gives threads.
        let service = try StandIn.slow
        let client = try service.client()
        let before = try await service.ledger()
        let waiting = 300
        let tasks = (0..<waiting).map { _ in Task { try await client.listTokens() } }
        try await service.receives(waiting, after: before)
        let token = try await StandIn.quick.client().createToken(timeToLive: .seconds(60))
        try await StandIn.quick.client().deleteToken(token.token)
        for task in tasks { task.cancel() }
        for task in tasks {
            let error = try await failure { try await task.value }
            XCTAssertEqual(error.status, .cancelled)
        }
    }

    func testNoThreadToBeHadIsAnError() async throws {
        let client = try StandIn.slow.client()
        let addressSpace = __rlimit_resource_t(RLIMIT_AS.rawValue)
        var limit = rlimit()
        XCTAssertEqual(getrlimit(addressSpace, &limit), 0)
        var usual = limit
        // No room for another stack; those of threads that have ended are used up first.
        limit.rlim_cur = rlim_t(try Resources().virtualBytes + 1 << 20)
        XCTAssertEqual(setrlimit(addressSpace, &limit), 0)
        defer { XCTAssertEqual(setrlimit(addressSpace, &usual), 0) }

        let error = try await failure {
            try await withThrowingTaskGroup(of: TokenPage.self) { group in
                for _ in 0..<100 { group.addTask { try await client.listTokens() } }
                return try await group.next()
            }
        }
        XCTAssertEqual(error.status, .connect)
        XCTAssertEqual(error.outcome, .notApplied)
        XCTAssert(error.isRetryable)
    }

    func testClientLivesAsLongAsItsCalls() async throws {
        let service = try StandIn.slow
        var client: Client? = try service.client()
        weak var watched = client
        let before = try await service.ledger()
        let task = Task { [client] in try await client!.createToken(timeToLive: .seconds(60)) }
        client = nil
        try await service.receives(after: before)
        XCTAssertNotNil(watched)
        task.cancel()
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
    }

    func testIteratorNeedsNoClient() throws {
        var client: Client? = try StandIn.quick.client()
        weak var watched = client
        let made = try (0..<2).map { _ in try client!.createToken(timeToLive: .seconds(600)) }
        var iterator = client!.tokens(TokenQuery(pageSize: 1)).makeIterator()
        XCTAssertNotNil(try iterator.next()?.get())
        client = nil
        XCTAssertNil(watched, "the client is freed with its last reference")
        XCTAssertNotNil(try iterator.next()?.get())
        client = try StandIn.quick.client()
        for token in made { try client!.deleteToken(token.token) }
    }
}
