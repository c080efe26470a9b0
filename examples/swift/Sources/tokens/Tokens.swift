// tokens: make, list and delete upload tokens. The key is in APIVIDEO_API_KEY; the service, if it is
// not production, in APIVIDEO_BASE_URL.
import ApiVideo
import Foundation

@main
struct Tokens {
    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("tokens: \(error)\n".utf8))
            exit(1)
        }
    }

    static func run(_ arguments: [String]) async throws {
        let environment = ProcessInfo.processInfo.environment
        let client = try Client(
            .apiKey(environment["APIVIDEO_API_KEY"] ?? ""),
            baseURL: environment["APIVIDEO_BASE_URL"])

        switch arguments.first {
        case "create" where arguments.dropFirst() == ["never"]:
            print(try await client.createToken(timeToLive: .never).token)
        case "create" where arguments.count == 2:
            guard let seconds = Int64(arguments[1]) else { throw Usage() }
            print(try await client.createToken(timeToLive: .seconds(seconds)).token)
        case "list" where arguments.count == 1:
            for try await token in client.asyncTokens() {
                print(token.token, token.expiresAt.map { "until \($0)" } ?? "for ever")
            }
        case "delete" where arguments.count == 2:
            try await client.deleteToken(arguments[1])
        default:
            throw Usage()
        }
    }
}

struct Usage: Error, CustomStringConvertible {
    let description = "usage: tokens create SECONDS|never | list | delete TOKEN"
}
