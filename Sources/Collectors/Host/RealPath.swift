import Glibc

/// Where a path leads once every link is followed.
enum RealPath {
    /// nil where there is nothing.
    static func of(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
