import Codecs
import Crypto
import Foundation
import Glibc
import Synchronization
import Web

/// The web app's files, served as they lie: no build step, so an edit shows on the next load.
///
/// A path is taken apart into plain names before any file is touched, and what it leads to must lie below the folder after all
/// symbolic links: there is no way out.
package final class WebFolder: Sendable {
    /// One file as it is sent.
    struct File: Sendable {
        var bytes: [UInt8]
        var gzip: [UInt8]?
        var entityTag: String
        var contentType: String
        /// Base64 digests of the inline import maps of a page.
        var importMapHashes: [String]

        var isPage: Bool { contentType.hasPrefix("text/html") }
    }

    private struct Stamp: Equatable {
        var seconds: Int
        var nanoseconds: Int
        var byteCount: Int
    }

    /// No file of the app is nearly as large; a larger one is not served.
    private static let byteCountMax = 32 << 20

    /// Where `/` leads, and other folders by their first name.
    private let root: String
    private let mounts: [String: String]
    private let cache = Mutex<[String: (stamp: Stamp, file: File)]>([:])

    /// - Parameter path: a folder with `app/` (and `vendor/` beside it), or one with `index.html` itself.
    /// - Returns: nil where there is no `index.html`.
    package init?(path: String) {
        var mounts: [String: String] = [:]
        if let app = Self.real(path + "/app"), Self.real(app + "/index.html") != nil {
            root = app
            if let vendor = Self.real(path + "/vendor") { mounts["vendor"] = vendor }
        } else if let folder = Self.real(path), Self.real(folder + "/index.html") != nil {
            root = folder
        } else {
            return nil
        }
        self.mounts = mounts
    }

    /// The folder that is used where none is named: `APUS_WEB_DIR`, beside the binary, or the checkout that the binary was built in.
    package static func standard(environment: [String: String]) -> WebFolder? {
        var candidates: [String] = []
        if let named = environment["APUS_WEB_DIR"], !named.isEmpty { candidates.append(named) }
        if let binary = real("/proc/self/exe"), let slash = binary.lastIndex(of: "/") {
            let folder = String(binary[..<slash])
            candidates.append(folder + "/../share/apus/web")
            // .build/release/apus and .build/x86_64-unknown-linux-gnu/release/apus
            candidates.append(folder + "/../../Sources/Web")
            candidates.append(folder + "/../../../Sources/Web")
        }
        for candidate in candidates {
            if let folder = WebFolder(path: candidate) { return folder }
        }
        return nil
    }

    /// The file at a URL path (percent-decoded); nil where there is none.
    func file(_ path: String) -> File? {
        var names = path.split(separator: "/", omittingEmptySubsequences: true).map { String($0) }
        for name in names where name.hasPrefix(".") || name.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") || $0 == 0x7f }) {
            return nil
        }
        var folder = root
        if let first = names.first, let mounted = mounts[first] {
            folder = mounted
            names.removeFirst()
        }
        if names.isEmpty { names = ["index.html"] }
        guard let real = Self.real(folder + "/" + names.joined(separator: "/")), real.hasPrefix(folder + "/") else { return nil }
        return load(real)
    }

    /// The libraries that the page needs and that are not there: a checkout whose set-up has not been run.
    var missingLibraries: [String] {
        WebApp.vendorFiles.filter { file("/vendor/" + $0) == nil }
    }

    /// The page that answers every path of the app.
    var page: File? { file("/index.html") }

    private func load(_ path: String) -> File? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.byteCountMax else { return nil }
        let stamp = Stamp(
            seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec), byteCount: Int(status.st_size))
        if let cached = cache.withLock({ $0[path] }), cached.stamp == stamp { return cached.file }
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let bytes = Array(data)
        let type = MediaTypes.type(ofPath: path)
        let digest = SHA256.hash(data: bytes)
        let file = File(
            bytes: bytes,
            gzip: type.isCompressible && bytes.count >= Limits.compressedAnswerByteCountMin ? Compression.gzip.compress(bytes.span, level: 6) : nil,
            entityTag: "\"" + Base64.encode(Array(digest.prefix(15))) + "\"", contentType: type.name,
            importMapHashes: path.hasSuffix(".html") ? ImportMaps.hashes(inPage: String(decoding: bytes, as: UTF8.self)) : [])
        cache.withLock { $0[path] = (stamp, file) }
        return file
    }

    /// The path without symbolic links; nil where there is nothing.
    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
