// The life of tokens, and what the service refuses.
import ApiVideo
import XCTest

final class TokenTests: XCTestCase {
    func testTokenLivesAndIsGoneAfterItIsDeleted() throws {
        let client = try StandIn.quick.client()
        let token = try client.createToken(timeToLive: .seconds(3600))
        XCTAssertEqual(token.timeToLive, .seconds(3600))
        XCTAssertFalse(token.neverExpires)
        let createdAt = try XCTUnwrap(token.createdAt)
        XCTAssertEqual(createdAt.timeIntervalSinceNow, 0, accuracy: 60)
        XCTAssertEqual(token.expiresAt, createdAt + 3600)

        XCTAssertEqual(try client.getToken(token.token), token)
        XCTAssert(try client.listTokens(TokenQuery(pageSize: 100)).tokens.contains(token))

        try client.deleteToken(token.token)
        XCTAssertThrowsError(try client.getToken(token.token)) { checkNotFound($0) }
        XCTAssertThrowsError(try client.deleteToken(token.token)) { checkNotFound($0) }
    }

    func testTokenLivesInATask() async throws {
        let client = try StandIn.quick.client()
        let token = try await client.createToken(timeToLive: .seconds(60))
        let found = try await client.getToken(token.token)
        XCTAssertEqual(found, token)
        let page = try await client.listTokens(TokenQuery(pageSize: 100))
        XCTAssert(page.tokens.contains(token))
        try await client.deleteToken(token.token)
        checkNotFound(try await failure { try await client.getToken(token.token) })
        checkNotFound(try await failure { try await client.deleteToken(token.token) })
    }

    func testTokenNeverExpiresIfThatIsAskedForByName() async throws {
        let client = try StandIn.quick.client()
        let made = try await client.createToken(timeToLive: .never)
        let blocked = await blocking { () throws(APIVideoError) in
            try client.createToken(timeToLive: .never)
        }
        for token in [made, try blocked.get()] {
            XCTAssert(token.neverExpires)
            XCTAssertNil(token.timeToLive)
            XCTAssertNil(token.expiresAt)
            try await client.deleteToken(token.token)
        }
    }

    func testPageTellsWhereItIs() throws {
        let client = try StandIn.quick.client()
        try make(3, with: client)
        let total = try XCTUnwrap(client.listTokens().tokensTotal)
        XCTAssertGreaterThanOrEqual(total, 3)

        let page = try client.listTokens(TokenQuery(page: 2, pageSize: 1))
        XCTAssertEqual(page.tokens.count, 1)
        XCTAssertEqual(page.number, 2)
        XCTAssertEqual(page.size, 1)
        XCTAssertEqual(page.pagesTotal, total)
        XCTAssertEqual(page.tokensTotal, total)
    }

    func testTokensAreSortedAsAsked() throws {
        let client = try StandIn.quick.client()
        let made = [
            try make(timeToLive: .seconds(300), with: client),
            try make(timeToLive: .seconds(100), with: client),
            try make(timeToLive: .seconds(200), with: client),
        ]
        func sorted(_ order: TokenQuery.Order) throws -> [Token] {
            try client.tokens(TokenQuery(sortedBy: .timeToLive, order: order))
                .map { try $0.get() }.filter(made.contains)
        }
        XCTAssertEqual(try sorted(.ascending), [made[1], made[2], made[0]])
        XCTAssertEqual(try sorted(.descending), [made[0], made[2], made[1]])
    }

    func testSequenceGoesThroughAllPages() async throws {
        let service = try StandIn.quick
        let client = try service.client()
        try make(5, with: client)

        let before = try await service.ledger()
        let tokens = client.tokens(TokenQuery(pageSize: 2))
        var iterator = tokens.makeIterator()
        let untouched = try await service.ledger()
        XCTAssertEqual(untouched.requests, before.requests, "nothing is sent until it is asked for")

        var all: [String] = []
        while let result = iterator.next() { all.append(try result.get().token) }
        XCTAssertNil(iterator.next(), "the end stays the end")
        let after = try await service.ledger()
        XCTAssertEqual(all, after.tokens, "every token, once, the oldest first")
        XCTAssertEqual(after.requests - before.requests, (all.count + 1) / 2, "a request a page")
        XCTAssertGreaterThanOrEqual((all.count + 1) / 2, 3)

        XCTAssertEqual(try tokens.map { try $0.get().token }, all, "it can be gone through again")
    }

    func testAsyncSequenceGoesThroughAllPages() async throws {
        let service = try StandIn.quick
        let client = try service.client()
        try make(5, with: client)

        let before = try await service.ledger()
        var all: [String] = []
        for try await token in client.asyncTokens(TokenQuery(pageSize: 2)) {
            all.append(token.token)
        }
        let after = try await service.ledger()
        XCTAssertEqual(all, after.tokens, "every token, once, the oldest first")
        XCTAssertEqual(after.requests - before.requests, (all.count + 1) / 2, "a request a page")
        XCTAssertGreaterThanOrEqual((all.count + 1) / 2, 3)
    }

