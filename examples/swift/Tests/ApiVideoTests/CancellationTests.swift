// Ending calls early: by cancelling the task, by a Cancellation, by the time running out.
import ApiVideo
import XCTest

final class CancellationTests: XCTestCase {
    func testTaskCancelledBeforeTheCallSendsNothing() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let before = try await service.ledger()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.createToken(timeToLive: .seconds(60))
        }
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.outcome, .notApplied)
        XCTAssertEqual(error.attempts, 0)
        let after = try await service.ledger()
        XCTAssertEqual(after.requests, before.requests)
    }

    func testTaskCancelledDuringTheCallEndsIt() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let before = try await service.ledger()
        let task = Task { try await client.createToken(timeToLive: .seconds(60)) }
        try await service.receives(after: before)
        task.cancel()
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.outcome, .unknown, "the request had been sent")
        XCTAssertEqual(error.attempts, 1)
        XCTAssertFalse(error.isRetryable)
    }

    func testTaskCancelledWhileIteratingEndsTheSequence() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let before = try await service.ledger()
        let task = Task {
            for try await token in client.asyncTokens() { XCTFail("got \(token)") }
        }
        try await service.receives(after: before)
        task.cancel()
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.outcome, .notApplied)
    }

    func testOneTaskOfManyIsCancelledAlone() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let before = try await service.ledger()
        let other = Task { try await client.listTokens(timeout: .milliseconds(300)) }
        let task = Task { try await client.listTokens() }
        try await service.receives(after: before)
        task.cancel()
        let cancelled = try await failure { try await task.value }
        XCTAssertEqual(cancelled.status, .cancelled)
        let timedOut = try await failure { try await other.value }
        XCTAssertEqual(timedOut.status, .timeout)
    }

    func testTaskCancelledAsTheCallEndsGetsOneOrTheOther() async throws {
        let client = try StandIn.quick.client()
        try await race { wait in
            let task = Task { try await client.listTokens() }
            wait()
            task.cancel()
            return await task.result
        }
    }

    func testTriggeredCancellationEndsABlockingCall() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let cancellation = Cancellation()
        let before = try await service.ledger()
        async let result = blocking { () throws(APIVideoError) in
            try client.createToken(timeToLive: .seconds(60), cancellation: cancellation)
        }
        try await service.receives(after: before)
        cancellation.trigger()
        guard case .failure(let error) = await result else { return XCTFail("not cancelled") }
        XCTAssertEqual(error.status, .cancelled)
        XCTAssertEqual(error.outcome, .unknown, "the request had been sent")
    }

    func testTriggeredCancellationEndsLaterCallsBeforeAnythingIsSent() async throws {
        let service = try StandIn.slow
        let client = try service.client()
        let cancellation = Cancellation()
        cancellation.trigger()
        cancellation.trigger()
        let before = try await service.ledger()
        for _ in 0..<3 {
            let error = try await failure {
                try client.createToken(timeToLive: .seconds(60), cancellation: cancellation)
            }
            XCTAssertEqual(error.status, .cancelled)
            XCTAssertEqual(error.outcome, .notApplied)
            XCTAssertEqual(error.attempts, 0)
        }
        var iterator = client.tokens(cancellation: cancellation).makeIterator()
        XCTAssertThrowsError(try iterator.next()?.get()) {
            XCTAssertEqual(($0 as? APIVideoError)?.status, .cancelled)
        }
        let after = try await service.ledger()
        XCTAssertEqual(after.requests, before.requests)
    }

    func testCancellationTriggeredAsTheCallEndsGetsOneOrTheOther() async throws {
        let client = try StandIn.quick.client()
        try await race { wait in
            let cancellation = Cancellation()
            async let result = blocking { () throws(APIVideoError) in
                try client.listTokens(cancellation: cancellation)
            }
            wait()
            cancellation.trigger()
            return await result.mapError { $0 }
        }
    }

    func testTimeoutEndsTheCall() async throws {
        let client = try StandIn.slow.client()
        let began = ContinuousClock.now
        let error = try await failure {
            try await client.createToken(timeToLive: .seconds(60), timeout: .milliseconds(2000))
        }
        XCTAssertEqual(error.status, .timeout)
        XCTAssertEqual(error.outcome, .unknown)
        // The service would answer after 60 seconds, the client by itself give up after 30.
        XCTAssertLessThan(ContinuousClock.now - began, .seconds(20))
    }

    func testTimeoutOfTheClientHoldsForEveryCall() async throws {
        let client = try StandIn.slow.client(timeout: .milliseconds(100))
        let error = try await failure { try await client.getToken("to-none") }
        XCTAssertEqual(error.status, .timeout)
        XCTAssertEqual(error.outcome, .notApplied)
        var iterator = client.tokens().makeIterator()
        XCTAssertThrowsError(try iterator.next()?.get()) {
            XCTAssertEqual(($0 as? APIVideoError)?.status, .timeout)
        }
    }

    /// Has a call cancelled after a wait, many times: a shorter one after a call that was completed,
    /// a longer one after one that was not. That stays about the very moment at which calls end.
    private func race(
        _ call: (_ wait: () -> Void) async -> Result<TokenPage, any Error>
    ) async throws {
        var wait = Duration.microseconds(100)
        var (completed, cancelled) = (0, 0)
        for _ in 0..<2000 {
            let result = await call {
                let moment = ContinuousClock.now + wait
                while ContinuousClock.now < moment {}
            }
            do {
                _ = try result.get()
                completed += 1
                wait = wait * 0.9
            } catch let error as APIVideoError {
                XCTAssertEqual(error.status, .cancelled)
                cancelled += 1
                wait = wait * 1.1
            }
        }
        XCTAssertGreaterThan(completed, 100, "\(cancelled) were cancelled")
        XCTAssertGreaterThan(cancelled, 100, "\(completed) were completed")
    }
}
