import Glibc

/// What this machine is called.
enum HostName {
    static var current: String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let code = buffer.withUnsafeMutableBytes { $0.baseAddress.map { gethostname($0, 255) } ?? -1 }
        return code == 0 ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : "localhost"
    }
}