    func testWrongKeyIsUnauthorized() async throws {
        let client = try Client(.apiKey("wrong"), baseURL: StandIn.quick.url)
        let error = try await failure { try await client.createToken(timeToLive: .seconds(60)) }
        XCTAssertEqual(error.status, .unauthorized)
        XCTAssertEqual(error.httpStatus, 401)
        XCTAssertEqual(error.outcome, .notApplied)
    }

    func testSequenceEndsWithItsFailure() async throws {
        let client = try Client(.apiKey("wrong"), baseURL: StandIn.quick.url)
        var iterator = client.tokens().makeIterator()
        guard case .failure(let error) = iterator.next() else { return XCTFail("no failure") }
        XCTAssertEqual(error.status, .unauthorized)
        XCTAssertNil(iterator.next())

        var asyncIterator = client.asyncTokens().makeAsyncIterator()
        do {
            _ = try await asyncIterator.next()
            XCTFail("no failure")
        } catch {
            XCTAssertEqual(error.status, .unauthorized)
        }
        let end = try await asyncIterator.next()
        XCTAssertNil(end)
    }

    func testErrorTellsAllThatTheServiceTells() throws {
        let body = """
            {"type": "https://example.org/invalid", "title": "Two things are wrong.", "status": 400,
             "name": "ttl", "problems": [{"title": "Too odd.", "name": "ttl"},
             {"type": "https://example.org/even", "title": "Too even.", "detail": "It is 2.", "name": ""}]}
            """
        let service = try CannedService(
            answer: "HTTP/1.1 400 Bad Request\r\nRetry-After: 90\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        let client = try Client(.apiKey("demo"), baseURL: service.url)
        XCTAssertThrowsError(try client.createToken(timeToLive: .seconds(60))) { error in
            guard let error = error as? APIVideoError else { return XCTFail("\(error)") }
            XCTAssertEqual(error.status, .rejected)
            XCTAssertEqual(error.httpStatus, 400)
            XCTAssertEqual(error.outcome, .notApplied)
            XCTAssertEqual(error.attempts, 1)
            XCTAssertEqual(error.retryAfter, .seconds(90))
            XCTAssertEqual(error.problem?.type, "https://example.org/invalid")
            XCTAssertEqual(error.problem?.title, "Two things are wrong.")
            XCTAssertNil(error.problem?.detail)
            XCTAssertEqual(error.problem?.name, "ttl")
            XCTAssertEqual(error.problems.map(\.title), ["Too odd.", "Too even."])
            XCTAssertEqual(error.problems.map(\.detail), [nil, "It is 2."])
            XCTAssertEqual(error.problems.map(\.name), ["ttl", ""])
            XCTAssertEqual(error.body, Data(body.utf8))
        }
    }

    func testLostAnswerOfACreateIsTold() throws {
        let service = try CannedService(
            answer: "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
        let client = try Client(.apiKey("demo"), baseURL: service.url)
        XCTAssertThrowsError(try client.createToken(timeToLive: .seconds(60))) { error in
            XCTAssertEqual((error as? APIVideoError)?.outcome, .applied)
            XCTAssertEqual((error as? APIVideoError)?.isRetryable, false)
        }
    }

    func testNoServiceIsNoConnection() throws {
        // Port 1 is reserved, and nothing answers at it.
        let client = try Client(.apiKey("demo"), baseURL: "http://127.0.0.1:1", maxAttempts: 1)
        XCTAssertThrowsError(try client.createToken(timeToLive: .seconds(60))) { error in
            let error = error as? APIVideoError
            XCTAssertEqual(error?.status, .connect)
            XCTAssertEqual(error?.outcome, .notApplied)
            XCTAssertEqual(error?.isRetryable, true)
            XCTAssertNil(error?.httpStatus)
            XCTAssertNil(error?.problem)
            XCTAssertNil(error?.body)
        }
    }

    private func make(_ count: Int, with client: Client) throws {
        for _ in 0..<count { _ = try make(timeToLive: .seconds(600), with: client) }
    }

    /// A token that is deleted when the test ends.
    private func make(timeToLive: TimeToLive, with client: Client) throws -> Token {
        let token = try client.createToken(timeToLive: timeToLive)
        addTeardownBlock { try client.deleteToken(token.token) }
        return token
    }

    private func checkNotFound(
        _ error: any Error, file: StaticString = #filePath, line: UInt = #line
    ) {
        guard let error = error as? APIVideoError else {
            return XCTFail("not an APIVideoError: \(error)", file: file, line: line)
        }
        XCTAssertEqual(error.status, .notFound, file: file, line: line)
        XCTAssertEqual(error.status.description, "AV_STATUS_NOT_FOUND", file: file, line: line)
        XCTAssertEqual(error.httpStatus, 404, file: file, line: line)
        XCTAssertEqual(error.outcome, .notApplied, file: file, line: line)
        XCTAssertEqual(error.attempts, 1, file: file, line: line)
        XCTAssertFalse(error.isRetryable, file: file, line: line)
        XCTAssertNil(error.retryAfter, file: file, line: line)
        XCTAssertEqual(
            error.problem?.title, "The requested resource was not found.", file: file, line: line)
        XCTAssertEqual(error.problem?.name, "uploadToken", file: file, line: line)
        XCTAssertEqual(error.localizedDescription, error.message, file: file, line: line)
        XCTAssertFalse(error.body?.isEmpty ?? true, file: file, line: line)
    }
}
