/// Sets of CPUs as the kernel writes them: `0-3,8`.
enum CPUList {
    /// More than any machine has: a text that names more is none of the kernel's.
    private static let countMax = 65_536

    static func parse(_ text: String) -> [Int] {
        var cpus: [Int] = []
        for part in text.split(separator: ",") {
            let bounds = part.split(separator: "-").map { Int($0) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2 else { continue }
            guard first >= 0, first <= last, last < countMax else { continue }
            cpus += Array(first...last)
        }
        return cpus
    }

    /// The CPUs that have a folder below `/sys/devices/system/cpu`, in order.
    static func folders(_ path: String) -> [Int] {
        (SystemFile.names(path) ?? []).compactMap { $0.hasPrefix("cpu") ? Int($0.dropFirst(3)) : nil }.sorted()
    }
}
