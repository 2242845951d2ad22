package import Foundation

/// The folder `../shared` beside a checkout, where the workplace keeps cases of other people. Somebody else's clone has none:
/// tests that read it are skipped there (`.enabled(if: SharedCases.exist, SharedCases.reason)`).
package enum SharedCases {
    package static let reason = "reads ../shared, which this checkout does not have"

    /// The checkout's root.
    package static let checkout: URL = {
        var folder = URL(filePath: FileManager.default.currentDirectoryPath)
        if let named = ProcessInfo.processInfo.environment["APUS_CHECKOUT"] { folder = URL(filePath: named) }
        return folder.standardizedFileURL
    }()

    package static let folder = checkout.deletingLastPathComponent().appending(path: "shared")

    package static let exist = FileManager.default.fileExists(atPath: folder.appending(path: "conformance").path)

    /// The bytes of a file below `../shared`.
    package static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: path)))
    }

    package static func text(_ path: String) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }
}
