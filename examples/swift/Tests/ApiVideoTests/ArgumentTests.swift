// What is refused before anything is sent: nothing wraps, nothing is cut short, nothing traps.
import ApiVideo
import XCTest

final class ArgumentTests: XCTestCase {
    func testNoTokenIsMadeWhoseTimeToLiveIsOddOrRoundsToZero() async throws {
        let service = try StandIn.quick
        let client = try service.client()
        let before = try await service.ledger()
        let refused: [Duration] = [
            .zero, .seconds(-1), .seconds(Int64(Int32.max) + 1), .seconds(Int64(UInt32.max) + 6),
            .seconds(Int64.min), .seconds(Int64.max), .seconds(Int64.max) * 4, .milliseconds(1),
            .milliseconds(400), .seconds(1) - .nanoseconds(1), .nanoseconds(-1),
            .seconds(Int32.max) + .nanoseconds(1), Client.noLimit * 1000,
        ]
        for duration in refused {
            let error = try refusal("\(duration)") {
                try client.createToken(timeToLive: TimeToLive(duration))
            }
            XCTAssert(error?.message.contains("timeToLive") == true)
        }
        let after = try await service.ledger()
        XCTAssertEqual(after.requests, before.requests, "nothing is sent")
    }

    func testTimeToLiveIsRoundedUpToWholeSeconds() throws {
        let client = try StandIn.quick.client()
        for (asked, told): (TimeToLive, Int32) in [
            (.seconds(1), 1), (.seconds(1000), 1000), (.seconds(Int32.max), Int32.max),
            (TimeToLive(.milliseconds(1500)), 2), (TimeToLive(.seconds(2) + .nanoseconds(1)), 3),
        ] {
            let token = try client.createToken(timeToLive: asked)
            XCTAssertEqual(token.timeToLive, .seconds(told))
            try? client.deleteToken(token.token)  // unless it has expired by now
        }
    }

    func testTimeoutIsMillisecondsThatFit() throws {
        let client = try StandIn.quick.client()
        let refused: [Duration] = [
            .zero, .seconds(-1), .nanoseconds(-1), .milliseconds(Int64(UInt32.max) + 1),
            Client.noLimit - .nanoseconds(1),  // it would round up to no limit at all
            .seconds(Int64.max), .seconds(Int64.max) * 4,
        ]
        for duration in refused {
            try refusal("\(duration)") { try client.listTokens(timeout: duration) }
            try refusal("\(duration)") { try StandIn.quick.client(timeout: duration) }
        }
        for duration in [Client.noLimit, .seconds(60)] {
            XCTAssertNoThrow(try client.listTokens(timeout: duration))
        }
        // Rounded up to a millisecond: 0 would be the default, which is 30 seconds.
        let began = ContinuousClock.now
        XCTAssertThrowsError(try StandIn.slow.client().listTokens(timeout: .nanoseconds(1))) {
            XCTAssertEqual(($0 as? APIVideoError)?.status, .timeout)
        }
        XCTAssertLessThan(ContinuousClock.now - began, .seconds(20))
    }

    func testNumbersOutOfRangeAreRefused() throws {
        let client = try StandIn.quick.client()
        for value in [0, -1, Int.min, Int.max, 1 << 32, 1 << 32 + 1] {
            try refusal("\(value)") { try client.listTokens(TokenQuery(page: value)) }
            try refusal("\(value)") { try client.listTokens(TokenQuery(pageSize: value)) }
            try refusal("\(value)") {
                var iterator = client.tokens(TokenQuery(page: value)).makeIterator()
                return try iterator.next()?.get()
            }
            try refusal("\(value)") {
                try Client(.apiKey("demo"), baseURL: StandIn.quick.url, maxAttempts: value)
            }
        }
        try refusal("101") { try client.listTokens(TokenQuery(pageSize: 101)) }
    }

    func testTextWithNulInsideIsRefused() throws {
        let service = try StandIn.quick
        let client = try service.client()
        let token = try client.createToken(timeToLive: .seconds(60))
        defer { try? client.deleteToken(token.token) }
        for text in ["\0", token.token + "\0", token.token + "\0tail"] {
            try refusal(text) { try client.getToken(text) }
            try refusal(text) { try client.deleteToken(text) }
        }
        XCTAssertEqual(try client.getToken(token.token), token, "no other token was deleted")

        let (key, url) = (Client.Credential.apiKey("demo"), service.url)
        try refusal("apiKey") { try Client(.apiKey("demo\0"), baseURL: url) }
        try refusal("accessToken") { try Client(.accessToken("demo\0"), baseURL: url) }
        try refusal("baseURL") { try Client(key, baseURL: url + "\0") }
        try refusal("name") { try Client(key, application: (name: "a\0", version: "1")) }
        try refusal("version") { try Client(key, application: (name: "a", version: "1\0")) }
        try refusal("caFile") { try Client(key, baseURL: url, caFile: "\0") }
        try refusal("proxyURL") { try Client(key, baseURL: url, proxyURL: "\0") }
    }

    func testWhatTheLibraryRefusesIsThrown() throws {
        let client = try StandIn.quick.client()
        for text in ["", ".", ".."] { try refusal(text) { try client.getToken(text) } }
        try refusal("no key") { try Client(.apiKey("")) }
        try refusal("colon") { try Client(.apiKey("a:b")) }
        try refusal("plain http") { try Client(.apiKey("demo"), baseURL: "http://192.0.2.1") }
        XCTAssertNoThrow(
            try Client(.apiKey("demo"), baseURL: "http://192.0.2.1", allowPlainHTTP: true))
    }

    func testAsyncCallsRefuseTheSame() async throws {
        let client = try StandIn.quick.client()
        let ttl = try await failure { try await client.createToken(timeToLive: .seconds(-1)) }
        XCTAssertEqual(ttl.status, .invalidArgument)
        let nul = try await failure { try await client.getToken("a\0b") }
        XCTAssertEqual(nul.status, .invalidArgument)
        let page = try await failure {
            for try await token in client.asyncTokens(TokenQuery(page: -1)) { XCTFail("\(token)") }
        }
        XCTAssertEqual(page.status, .invalidArgument)
    }

    /// What `body` throws, which is `.invalidArgument`.
    @discardableResult
    private func refusal<Value>(
        _ what: String, file: StaticString = #filePath, line: UInt = #line,
        _ body: () throws -> Value
    ) throws -> APIVideoError? {
        var refusal: APIVideoError?
        XCTAssertThrowsError(try body(), what, file: file, line: line) { error in
            refusal = error as? APIVideoError
            XCTAssertEqual(refusal?.status, .invalidArgument, what, file: file, line: line)
            XCTAssertEqual(refusal?.outcome, .notApplied, what, file: file, line: line)
        }
        return refusal
    }
}
