/// One line of `/proc/PID/mountinfo` (proc(5)).
struct Mount: Sendable, Hashable {
    var device: String
    var point: String
    var type: String
    var major: String
    var minor: String
    var isReadOnly: Bool

    /// Types whose server may not answer: asking them may take for ever.
    private static let remoteTypes: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "afs", "9p", "ncpfs", "ocfs2", "gfs2", "gpfs", "virtiofs",
    ]

    var isRemote: Bool { Self.remoteTypes.contains(type) || type.hasPrefix("fuse") }

    /// - Parameter rootfs: taken from the front of mount points, for a host's root that is mounted there itself.
    static func parse(_ bytes: [UInt8], rootfs: String) -> [Mount] {
        var text = TextCursor(bytes)
        var mounts: [Mount] = []
        while text.nextLine() {
            // Id, parent, major:minor, root, mount point, options, any number of tags, a dash, type, source, options of the file system.
            text.skip(2)
            guard let numbers = text.text(), text.field() != nil, let point = text.text(), let options = text.text() else { continue }
            while let tag = text.field(), !text.equals(tag, "-") {}
            guard let type = text.text(), let source = text.text() else { continue }
            let fileSystemOptions = text.text() ?? ""
            let parts = numbers.split(separator: ":")
            guard parts.count == 2 else { continue }
            var shown = unescaped(point)
            if !rootfs.isEmpty, shown == rootfs || shown.hasPrefix(rootfs + "/") { shown = String(shown.dropFirst(rootfs.count)) }
            mounts.append(
                Mount(
                    device: unescaped(source), point: shown.isEmpty ? "/" : shown, type: type, major: String(parts[0]),
                    minor: String(parts[1]), isReadOnly: isReadOnly(options) || isReadOnly(fileSystemOptions)))
        }
        return mounts
    }

    private static func isReadOnly(_ options: String) -> Bool {
        options.split(separator: ",").contains { $0 == "ro" || $0 == "emergency_ro" }
    }

    /// Blanks and backslashes are written as three octal digits after a backslash.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
