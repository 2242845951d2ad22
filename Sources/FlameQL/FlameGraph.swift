/// A flame graph: a tree of functions, each with the cost of itself and of all that it called.
package struct FlameGraph: Sendable, Hashable {
    package struct Node: Sendable, Hashable {
        /// Index into ``FlameGraph/names``.
        package var name: Int
        package var own: Int64
        package var total: Int64
        /// Indexes into ``FlameGraph/nodes``.
        package var children: [Int] = []
    }

    /// The unit of the values: `nanoseconds`, `bytes`, `count`.
    package var unit: String
    package private(set) var names: [String]
    /// The first one is the root, named `total`. Parents come before their children.
    package private(set) var nodes: [Node]
    private var nameIndexes: [String: Int]
    /// By parent and name, while the graph grows.
    private var childIndexes: [Child: Int] = [:]

    private struct Child: Sendable, Hashable {
        var parent: Int
        var name: Int
    }

    /// What the nodes that a truncation takes away are called.
    package static let otherName = "other"

    package init(unit: String) {
        self.unit = unit
        names = ["total"]
        nodes = [Node(name: 0, own: 0, total: 0)]
        nameIndexes = ["total": 0]
    }

    package var total: Int64 { nodes[0].total }

    /// The index of a name, made where it is new.
    package mutating func nameIndex(_ name: String) -> Int {
        if let index = nameIndexes[name] { return index }
        let index = names.count
        nameIndexes[name] = index
        names.append(name)
        return index
    }

    /// Adds a stack (names by ``nameIndex(_:)``, root first) of that value.
    package mutating func add(_ stack: some Sequence<Int>, value: Int64) {
        guard value != 0 else { return }
        nodes[0].total = Self.sum(nodes[0].total, value)
        var node = 0
        for name in stack {
            let key = Child(parent: node, name: name)
            if let child = childIndexes[key] {
                node = child
            } else {
                let child = nodes.count
                childIndexes[key] = child
                nodes.append(Node(name: name, own: 0, total: 0))
                nodes[node].children.append(child)
                node = child
            }
            nodes[node].total = Self.sum(nodes[node].total, value)
        }
        nodes[node].own = Self.sum(nodes[node].own, value)
    }

    /// Totals stop at the largest number instead of wrapping: values come from outside.
    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (right > 0 ? .max : .min) : sum
    }

    /// The graph with at most about `nodeCountMax` nodes: the smallest ones of each parent go into one called ``otherName``.
    package func truncated(to nodeCountMax: Int) -> FlameGraph {
        guard nodes.count > nodeCountMax, nodeCountMax > 0 else { return self }
        let totals = nodes.map { $0.total.magnitude }.sorted(by: >)
        let least = totals[min(nodeCountMax, totals.count) - 1]
        var result = FlameGraph(unit: unit)
        result.nodes[0] = Node(name: 0, own: nodes[0].own, total: nodes[0].total)
        var waiting = [(old: 0, new: 0)]
        while let (old, new) = waiting.popLast() {
            var other: Int64 = 0
            for child in nodes[old].children {
                // Nodes as small as the last one that fits stay only while there is room.
                if nodes[child].total.magnitude < least || result.nodes.count >= nodeCountMax {
                    other = Self.sum(other, nodes[child].total)
                    continue
                }
                let index = result.nodes.count
                result.nodes.append(
                    Node(name: result.nameIndex(names[nodes[child].name]), own: nodes[child].own, total: nodes[child].total))
                result.nodes[new].children.append(index)
                waiting.append((child, index))
            }
            guard other != 0 else { continue }
            let index = result.nodes.count
            result.nodes.append(Node(name: result.nameIndex(Self.otherName), own: other, total: other))
            result.nodes[new].children.append(index)
        }
        return result
    }

    /// The levels of Pyroscope's flamebearer: four numbers a node (offset from the end of the sibling before it, total, own, index
    /// of the name), children by name.
    package var levels: [[Int64]] {
        var levels: [[Int64]] = []
        // Where each node begins, counted in values from the left.
        var level: [(node: Int, start: Int64)] = [(0, 0)]
        while !level.isEmpty {
            var numbers: [Int64] = []
            numbers.reserveCapacity(level.count * 4)
            var next: [(node: Int, start: Int64)] = []
            var end: Int64 = 0
            for (index, start) in level {
                let node = nodes[index]
                numbers += [start &- end, node.total, node.own, Int64(node.name)]
                end = start &+ node.total
                var position = start
                for child in node.children.sorted(by: { names[nodes[$0].name].utf8.lexicographicallyPrecedes(names[nodes[$1].name].utf8) })
                {
                    next.append((child, position))
                    position = position &+ nodes[child].total
                }
            }
            levels.append(numbers)
            level = next
        }
        return levels
    }

    /// The most that a single function costs itself: the scale of colours.
    package var maxOwn: Int64 { nodes.map(\.own).max() ?? 0 }
}

extension FlameGraph {
    /// Cost by function wherever it stands: own cost, and cost with all that it called (once a stack, also in recursion).
    package var functions: [(name: String, own: Int64, total: Int64)] {
        var own = [Int64](repeating: 0, count: names.count)
        var total = own
        var onStack = [Int](repeating: 0, count: names.count)
        var walk: [(node: Int, isLeaving: Bool)] = [(0, false)]
        while let (index, isLeaving) = walk.popLast() {
            let node = nodes[index]
            if isLeaving {
                onStack[node.name] -= 1
                continue
            }
            own[node.name] = own[node.name] &+ node.own
            if onStack[node.name] == 0 { total[node.name] = total[node.name] &+ node.total }
            onStack[node.name] += 1
            walk.append((index, true))
            for child in node.children { walk.append((child, false)) }
        }
        return names.indices.dropFirst().map { (names[$0], own[$0], total[$0]) }.sorted { $0.total > $1.total }
    }
}
