// Tokens, pages of them, and what to list.
import CApiVideo
import Foundation

/// An upload token: a plain value.
public struct Token: Hashable, Sendable {
    /// The token: its id and the secret in one, so treat it as a password.
    public let token: String
    /// When it was made, by the service's clock; `nil` if not told.
    public let createdAt: Date?
    /// When it ends; `nil` if never or not told.
    public let expiresAt: Date?
    /// How long it is valid in all; `nil` if for ever or not told.
    public let timeToLive: Duration?
    /// Whether the service tells that it never ends.
    public let neverExpires: Bool

    /// Copies a token of the library.
    init(copying token: UnsafePointer<av_token>) {
        self.token = String(cString: token.pointee.token)
        createdAt = date(token.pointee.created_at)
        expiresAt = date(token.pointee.expires_at)
        let seconds = token.pointee.ttl_seconds
        timeToLive = seconds > 0 ? .seconds(seconds) : nil
        neverExpires = seconds == 0
    }
}

/// How long a token shall be valid.
public struct TimeToLive: Hashable, Sendable {
    /// `nil` is for ever.
    let duration: Duration?

    /// This long, rounded up to whole seconds. A call refuses less than 1 and more than 2147483647.
    public init(_ duration: Duration) { self.duration = duration }

    private init() { duration = nil }

    /// So many seconds.
    public static func seconds(_ seconds: some BinaryInteger) -> TimeToLive {
        TimeToLive(.seconds(seconds))
    }

    /// For ever.
    public static let never = TimeToLive()
}

/// One page of tokens.
public struct TokenPage: Hashable, Sendable {
    /// The tokens of this page.
    public let tokens: [Token]
    /// The number of this page, from 1; `nil` if not told.
    public let number: Int?
    /// How many tokens a page holds at most; `nil` if not told.
    public let size: Int?
    /// How many pages there are; `nil` if not told.
    public let pagesTotal: Int?
    /// How many tokens there are on all pages; `nil` if not told.
    public let tokensTotal: Int?

    /// Copies a page of the library.
    init(copying page: UnsafePointer<av_token_page>) {
        func told(_ value: UInt32) -> Int? { value == 0 ? nil : Int(value) }
        tokens = (0..<page.pointee.count).map { Token(copying: page.pointee.items[$0]!) }
        number = told(page.pointee.current_page)
        size = told(page.pointee.page_size)
        pagesTotal = told(page.pointee.pages_total)
        let total = page.pointee.items_total
        // Zero tells that there are none only if none are here.
        tokensTotal = total == 0 && !tokens.isEmpty ? nil : Int(clamping: total)
    }
}

/// What to list; what is `nil` is left to the service.
public struct TokenQuery: Hashable, Sendable {
    /// What tokens are sorted by.
    public enum Key: Sendable {
        /// When they were made.
        case createdAt
        /// How long they are still valid.
        case timeToLive
    }

    /// Which comes first.
    public enum Order: Sendable {
        /// The smallest.
        case ascending
        /// The largest.
        case descending
    }

    /// The page, from 1; of a sequence the one to begin with.
    public var page: Int?
    /// How many tokens a page holds at most, 1 to 100; the service's default is 25.
    public var pageSize: Int?
    /// What to sort by.
    public var sortedBy: Key?
    /// Which comes first.
    public var order: Order?

    /// What to list.
    public init(
        page: Int? = nil, pageSize: Int? = nil, sortedBy: Key? = nil, order: Order? = nil
    ) {
        self.page = page
        self.pageSize = pageSize
        self.sortedBy = sortedBy
        self.order = order
    }

    func params() throws(APIVideoError) -> av_tokens_list_params {
        var params = av_tokens_list_params()
        params.struct_size = MemoryLayout<av_tokens_list_params>.size
        params.current_page = try ApiVideo.number(page, "page")
        params.page_size = try ApiVideo.number(pageSize, "pageSize")
        params.sort_by =
            switch sortedBy {
            case nil: AV_TOKEN_SORT_DEFAULT
            case .createdAt: AV_TOKEN_SORT_CREATED_AT
            case .timeToLive: AV_TOKEN_SORT_TTL
            }
        params.sort_order =
            switch order {
            case nil: AV_SORT_DEFAULT
            case .ascending: AV_SORT_ASC
            case .descending: AV_SORT_DESC
            }
        return params
    }
}
