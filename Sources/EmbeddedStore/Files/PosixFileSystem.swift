import Glibc
package import Telemetry

/// The operating system's files.
package struct PosixFileSystem: FileSystem {
    package init() {}

    package func createFolder(_ path: String) throws(StoreError) {
        var made = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            made += "/" + name
            if mkdir(made, 0o750) == 0 || errno == EEXIST || errno == EISDIR { continue }
            // A parent that may not be written to but exists says EROFS or EACCES only when it must be made.
            var status = stat()
            if stat(made, &status) == 0 { continue }
            throw Self.error("could not make the folder \(made)")
        }
    }

    package func list(_ path: String) throws(StoreError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw Self.error("could not read the folder \(path)")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func isFolder(_ path: String) throws(StoreError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw Self.error("could not look at \(path)")
        }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    package func open(_ path: String, _ mode: FileMode) throws(StoreError) -> any StoreFile {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_CREAT | O_TRUNC
            case .update: O_RDWR | O_CREAT
            }
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            // A file that was there and is gone is damage like any other: what it held is left out, the rest is served.
            if errno == ENOENT, mode == .read { throw StoreError(.corrupted, "the file \(path) is missing", remedy: Self.restoreRemedy) }
            throw Self.error("could not open \(path)")
        }
        return PosixFile(descriptor, path)
    }

    package func rename(_ path: String, to target: String) throws(StoreError) {
        guard Glibc.rename(path, target) == 0 else { throw Self.error("could not rename \(path) to \(target)") }
    }

    package func remove(_ path: String) throws(StoreError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw Self.error("could not remove \(path)") }
    }

    package func removeFolder(_ path: String) throws(StoreError) {
        guard rmdir(path) == 0 || errno == ENOENT else { throw Self.error("could not remove the folder \(path)") }
    }

    package func syncFolder(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error("could not open the folder \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.error("could not sync the folder \(path)") }
    }

    package func link(_ path: String, to target: String) throws(StoreError) {
        guard Glibc.link(path, target) == 0 else { throw Self.error("could not link \(path) as \(target)") }
    }

    package func space(_ path: String) throws(StoreError) -> DiskSpace {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw Self.error("could not ask for the room on the disk of \(path)") }
        func bytes(_ blocks: UInt) -> Int {
            let (count, overflow) = blocks.multipliedReportingOverflow(by: status.f_frsize)
            return overflow ? .max : Int(clamping: count)
        }
        return DiskSpace(freeByteCount: bytes(status.f_bavail), totalByteCount: bytes(status.f_blocks))
    }

    package func isLocked(_ path: String) throws(StoreError) -> Bool {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw Self.error("could not open the lock \(path)")
        }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    package func lock(_ path: String) throws(StoreError) -> any Sendable {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Self.error("could not open the lock \(path)") }
        let file = PosixFile(descriptor, path)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw Self.error("could not lock \(path)") }
            let holder = (try? file.read(at: 0, count: 32)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let pid = holder.split(separator: "\n").first.map { " (process \($0))" } ?? ""
            throw StoreError(
                .inUse, "the data folder is in use by another process\(pid), which holds \(path)",
                remedy: "Stop that process, or choose another folder with --data-dir.")
        }
        try file.truncate(to: 0)
        try file.write(Array("\(getpid())\n".utf8), at: 0)
        return file
    }

    static let restoreRemedy = "Everything else is served; restore this file from a backup."

    /// `errno` in a sentence, with what to do about it.
    static func error(_ what: String) -> StoreError {
        let code = errno
        let reason = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT:
            return StoreError(
                .diskFull, "\(what): \(reason)", remedy: "Free space or shorten retention: writes resume by themselves, reads go on.")
        case EACCES, EPERM, EROFS:
            return StoreError(
                .system, "\(what): \(reason)", remedy: "Make the data folder readable and writable for the user that Apus runs as.")
        case EMFILE, ENFILE:
            return StoreError(.system, "\(what): \(reason)", remedy: "Raise the limit of open files (ulimit -n).")
        default: return StoreError(.system, "\(what): \(reason)")
        }
    }
}

/// A file descriptor. All its operations name their offset, so that any thread may use it.
final class PosixFile: StoreFile {
    private let descriptor: Int32
    private let path: String

    init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    func byteCount() throws(StoreError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw PosixFileSystem.error("could not look at \(path)") }
        return Int(status.st_size)
    }

    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            var done = 0
            while done < count {
                // SAFETY: `done` < `count`, the buffer's capacity.
                let got = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                done += got
            }
            initializedCount = done
        }
        if failure == 0 { return bytes }
        let what = "could not read \(path) at byte \(offset + bytes.count)"
        // The disk cannot give back what was written: damage, to be left out like any other.
        if failure == EIO { throw StoreError(.corrupted, "\(what): \(String(cString: strerror(EIO)))", remedy: PosixFileSystem.restoreRemedy) }
        errno = failure
        throw PosixFileSystem.error(what)
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        let written = bytes.withUnsafeBytes { buffer -> Int in
            var done = 0
            while done < buffer.count {
                // SAFETY: `done` < the buffer's count.
                let put = pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
                if put < 0, errno == EINTR { continue }
                if put <= 0 { break }
                done += put
            }
            return done
        }
        guard written == bytes.count else { throw PosixFileSystem.error("could not write \(path) at byte \(offset + written)") }
    }

    func sync() throws(StoreError) {
        guard fdatasync(descriptor) == 0 else { throw PosixFileSystem.error("could not sync \(path)") }
    }

    func truncate(to byteCount: Int) throws(StoreError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw PosixFileSystem.error("could not shorten \(path)") }
    }
}
