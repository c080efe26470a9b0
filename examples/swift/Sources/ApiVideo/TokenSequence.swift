// All tokens of all pages, as a `Sequence` that blocks and as an `AsyncSequence`.
import CApiVideo

/// All active tokens, for a thread that may block. A `Sequence` cannot throw: its elements are
/// results, and one that failed is the last.
///
///     for result in client.tokens() {
///         print(try result.get().token)
///     }
public struct TokenSequence: Sequence, Sendable {
    let client: Client
    let query: TokenQuery
    let timeout: Duration?
    let cancellation: Cancellation?

    /// Begins anew; nothing is sent yet.
    public func makeIterator() -> Iterator {
        Iterator(
            walk: Result { () throws(APIVideoError) in try TokenWalk(client, query) },
            timeout: timeout, cancellation: cancellation)
    }

    /// The way through the tokens.
    public struct Iterator: IteratorProtocol {
        /// `nil` once it is at its end.
        var walk: Result<TokenWalk, APIVideoError>?
        let timeout: Duration?
        let cancellation: Cancellation?

        /// The next token, or the failure that ends the sequence; `nil` at its end.
        public mutating func next() -> Result<Token, APIVideoError>? {
            do {
                if let token = try walk?.get().next(timeout, cancellation) {
                    return .success(token)
                }
                walk = nil
                return nil
            } catch {
                walk = nil
                return .failure(error)
            }
        }
    }
}

/// All active tokens, for a task. A failure, and with it the task's cancellation, ends the sequence
/// by throwing.
///
///     for try await token in client.asyncTokens() {
///         print(token.token)
///     }
public struct AsyncTokenSequence: AsyncSequence, Sendable {
    let client: Client
    let query: TokenQuery
    let timeout: Duration?

    /// Begins anew; nothing is sent yet.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            walk: Result { () throws(APIVideoError) in try TokenWalk(client, query) },
            timeout: timeout)
    }

    /// The way through the tokens.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// `nil` once it is at its end.
        var walk: Result<TokenWalk, APIVideoError>?
        let timeout: Duration?

        /// The next token; `nil` at the end.
        public mutating func next() async throws(APIVideoError) -> Token? {
            do {
                let walk = try self.walk?.get()
                let timeout = timeout
                let token = try await withOwnThread { cancellation throws(APIVideoError) in
                    try walk?.next(timeout, cancellation)
                }
                if token == nil { self.walk = nil }
                return token
            } catch {
                walk = nil
                throw error
            }
        }
    }
}

/// The library's iterator.
final class TokenWalk: @unchecked Sendable {  // only ever in one call: `next` is awaited
    private let handle: OpaquePointer

    init(_ client: Client, _ query: TokenQuery) throws(APIVideoError) {
        var params = try query.params()
        var iterator: OpaquePointer?
        try call { _, error in
            client.withHandle { av_tokens_iterate($0, &params, &iterator, error) }
        }
        handle = iterator!
    }

    deinit { av_token_iter_free(handle) }

    func next(_ timeout: Duration?, _ cancellation: Cancellation?) throws(APIVideoError) -> Token? {
        try withExtendedLifetime(self) { () throws(APIVideoError) in
            var token: UnsafePointer<av_token>?
            try call(timeout: timeout, cancellation: cancellation) { options, error in
                av_token_iter_next(handle, options, &token, error)
            }
            return token.map { Token(copying: $0) }
        }
    }
}
