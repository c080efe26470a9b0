// upload: upload a file from a device, which knows no key. The upload token is in
// APIVIDEO_UPLOAD_TOKEN; the service, if it is not production, in APIVIDEO_BASE_URL.
import ApiVideo
import Foundation

@main
struct UploadFile {
    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            tell("upload: \(error)")
            exit(1)
        }
    }

    static func run(_ arguments: [String]) async throws {
        guard let path = arguments.first, arguments.count == 1 else { throw Usage() }
        let environment = ProcessInfo.processInfo.environment
        let device = try Client(.noCredential, baseURL: environment["APIVIDEO_BASE_URL"])

        let upload = device.startUpload(
            contentsOf: URL(filePath: path), token: environment["APIVIDEO_UPLOAD_TOKEN"] ?? "")
        for await progress in upload.progress {
            tell("\(progress.bytesConfirmed + progress.bytesSent) of \(progress.bytesTotal ?? 0)")
        }
        print(try await upload.value.id)
    }

    static func tell(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}

struct Usage: Error, CustomStringConvertible {
    let description = "usage: upload FILE"
}
