// swift-tools-version: 6.0
// The package: the installed C library as a module, the Swift library over it, programs that use
// it, and the tests.
import PackageDescription

let package = Package(
    name: "apivideo",
    // The first ones with Swift's Duration.
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "ApiVideo", targets: ["ApiVideo"])],
    targets: [
        .systemLibrary(name: "CApiVideo", pkgConfig: "apivideo"),
        .target(name: "ApiVideo", dependencies: ["CApiVideo"]),
        .executableTarget(name: "tokens", dependencies: ["ApiVideo"]),
        .executableTarget(name: "upload", dependencies: ["ApiVideo"]),
        .systemLibrary(name: "CMalloc", path: "Tests/CMalloc"),
        .testTarget(name: "ApiVideoTests", dependencies: ["ApiVideo", "CMalloc"]),
    ]
)
