// How every call is made: its options and error, its arguments checked and lent, its cancellation,
// and the thread on which an `async` one waits.
import CApiVideo
import Foundation

/// Cancels blocking calls from another thread: pass it to any number of them, one after the other or
/// at once. An `async` call needs none; it ends with its task.
public final class Cancellation: @unchecked Sendable {  // av_cancel_trigger is for any thread
    fileprivate let handle: OpaquePointer = av_cancel_new()
    private let lock = NSLock()  // of what follows
    private var isTriggered = false
    private var followers: [ObjectIdentifier: Cancellation] = [:]

    /// A cancellation that is not triggered.
    public init() {}

    deinit { av_cancel_free(handle) }

    /// Ends every call that uses this with `.cancelled`, and every later one before anything is
    /// sent. From any thread, any number of times; never blocks.
    public func trigger() {
        withExtendedLifetime(self) { av_cancel_trigger(handle) }
        let followers = lock.withLock {
            isTriggered = true
            return Array(self.followers.values)
        }
        for follower in followers { follower.trigger() }
    }

    /// Has `follower` triggered with this one, for the length of `body`: one call may be ended for
    /// reasons of its own without ending all others that this one is passed to.
    func whileFollowed<Value>(
        by follower: Cancellation, _ body: () throws(APIVideoError) -> Value
    ) throws(APIVideoError) -> Value {
        let isTriggered = lock.withLock {
            followers[ObjectIdentifier(follower)] = follower
            return self.isTriggered
        }
        defer { lock.withLock { _ = followers.removeValue(forKey: ObjectIdentifier(follower)) } }
        if isTriggered { follower.trigger() }
        return try body()
    }
}

/// Makes one call of the library, and throws what it tells to have gone wrong.
func call(
    timeout: Duration? = nil, maxAttempts: Int? = nil, cancellation: Cancellation? = nil,
    _ body: (UnsafePointer<av_request_options>, UnsafeMutablePointer<OpaquePointer?>) -> av_status
) throws(APIVideoError) {
    var options = av_request_options()
    options.struct_size = MemoryLayout<av_request_options>.size
    options.timeout_ms = try milliseconds(timeout, "timeout")
    options.max_attempts = try number(maxAttempts, "maxAttempts")
    options.cancel = cancellation?.handle
    var error: OpaquePointer?
    let status = withExtendedLifetime(cancellation) { body(&options, &error) }
    if status != AV_STATUS_OK {
        defer { av_error_free(error) }
        throw APIVideoError(copying: error)
    }
}

/// Makes a blocking call on a thread of its own: it must not keep one of the few that all tasks, or
/// all of Dispatch, share. The call ends when the task is cancelled.
func withOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable (Cancellation) throws(APIVideoError) -> Value
) async throws(APIVideoError) -> Value {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            let started = startThread {
                continuation.resume(
                    returning: Result { () throws(APIVideoError) in try body(cancellation) })
            }
            if !started { continuation.resume(returning: .failure(.noThread)) }
        }
    } onCancel: {
        cancellation.trigger()
    }
    return try result.get()
}

/// Starts a thread; `false` if there is none to be had, which Foundation's `Thread` does not tell.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
    func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
    }
    let argument = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    guard pthread_create(&thread, nil, run, argument.toOpaque()) == 0 else {
        argument.release()
        return false
    }
    pthread_detach(thread)
    return true
}

/// Whole milliseconds, rounded up; 0, which means the default, for `nil`.
func milliseconds(_ duration: Duration?, _ name: String) throws(APIVideoError) -> UInt32 {
    guard let duration else { return 0 }
    if duration == Client.noLimit { return UInt32.max }
    guard duration > .zero && duration <= .milliseconds(UInt32.max - 1) else {
        throw APIVideoError(
            invalidArgument:
                "\(name) must be over 0 and at most \(UInt32.max - 1) ms, or noLimit, not \(duration)"
        )
    }
    let (seconds, attoseconds) = duration.components
    return UInt32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
}

/// Whole seconds, rounded up; 0, which means for ever, for `.never` alone.
func seconds(_ timeToLive: TimeToLive) throws(APIVideoError) -> UInt32 {
    guard let duration = timeToLive.duration else { return 0 }
    guard duration >= .seconds(1) && duration <= .seconds(Int32.max) else {
        throw APIVideoError(
            invalidArgument:
                "timeToLive must be 1 to \(Int32.max) seconds, or .never, not \(duration)")
    }
    let (seconds, attoseconds) = duration.components
    return UInt32(seconds + (attoseconds > 0 ? 1 : 0))
}

/// A number from 1; 0, which means the default, for `nil`.
func number<Number: FixedWidthInteger>(
    _ value: Int?, _ name: String
) throws(APIVideoError) -> Number {
    guard let value else { return 0 }
    guard let number = Number(exactly: value), number > 0 else {
        throw APIVideoError(invalidArgument: "\(name) must be 1 to \(Number.max), not \(value)")
    }
    return number
}

/// A text that C can take: a NUL inside would be its end.
func text(_ value: String, _ name: String) throws(APIVideoError) -> String {
    if value.utf8.contains(0) { throw APIVideoError(invalidArgument: "\(name) has a NUL inside") }
    return value
}

/// As `text`, of one that may be left out.
func text(_ value: String?, _ name: String) throws(APIVideoError) -> String? {
    guard let value else { return nil }
    return try text(value, name) as String
}

/// A time of the library, in Unix seconds; `nil` for 0, which is not told.
func date(_ seconds: Int64) -> Date? {
    seconds == 0 ? nil : Date(timeIntervalSince1970: TimeInterval(seconds))
}

/// Lends strings to C for the length of `body`, in their order, `nil` as NULL.
func withCStrings<Value>(
    _ strings: [String?], _ body: ([UnsafePointer<CChar>?]) -> Value
) -> Value {
    func lend(_ pointers: [UnsafePointer<CChar>?]) -> Value {
        if pointers.count == strings.count { return body(pointers) }
        guard let string = strings[pointers.count] else { return lend(pointers + [nil]) }
        return string.withCString { lend(pointers + [$0]) }
    }
    return lend([])
}
