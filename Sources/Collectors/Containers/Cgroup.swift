/// One control group: a container, a unit of systemd, a slice.
struct Cgroup: Sendable, Hashable {
    /// The path below the root of the hierarchy, `/` for the root: cAdvisor's label `id`.
    var id: String
    /// Where its files are.
    var folder: String
    /// The 64 hexadecimal digits by which a runtime knows the container; nil for everything else.
    var containerID: String?

    func file(_ name: String) -> [UInt8]? { try? SystemFile.read(folder + "/" + name) }

    /// The number of a file; nil where it is absent or says `max`.
    func number(_ name: String) -> Double? { SystemFile.number(folder + "/" + name) }

    /// Whether there is a file with a limit, and what it says: `max` is 0, as in cAdvisor.
    func limit(_ name: String) -> Double? {
        guard let text = SystemFile.text(folder + "/" + name) else { return nil }
        return text == "max" ? 0 : Double(text)
    }

    /// `NAME VALUE` lines.
    func fields(_ name: String) -> [String: Double]? {
        guard let bytes = file(name) else { return nil }
        var text = TextCursor(bytes)
        var fields: [String: Double] = [:]
        fields.reserveCapacity(64)
        while text.nextLine() {
            if let name = text.text(), let value = text.number() { fields[name] = value }
        }
        return fields
    }

    /// The processes in the group itself.
    var processes: [String] {
        guard let bytes = file("cgroup.procs") else { return [] }
        var text = TextCursor(bytes)
        var processes: [String] = []
        while text.nextLine() {
            // Processes of another namespace are shown as 0.
            if let process = text.text(), process != "0" { processes.append(process) }
        }
        return processes
    }

    /// The container's id in the last part of a path: Docker, Podman, containerd and CRI-O put their names before it and `.scope` behind.
    static func containerID(in name: String) -> String? {
        let scope = name.hasSuffix(".scope") ? name.dropLast(".scope".count) : name[...]
        let part = scope.suffix(64)
        guard part.count == 64, part.utf8.allSatisfy(isHexadecimal) else { return nil }
        let before = scope.dropLast(64)
        return before.isEmpty || before.hasSuffix("-") || before.hasSuffix(":") ? String(part) : nil
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
