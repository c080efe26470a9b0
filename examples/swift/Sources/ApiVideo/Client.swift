// The client and its operations, each in a form that blocks and one that is `async`.
import CApiVideo

/// A client of the service: one credential, or none, and the connections to it. Share one among all threads
/// and tasks; it is freed, and its credential wiped, with the last reference and call.
///
/// Every operation comes twice. In an `async` function Swift takes the one to `await`, which ends
/// when its task is cancelled: by throwing an `APIVideoError` with status `.cancelled`, since that
/// tells the outcome, which a `CancellationError` could not. The other one blocks its thread.
public final class Client: @unchecked Sendable {  // av_client is for any number of threads at once
    private let handle: OpaquePointer

    /// Whom the service takes you for.
    public enum Credential: Sendable {
        /// An API key: production and sandbox have keys of their own.
        case apiKey(String)
        /// An access token got from the service by other means; it is not renewed.
        case accessToken(String)
        /// None, on purpose: a device can upload with a token, and do nothing else. A key that is
        /// empty is an error all the same.
        case noCredential
    }

    /// The production service.
    public static let production = APIVIDEO_PRODUCTION_URL
    /// The sandbox: free, with keys of its own.
    public static let sandbox = APIVIDEO_SANDBOX_URL
    /// A time limit that is none.
    public static let noLimit = Duration.milliseconds(UInt32.max)

    /// Makes a client. Nothing is sent, so that a wrong key shows with the first call. What is `nil`
    /// is the library's default.
    ///
    /// - Parameters:
    ///   - credential: an API key, an access token, or `.noCredential` to only upload.
    ///   - baseURL: where the service is: `https://`, or `http://` to this machine.
    ///   - application: the name and version of your application, for the service's statistics.
    ///   - caFile: a PEM file of certificate authorities that replaces the system's.
    ///   - proxyURL: the proxy to go through; "" is none, `nil` what the environment says.
    ///   - timeout: what a whole call may take; 30 s by default. It does not apply to uploads.
    ///   - connectTimeout: what connecting may take, of one attempt; 10 s by default.
    ///   - attemptTimeout: what one attempt may take while another is allowed; 10 s by default.
    ///   - maxAttempts: how many times a request may be tried; 3 by default.
    ///   - allowPlainHTTP: lets `baseURL` be `http://` to another machine, with the credential in
    ///     the clear.
    /// - Throws: `.invalidArgument`; `.tls` if the system has no trusted certificates.
    public init(
        _ credential: Credential,
        baseURL: String? = nil,
        application: (name: String, version: String)? = nil,
        caFile: String? = nil,
        proxyURL: String? = nil,
        timeout: Duration? = nil,
        connectTimeout: Duration? = nil,
        attemptTimeout: Duration? = nil,
        maxAttempts: Int? = nil,
        allowPlainHTTP: Bool = false
    ) throws(APIVideoError) {
        var config = av_client_config()
        config.struct_size = MemoryLayout<av_client_config>.size
        config.timeout_ms = try milliseconds(timeout, "timeout")
        config.connect_timeout_ms = try milliseconds(connectTimeout, "connectTimeout")
        config.attempt_timeout_ms = try milliseconds(attemptTimeout, "attemptTimeout")
        config.max_attempts = try number(maxAttempts, "maxAttempts")
        config.flags = allowPlainHTTP ? UInt32(AV_CLIENT_ALLOW_PLAIN_HTTP) : 0

        var apiKey: String?
        var accessToken: String?
        switch credential {
        case .apiKey(let key): apiKey = key
        case .accessToken(let token): accessToken = token
        case .noCredential: config.flags |= UInt32(AV_CLIENT_NO_CREDENTIAL)
        }
        var client: OpaquePointer?
        var error: OpaquePointer?
        let strings = [
            try text(apiKey, "apiKey"), try text(accessToken, "accessToken"),
            try text(baseURL, "baseURL"), try text(application?.name, "application.name"),
            try text(application?.version, "application.version"), try text(caFile, "caFile"),
            try text(proxyURL, "proxyURL"),
        ]
        let status = withCStrings(strings) { strings in
            config.api_key = strings[0]
            config.access_token = strings[1]
            config.base_url = strings[2]
            config.app_name = strings[3]
            config.app_version = strings[4]
            config.ca_file = strings[5]
            config.proxy_url = strings[6]
            return av_client_new(&config, &client, &error)
        }
        guard status == AV_STATUS_OK, let client else {
            defer { av_error_free(error) }
            throw APIVideoError(copying: error)
        }
        handle = client
    }

    deinit { av_client_free(handle) }

    /// Lends the handle for the length of one call, during which the client stays.
    func withHandle<Value>(_ body: (OpaquePointer) -> Value) -> Value {
        withExtendedLifetime(self) { body(handle) }
    }
}

