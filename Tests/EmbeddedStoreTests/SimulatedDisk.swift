import Synchronization
import Telemetry
import TestSupport

@testable import EmbeddedStore

/// A disk in memory that loses what was not synced, tears writes, runs full and fails on demand.
///
/// A write is durable after its file's `sync`, a name after its folder's `syncFolder`. What a crash keeps of the rest is drawn:
/// on an orderly disk a prefix of the changes, the last write cut short; on a disorderly one any of the names that were not
/// synced, and of each write any of its pages.
final class SimulatedDisk: FileSystem {
    /// What a failing operation says.
    enum Failure: Sendable {
        case none
        /// From that operation on nothing works until the crash.
        case powerOff(at: Int)
        /// Each changing operation fails with this probability (per thousand); a failing write leaves a part of itself.
        case errors(perThousand: UInt64, code: StoreError.Code)
    }

    fileprivate enum Change: Sendable {
        case write([UInt8], at: Int)
        case truncate(Int)
    }

    fileprivate struct Node: Sendable {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var unsynced: [Change] = []
    }

    private enum NameChange: Sendable {
        case link(String, Int)
        case unlink(String)
        case rename(String, to: String, Int)

        /// The folder whose sync makes it durable.
        var folder: String {
            switch self {
            case .link(let path, _), .unlink(let path), .rename(_, let path, _): SimulatedDisk.folder(of: path)
            }
        }
    }

    private struct State: Sendable {
        var nodes: [Int: Node] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var nameChanges: [NameChange] = []
        var folders: Set<String> = []
        var nextNode = 0
        var operationCount = 0
        var failure = Failure.none
        /// Reads fail with this probability (per thousand), as a disk with bad sectors says it.
        var readErrorsPerThousand: UInt64 = 0
        var byteCountMax: Int?
        var random: SplitMix64

        var byteCount: Int { Set(names.values).reduce(0) { $0 + (nodes[$1]?.bytes.count ?? 0) } }
    }

    private static let pageByteCount = 512

    private let state: Mutex<State>
    /// Whether a crash keeps the order of what was not synced, as a journal does.
    let isOrderly: Bool

    init(seed: UInt64, isOrderly: Bool = true) {
        state = Mutex(State(random: SplitMix64(seed: seed)))
        self.isOrderly = isOrderly
    }

    /// Changing operations so far.
    var operationCount: Int { state.withLock { $0.operationCount } }

    func fail(_ failure: Failure) {
        state.withLock { $0.failure = failure }
    }

    func failReads(perThousand: UInt64) {
        state.withLock { $0.readErrorsPerThousand = perThousand }
    }

    /// Bounds the disk; nil: it never runs full.
    func setByteCountMax(_ byteCountMax: Int?) {
        state.withLock { $0.byteCountMax = byteCountMax }
    }

    /// What all files hold.
    var byteCount: Int { state.withLock { $0.byteCount } }

