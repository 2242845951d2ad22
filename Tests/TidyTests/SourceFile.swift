import Foundation
import TestSupport

/// A text file of the checkout, cut into lines.
struct SourceFile {
    struct Line {
        var text: String
        /// The line without its `//` comment.
        var code: String
    }

    /// Relative to the checkout.
    var path: String
    var lines: [Line]

    /// The modules it imports.
    var imports: [String] {
        lines.compactMap { line in
            let words = line.code.split(separator: " ")
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                words[..<at].allSatisfy({ ["package", "public", "internal", "private", "fileprivate"].contains($0) || $0.hasPrefix("@") })
            else { return nil }
            return String(words[at + 1].split(separator: ".")[0])
        }
    }

    /// Every file below `folder` with one of `endings` (nil: whatever is text).
    static func all(below folder: String, endings: Set<String>? = ["swift"]) throws -> [SourceFile] {
        let root = SharedCases.checkout
        let start = root.appending(path: folder)
        guard let walker = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil) else { return [] }
        let skipped: Set<String> = ["vendor", "node_modules", "__pycache__", "images"]
        var files: [SourceFile] = []
        while let url = walker.nextObject() as? URL {
            if skipped.contains(url.lastPathComponent) {
                walker.skipDescendants()
                continue
            }
            if let endings, !endings.contains(url.pathExtension) { continue }
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
                return Line(text: String(line), code: String(code))
            }
            files.append(SourceFile(path: String(url.path.dropFirst(root.path.count + 1)), lines: lines))
        }
        return files
    }
}
