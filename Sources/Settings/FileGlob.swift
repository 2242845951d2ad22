import Glibc

/// Finds files by pattern: `*` and `?` within a name, `[a-z]`, `{a,b}` anywhere, `**` for any number of folders.
package enum FileGlob {
    /// How many files a pattern may find, and how deep `**` goes: so that a pattern such as `/**` ends.
    package static let fileCountMax = 10_000
    private static let depthMax = 32
    private static let alternativeCountMax = 256

    /// `path` itself where it is absolute, else below the folder of `file`.
    package static func resolve(_ path: String, relativeToFile file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// The regular files that match, sorted, each once. A pattern without wildcards finds its file where it exists.
    package static func files(_ pattern: String) -> [String] {
        var found: Set<String> = []
        for alternative in alternatives(of: pattern) {
            let parts = alternative.split(separator: "/").map { Array($0.utf8) }
            walk(folder: alternative.hasPrefix("/") ? "/" : "", parts[...], depth: 0, into: &found)
        }
        return found.sorted()
    }

    /// Whether `path` matches `pattern` as a whole.
    package static func matches(_ path: String, _ pattern: String) -> Bool {
        let names = path.split(separator: "/").map { Array($0.utf8) }
        return alternatives(of: pattern).contains { alternative in
            alternative.hasPrefix("/") == path.hasPrefix("/")
                && matches(names[...], alternative.split(separator: "/").map { Array($0.utf8) }[...])
        }
    }

    /// Whether `text` holds any character with a meaning of its own.
    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { "*?[{".utf8.contains($0) }
    }

    /// `a{b,c}` as `ab` and `ac`.
    static func alternatives(of pattern: String) -> [String] {
        var pending = [pattern]
        var done: [String] = []
        while let next = pending.popLast() {
            guard pending.count + done.count < alternativeCountMax, let (before, choices, after) = firstBrace(in: next)
            else {
                done.append(next)
                continue
            }
            pending += choices.map { before + $0 + after }
        }
        return done
    }

    private static func firstBrace(in pattern: String) -> (before: String, choices: [String], after: String)? {
        guard let open = pattern.firstIndex(of: "{") else { return nil }
        var depth = 0
        var choices: [String] = [""]
        var index = open
        while index < pattern.endIndex {
            let character = pattern[index]
            switch character {
            case "{":
                depth += 1
                if depth > 1 { choices[choices.count - 1].append(character) }
            case "}":
                depth -= 1
                if depth == 0 {
                    return (String(pattern[..<open]), choices, String(pattern[pattern.index(after: index)...]))
                }
                choices[choices.count - 1].append(character)
            case "," where depth == 1: choices.append("")
            default: choices[choices.count - 1].append(character)
            }
            index = pattern.index(after: index)
        }
        return nil
    }

    private static func matches(_ names: ArraySlice<[UInt8]>, _ parts: ArraySlice<[UInt8]>) -> Bool {
        guard let part = parts.first else { return names.isEmpty }
        if part == Array("**".utf8) {
            return (0...names.count).contains { matches(names.dropFirst($0), parts.dropFirst()) }
        }
        guard let name = names.first, nameMatches(name, part) else { return false }
        return matches(names.dropFirst(), parts.dropFirst())
    }

    private static func walk(folder: String, _ parts: ArraySlice<[UInt8]>, depth: Int, into found: inout Set<String>) {
        guard let part = parts.first, depth <= depthMax, found.count < fileCountMax else { return }
        let isLast = parts.count == 1
        if part == Array("**".utf8) {
            if isLast {
                for entry in entries(of: folder) where !entry.isFolder { found.insert(folder + entry.name) }
            } else {
                walk(folder: folder, parts.dropFirst(), depth: depth, into: &found)
            }
            for entry in entries(of: folder) where entry.isFolder {
                walk(folder: folder + entry.name + "/", parts, depth: depth + 1, into: &found)
            }
            return
        }
        let text = String(decoding: part, as: UTF8.self)
        guard isPattern(text) else {
            let path = folder + text
            if !isLast {
                walk(folder: path + "/", parts.dropFirst(), depth: depth + 1, into: &found)
            } else if kind(of: path) == .file {
                found.insert(path)
            }
            return
        }
        for entry in entries(of: folder) where nameMatches(Array(entry.name.utf8), part) {
            // A wildcard finds no hidden file unless it says so itself.
            if entry.name.hasPrefix("."), part.first != UInt8(ascii: ".") { continue }
            if !isLast, entry.isFolder {
                walk(folder: folder + entry.name + "/", parts.dropFirst(), depth: depth + 1, into: &found)
            } else if isLast, !entry.isFolder {
                found.insert(folder + entry.name)
            }
        }
    }

    private enum Kind { case file, folder, other }

    private static func kind(of path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .other }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// The files and folders of a folder; links to folders are not followed, so that a walk ends.
    private static func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return [] }
        defer { closedir(stream) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            switch entry.pointee.d_type {
            case UInt8(DT_REG): entries.append((name, false))
            case UInt8(DT_DIR): entries.append((name, true))
            case UInt8(DT_LNK), UInt8(DT_UNKNOWN):
                let kind = kind(of: folder + name)
                if kind == .file { entries.append((name, false)) }
                if kind == .folder, entry.pointee.d_type == UInt8(DT_UNKNOWN) { entries.append((name, true)) }
            default: break
            }
        }
        return entries
    }

    /// `*`, `?` and `[…]` over bytes. Linear in both: only the last star is ever tried again.
    static func nameMatches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, in_) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while at < name.count {
            if in_ < pattern.count, pattern[in_] == UInt8(ascii: "*") {
                star = (in_ + 1, at)
                in_ += 1
            } else if in_ < pattern.count, let next = oneMatches(name[at], pattern, at: in_) {
                in_ = next
                at += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (in_, at) = (last.pattern, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[in_...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Where the pattern goes on if its element at `index` matches `byte`; nil if it does not.
    private static func oneMatches(_ byte: UInt8, _ pattern: [UInt8], at index: Int) -> Int? {
        switch pattern[index] {
        case UInt8(ascii: "?"): return index + 1
        case UInt8(ascii: "\\") where index + 1 < pattern.count: return pattern[index + 1] == byte ? index + 2 : nil
        case UInt8(ascii: "["):
            guard let end = pattern[(index + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]")) else {
                return byte == UInt8(ascii: "[") ? index + 1 : nil
            }
            var set = pattern[(index + 1)..<end]
            let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
            if isNegated { set = set.dropFirst() }
            var isIn = false
            while let first = set.popFirst() {
                if set.count >= 2, set.first == UInt8(ascii: "-") {
                    set = set.dropFirst()
                    if let last = set.popFirst(), first <= byte, byte <= last { isIn = true }
                } else if first == byte {
                    isIn = true
                }
            }
            return isIn != isNegated ? end + 1 : nil
        default: return pattern[index] == byte ? index + 1 : nil
        }
    }
}