    func contents(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.nodes[$0]?.bytes } }
    }

    func setContents(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            guard let node = state.names[path] else { return }
            state.nodes[node] = Node(bytes: bytes, durable: bytes)
        }
    }

    /// Takes a file away behind the store's back.
    func lose(_ path: String) {
        state.withLock { state in
            state.names[path] = nil
            state.durableNames[path] = nil
        }
    }

    var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    /// Power off and on again.
    func crash() {
        state.withLock { state in
            state.failure = .none
            state.readErrorsPerThousand = 0
            if isOrderly {
                let kept = Int(state.random.next() % UInt64(state.nameChanges.count + 1))
                for change in state.nameChanges.prefix(kept) { Self.apply(change, &state.durableNames) }
            } else {
                for change in state.nameChanges where state.random.next() % 2 == 0 { Self.apply(change, &state.durableNames) }
            }
            state.nameChanges = []
            state.names = state.durableNames
            for number in state.nodes.keys.sorted() {
                guard var node = state.nodes[number] else { continue }
                if isOrderly { Self.keepPrefix(&node, &state.random) } else { Self.keepPages(&node, &state.random) }
                state.nodes[number] = Node(bytes: node.durable, durable: node.durable)
            }
        }
    }

    /// Keeps a drawn number of the changes, in their order; the last write may be cut short.
    private static func keepPrefix(_ node: inout Node, _ random: inout SplitMix64) {
        let kept = Int(random.next() % UInt64(node.unsynced.count + 1))
        for (index, change) in node.unsynced.prefix(kept).enumerated() {
            if index == kept - 1, case .write(let bytes, let offset) = change {
                let torn = Int(random.next() % UInt64(bytes.count + 1))
                apply(.write(Array(bytes[..<torn]), at: offset), &node.durable)
            } else {
                apply(change, &node.durable)
            }
        }
    }

    /// Keeps any of the changes, and of a write any of its pages.
    private static func keepPages(_ node: inout Node, _ random: inout SplitMix64) {
        for change in node.unsynced {
            switch change {
            case .truncate: if random.next() % 2 == 0 { apply(change, &node.durable) }
            case .write(let bytes, let offset):
                var start = 0
                while start < bytes.count {
                    let end = min(bytes.count, start + pageByteCount - (offset + start) % pageByteCount)
                    if random.next() % 2 == 0 { apply(.write(Array(bytes[start..<end]), at: offset + start), &node.durable) }
                    start = end
                }
            }
        }
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private static func apply(_ change: NameChange, _ names: inout [String: Int]) {
        switch change {
        case .link(let path, let node): names[path] = node
        case .unlink(let path): names[path] = nil
        case .rename(let path, let target, let node):
            names[path] = nil
            names[target] = node
        }
    }

    fileprivate static func apply(_ change: Change, _ bytes: inout [UInt8]) {
        switch change {
        case .write(let new, let offset):
            if new.isEmpty { return }
            if bytes.count < offset + new.count { bytes += Array(repeating: 0, count: offset + new.count - bytes.count) }
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        case .truncate(let count):
            if count <= bytes.count { bytes.removeLast(bytes.count - count) } else { bytes += Array(repeating: 0, count: count - bytes.count) }
        }
    }

    /// Counts a changing operation and fails it where it is its turn.
    private static func step(_ state: inout State) throws(StoreError) {
        state.operationCount += 1
        switch state.failure {
        case .none: break
        case .powerOff(let at):
            if state.operationCount >= at { throw StoreError(.system, "the power is off") }
        case .errors(let perThousand, let code):
            if state.random.next() % 1000 < perThousand { throw StoreError(code, "drawn to fail") }
        }
    }

    // MARK: FileSystem

    func createFolder(_ path: String) throws(StoreError) {
        state.withLock { state in _ = state.folders.insert(path) }
    }

    func list(_ path: String) throws(StoreError) -> [String] {
        state.withLock { state in
            var names: Set<String> = []
            for other in Array(state.names.keys) + Array(state.folders) where other.hasPrefix(path + "/") {
                names.insert(String(other.dropFirst(path.count + 1).split(separator: "/")[0]))
            }
            return names.sorted()
        }
    }

    func isFolder(_ path: String) throws(StoreError) -> Bool {
        state.withLock { state in
            state.folders.contains(path) || state.names.keys.contains { $0.hasPrefix(path + "/") }
        }
    }

    func open(_ path: String, _ mode: FileMode) throws(StoreError) -> any StoreFile {
        let node = try state.withLock { state throws(StoreError) -> Int in
            if let node = state.names[path] {
                if mode == .create {
                    try Self.step(&state)
                    state.nodes[node]?.bytes = []
                    state.nodes[node]?.unsynced.append(.truncate(0))
                }
                return node
            }
            guard mode != .read else { throw StoreError(.corrupted, "the file \(path) is missing") }
            try Self.step(&state)
            let node = state.nextNode
            state.nextNode += 1
            state.nodes[node] = Node()
            state.names[path] = node
            state.nameChanges.append(.link(path, node))
            return node
        }
        return File(disk: self, node: node, path: path)
    }

    /// A file, or a folder with all that is in it.
    func rename(_ path: String, to target: String) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try Self.step(&state)
            let inside = state.names.keys.filter { $0.hasPrefix(path + "/") }.sorted()
            let moved = state.names[path] != nil ? [path] : inside
            guard !moved.isEmpty || state.folders.contains(path) else { throw StoreError(.system, "no file \(path)") }
            for path in state.folders.filter({ $0 == path || $0.hasPrefix(path + "/") }) { state.folders.remove(path) }
            if moved != [path] { state.folders.insert(target) }
            for old in moved {
                guard let node = state.names.removeValue(forKey: old) else { continue }
                let new = target + old.dropFirst(path.count)
                state.names[new] = node
                state.nameChanges.append(.rename(old, to: new, node))
            }
        }
    }

    func remove(_ path: String) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try Self.step(&state)
            state.names[path] = nil
            state.nameChanges.append(.unlink(path))
        }
    }

    func removeFolder(_ path: String) throws(StoreError) {
        state.withLock { state in _ = state.folders.remove(path) }
    }

    func syncFolder(_ path: String) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try Self.step(&state)
            // Journals keep the order: what came before a synced change is there too.
            let isOrderly = isOrderly
            for change in state.nameChanges where isOrderly || change.folder == path { Self.apply(change, &state.durableNames) }
            state.nameChanges.removeAll { isOrderly || $0.folder == path }
        }
    }

    func link(_ path: String, to target: String) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try Self.step(&state)
            guard let node = state.names[path] else { throw StoreError(.corrupted, "the file \(path) is missing") }
            state.names[target] = node
            state.nameChanges.append(.link(target, node))
        }
    }

    func space(_ path: String) throws(StoreError) -> DiskSpace {
        state.withLock { state in
            let total = state.byteCountMax ?? 1 << 40
            return DiskSpace(freeByteCount: max(0, total - (state.byteCountMax == nil ? 0 : state.byteCount)), totalByteCount: total)
        }
    }

    func lock(_ path: String) throws(StoreError) -> any Sendable { true }

    func isLocked(_ path: String) throws(StoreError) -> Bool { false }

    private final class File: StoreFile {
        let disk: SimulatedDisk
        let node: Int
        let path: String

        init(disk: SimulatedDisk, node: Int, path: String) {
            self.disk = disk
            self.node = node
            self.path = path
        }

        func byteCount() throws(StoreError) -> Int {
            disk.state.withLock { $0.nodes[node]?.bytes.count ?? 0 }
        }

        func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
            try disk.state.withLock { state throws(StoreError) in
                if state.readErrorsPerThousand > 0, state.random.next() % 1000 < state.readErrorsPerThousand {
                    throw StoreError(.corrupted, "could not read \(path) at byte \(offset): Input/output error")
                }
                let bytes = state.nodes[node]?.bytes ?? []
                guard offset < bytes.count else { return [] }
                return Array(bytes[offset..<min(bytes.count, offset + count)])
            }
        }

        func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
            try disk.state.withLock { state throws(StoreError) in
                do throws(StoreError) {
                    try SimulatedDisk.step(&state)
                } catch {
                    // A failing write leaves a part of itself.
                    put(Array(bytes[..<Int(state.random.next() % UInt64(bytes.count + 1))]), at: offset, &state)
                    throw error
                }
                guard let byteCountMax = state.byteCountMax else { return put(bytes, at: offset, &state) }
                let growth = max(0, offset + bytes.count - (state.nodes[node]?.bytes.count ?? 0))
                let missing = growth - max(0, byteCountMax - state.byteCount)
                put(Array(bytes.dropLast(max(0, missing))), at: offset, &state)
                if missing > 0 { throw StoreError(.diskFull, "could not write \(path) at byte \(offset): No space left on device") }
            }
        }

        private func put(_ bytes: [UInt8], at offset: Int, _ state: inout State) {
            SimulatedDisk.apply(.write(bytes, at: offset), &state.nodes[node, default: Node()].bytes)
            state.nodes[node]?.unsynced.append(.write(bytes, at: offset))
        }

        func sync() throws(StoreError) {
            try disk.state.withLock { state throws(StoreError) in
                try SimulatedDisk.step(&state)
                guard let node = state.nodes[node] else { return }
                state.nodes[self.node] = Node(bytes: node.bytes, durable: node.bytes)
            }
        }

        func truncate(to byteCount: Int) throws(StoreError) {
            try disk.state.withLock { state throws(StoreError) in
                try SimulatedDisk.step(&state)
                SimulatedDisk.apply(.truncate(byteCount), &state.nodes[node, default: Node()].bytes)
                state.nodes[node]?.unsynced.append(.truncate(byteCount))
            }
        }
    }
}