// What blocks: at most for `timeout`, which is the client's if it is `nil`.
extension Client {
    /// Makes an upload token. Whoever has it can upload videos to the account.
    ///
    /// - Parameters:
    ///   - timeToLive: how long it is valid: 1 to 2147483647 seconds, or `.never`.
    ///   - timeout: what the call may take.
    ///   - cancellation: ends the call from another thread.
    /// - Throws: unless its `outcome` is `.notApplied`, a token may have been made that nobody
    ///   knows of.
    public func createToken(
        timeToLive: TimeToLive, timeout: Duration? = nil, cancellation: Cancellation? = nil
    ) throws(APIVideoError) -> Token {
        let seconds = try seconds(timeToLive)
        var token: UnsafeMutablePointer<av_token>?
        try call(timeout: timeout, cancellation: cancellation) { options, error in
            withHandle { av_tokens_create($0, seconds, options, &token, error) }
        }
        defer { av_token_free(token) }
        return Token(copying: token!)
    }

    /// Looks up one token that is active.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - timeout: what the call may take.
    ///   - cancellation: ends the call from another thread.
    /// - Throws: `.notFound` if it was never made, or has expired or been deleted.
    public func getToken(
        _ token: String, timeout: Duration? = nil, cancellation: Cancellation? = nil
    ) throws(APIVideoError) -> Token {
        let token = try text(token, "token")
        var found: UnsafeMutablePointer<av_token>?
        try call(timeout: timeout, cancellation: cancellation) { options, error in
            withHandle { av_tokens_get($0, token, options, &found, error) }
        }
        defer { av_token_free(found) }
        return Token(copying: found!)
    }

    /// Lists one page of the active tokens; for all of them see `tokens`.
    ///
    /// - Parameters:
    ///   - query: which page, and in which order.
    ///   - timeout: what the call may take.
    ///   - cancellation: ends the call from another thread.
    public func listTokens(
        _ query: TokenQuery = TokenQuery(), timeout: Duration? = nil,
        cancellation: Cancellation? = nil
    ) throws(APIVideoError) -> TokenPage {
        var params = try query.params()
        var page: UnsafeMutablePointer<av_token_page>?
        try call(timeout: timeout, cancellation: cancellation) { options, error in
            withHandle { av_tokens_list($0, &params, options, &page, error) }
        }
        defer { av_token_page_free(page) }
        return TokenPage(copying: page!)
    }

    /// Revokes a token: nothing more can be uploaded with it.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - timeout: what the call may take.
    ///   - cancellation: ends the call from another thread.
    /// - Throws: `.notFound` if it was never made, or has expired or been deleted already. Unless
    ///   its `outcome` is `.notApplied`, it may have been deleted; doing it again does no harm.
    public func deleteToken(
        _ token: String, timeout: Duration? = nil, cancellation: Cancellation? = nil
    ) throws(APIVideoError) {
        let token = try text(token, "token")
        try call(timeout: timeout, cancellation: cancellation) { options, error in
            withHandle { av_tokens_delete($0, token, options, error) }
        }
    }

    /// All active tokens of all pages, a request a page when it comes to it; the oldest first unless
    /// `query` sorts. Do not delete while iterating, which skips tokens.
    ///
    /// - Parameters:
    ///   - query: where to begin, how large pages are, and in which order.
    ///   - timeout: what each request may take.
    ///   - cancellation: ends the request from another thread.
    public func tokens(
        _ query: TokenQuery = TokenQuery(), timeout: Duration? = nil,
        cancellation: Cancellation? = nil
    ) -> TokenSequence {
        TokenSequence(client: self, query: query, timeout: timeout, cancellation: cancellation)
    }
}

// What is `async`: the same, cancelled with its task.
extension Client {
    /// Makes an upload token; the task's cancellation ends the call.
    public func createToken(
        timeToLive: TimeToLive, timeout: Duration? = nil
    ) async throws(APIVideoError) -> Token {
        try await withOwnThread { cancellation throws(APIVideoError) in
            try self.createToken(
                timeToLive: timeToLive, timeout: timeout, cancellation: cancellation)
        }
    }

    /// Looks up one token that is active; the task's cancellation ends the call.
    public func getToken(
        _ token: String, timeout: Duration? = nil
    ) async throws(APIVideoError) -> Token {
        try await withOwnThread { cancellation throws(APIVideoError) in
            try self.getToken(token, timeout: timeout, cancellation: cancellation)
        }
    }

    /// Lists one page of the active tokens; the task's cancellation ends the call.
    public func listTokens(
        _ query: TokenQuery = TokenQuery(), timeout: Duration? = nil
    ) async throws(APIVideoError) -> TokenPage {
        try await withOwnThread { cancellation throws(APIVideoError) in
            try self.listTokens(query, timeout: timeout, cancellation: cancellation)
        }
    }

    /// Revokes a token; the task's cancellation ends the call.
    public func deleteToken(
        _ token: String, timeout: Duration? = nil
    ) async throws(APIVideoError) {
        try await withOwnThread { cancellation throws(APIVideoError) in
            try self.deleteToken(token, timeout: timeout, cancellation: cancellation)
        }
    }

    /// All active tokens, as `tokens`, for `for try await`; the task's cancellation ends the request.
    public func asyncTokens(
        _ query: TokenQuery = TokenQuery(), timeout: Duration? = nil
    ) -> AsyncTokenSequence {
        AsyncTokenSequence(client: self, query: query, timeout: timeout)
    }
}
