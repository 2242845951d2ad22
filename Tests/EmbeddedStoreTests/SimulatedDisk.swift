import Synchronization
import Telemetry
import TestSupport

@testable import EmbeddedStore

/// A disk in memory that loses what was not synced, tears writes and fails on demand.
///
/// A write is durable after its file's `sync`, a name after its folder's `syncFolder`. A crash keeps a drawn number of the
/// others, in their order: for a file's writes the last one kept may be torn.
final class SimulatedDisk: FileSystem {
    /// What a failing operation says.
    enum Failure: Sendable {
        case none
        /// From that operation on nothing works until the crash.
        case powerOff(at: Int)
        /// Each changing operation fails with this probability (per thousand); a failing write leaves a part of itself.
        case errors(perThousand: UInt64, code: StoreError.Code)
    }

    private enum Change: Sendable {
        case write([UInt8], at: Int)
        case truncate(Int)
    }

    private struct Node: Sendable {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var unsynced: [Change] = []
    }

    private enum NameChange: Sendable {
        case link(String, Int)
        case unlink(String)
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
        var random: SplitMix64
        var isLocked = false
    }

    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(random: SplitMix64(seed: seed)))
    }

    /// Changing operations so far.
    var operationCount: Int { state.withLock { $0.operationCount } }

    func fail(_ failure: Failure) {
        state.withLock { $0.failure = failure }
    }

    func contents(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.nodes[$0]?.bytes } }
    }

    func setContents(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            guard let node = state.names[path] else { return }
            state.nodes[node] = Node(bytes: bytes, durable: bytes)
        }
    }

    var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    /// Power off and on again.
    func crash() {
        state.withLock { state in
            state.failure = .none
            state.isLocked = false
            let keptNames = Int(state.random.next() % UInt64(state.nameChanges.count + 1))
            for change in state.nameChanges.prefix(keptNames) { Self.apply(change, &state.durableNames) }
            state.nameChanges = []
            state.names = state.durableNames
            for (number, node) in state.nodes {
                var node = node
                let kept = Int(state.random.next() % UInt64(node.unsynced.count + 1))
                for (index, change) in node.unsynced.prefix(kept).enumerated() {
                    if index == kept - 1, case .write(let bytes, let offset) = change {
                        let torn = Int(state.random.next() % UInt64(bytes.count + 1))
                        Self.apply(.write(Array(bytes[..<torn]), at: offset), &node.durable)
                    } else {
                        Self.apply(change, &node.durable)
                    }
                }
                state.nodes[number] = Node(bytes: node.durable, durable: node.durable)
            }
        }
    }

    private static func apply(_ change: NameChange, _ names: inout [String: Int]) {
        switch change {
        case .link(let path, let node): names[path] = node
        case .unlink(let path): names[path] = nil
        }
    }

    private static func apply(_ change: Change, _ bytes: inout [UInt8]) {
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
            guard mode != .read else { throw StoreError(.system, "no file \(path)") }
            try Self.step(&state)
            let node = state.nextNode
            state.nextNode += 1
            state.nodes[node] = Node()
            state.names[path] = node
            state.nameChanges.append(.link(path, node))
            return node
        }
        return File(disk: self, node: node)
    }

    func rename(_ path: String, to target: String) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try Self.step(&state)
            guard let node = state.names.removeValue(forKey: path) else { throw StoreError(.system, "no file \(path)") }
            state.names[target] = node
            state.nameChanges += [.link(target, node), .unlink(path)]
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
            for change in state.nameChanges { Self.apply(change, &state.durableNames) }
            state.nameChanges = []
        }
    }

    func lock(_ path: String) throws(StoreError) -> any Sendable {
        true
    }

    private final class File: StoreFile {
        let disk: SimulatedDisk
        let node: Int

        init(disk: SimulatedDisk, node: Int) {
            self.disk = disk
            self.node = node
        }

        func byteCount() throws(StoreError) -> Int {
            disk.state.withLock { $0.nodes[node]?.bytes.count ?? 0 }
        }

        func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
            disk.state.withLock { state in
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
                    let torn = Array(bytes[..<Int(state.random.next() % UInt64(bytes.count + 1))])
                    SimulatedDisk.apply(.write(torn, at: offset), &state.nodes[node, default: Node()].bytes)
                    state.nodes[node]?.unsynced.append(.write(torn, at: offset))
                    throw error
                }
                SimulatedDisk.apply(.write(bytes, at: offset), &state.nodes[node, default: Node()].bytes)
                state.nodes[node]?.unsynced.append(.write(bytes, at: offset))
            }
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
