// What an upload calls back while it is in a call, and what comes of that.
import CApiVideo
import Foundation

/// The functions of one upload, and the state that it told last. It makes the upload's calls, one at
/// a time: what a function throws must not pass through C, so that it cancels the call, and is thrown
/// behind it.
final class UploadEvents: @unchecked Sendable {  // `lock`, and one call at a time, see to it
    private let progress: ((UploadProgress) throws -> Void)?
    private let state: ((String) throws -> Void)?

    // Of the call under way, on its thread alone.
    private var cancellation: Cancellation?
    private var thrown: (any Error)?

    private let lock = NSLock()  // of what follows
    private var isInCall = false
    private var latest: String?

    init(
        _ options: UploadOptions, _ progress: ((UploadProgress) throws -> Void)?,
        _ state: ((String) throws -> Void)?
    ) {
        self.progress = progress
        self.state = state
        latest = options.resume
    }

    /// What can be gone on from.
    var latestState: String? { lock.withLock { latest } }

    /// Has the library call this, which must outlive what is made from `params`.
    func receive(from params: inout av_upload_params) {
        params.userdata = Unmanaged.passUnretained(self).toOpaque()
        if progress != nil {
            params.progress_fn = { events, progress in
                let progress = UploadProgress(copying: progress!)
                UploadEvents.from(events).run { try $0.progress?(progress) }
            }
        }
        params.state_fn = { events, state in
            let state = String(cString: state!)
            let events = UploadEvents.from(events)
            events.setLatest(state)
            events.run { try $0.state?(state) }
        }
    }

    /// Makes one call of the library; throws what a function threw during it, or else what the library
    /// tells.
    func call(
        timeout: Duration?, maxAttempts: Int?, cancellation: Cancellation?,
        _ body:
            (UnsafePointer<av_request_options>, UnsafeMutablePointer<OpaquePointer?>) -> av_status
    ) throws {
        let isBusy = lock.withLock {
            defer { isInCall = true }
            return isInCall
        }
        if isBusy {
            throw APIVideoError(invalidArgument: "the upload is in another call")
        }
        defer { lock.withLock { isInCall = false } }

        // Of this call alone: that of the caller may be used by others as well.
        let own = Cancellation()
        self.cancellation = own
        thrown = nil
        defer {
            self.cancellation = nil
            thrown = nil
        }
        func make() throws(APIVideoError) {
            try ApiVideo.call(
                timeout: timeout, maxAttempts: maxAttempts, cancellation: own, body)
        }
        do throws(APIVideoError) {
            if let cancellation {
                try cancellation.whileFollowed(by: own, make)
            } else {
                try make()
            }
        } catch {
            // One that tried nothing knows no better than what was told before.
            if error.attempts > 0 { setLatest(error.uploadState) }
            throw thrown ?? error
        }
        if let thrown { throw thrown }
    }

    /// Nothing is left to go on from.
    func complete() { setLatest(nil) }

    private func setLatest(_ state: String?) { lock.withLock { latest = state } }

    /// Runs a function, unless one has thrown: then the call is about to end.
    private func run(_ body: (UploadEvents) throws -> Void) {
        if thrown != nil { return }
        do {
            try body(self)
        } catch {
            thrown = error
            cancellation?.trigger()
        }
    }

    private static func from(_ userdata: UnsafeMutableRawPointer?) -> UploadEvents {
        Unmanaged.fromOpaque(userdata!).takeUnretainedValue()
    }
}
