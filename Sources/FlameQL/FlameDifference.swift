/// Two flame graphs over one tree: where cost grew and where it shrank.
package struct FlameDifference: Sendable, Hashable {
    package struct Node: Sendable, Hashable {
        /// Index into ``FlameDifference/names``.
        package var name: Int
        package var leftOwn: Int64 = 0
        package var leftTotal: Int64 = 0
        package var rightOwn: Int64 = 0
        package var rightTotal: Int64 = 0
        package var children: [Int] = []
    }

    package let unit: String
    package private(set) var names: [String] = ["total"]
    /// The first one is the root. Parents come before their children.
    package private(set) var nodes: [Node] = [Node(name: 0)]

    /// - Parameters:
    ///   - left: what it is compared with.
    ///   - right: what is looked at.
    package init(_ left: FlameGraph, _ right: FlameGraph) {
        unit = right.unit
        var indexes = ["total": 0]
        func index(_ name: String) -> Int {
            if let index = indexes[name] { return index }
            indexes[name] = names.count
            names.append(name)
            return names.count - 1
        }
        for (graph, isRight) in [(left, false), (right, true)] {
            var waiting = [(old: 0, new: 0)]
            while let (old, new) = waiting.popLast() {
                let node = graph.nodes[old]
                if isRight {
                    nodes[new].rightOwn = nodes[new].rightOwn &+ node.own
                    nodes[new].rightTotal = nodes[new].rightTotal &+ node.total
                } else {
                    nodes[new].leftOwn = nodes[new].leftOwn &+ node.own
                    nodes[new].leftTotal = nodes[new].leftTotal &+ node.total
                }
                for child in node.children {
                    let name = index(graph.names[graph.nodes[child].name])
                    if let known = nodes[new].children.first(where: { nodes[$0].name == name }) {
                        waiting.append((child, known))
                    } else {
                        nodes.append(Node(name: name))
                        nodes[new].children.append(nodes.count - 1)
                        waiting.append((child, nodes.count - 1))
                    }
                }
            }
        }
    }

    /// The levels of Pyroscope's double flamebearer: seven numbers a node (offset, total and own cost on the left, the same on the
    /// right, index of the name), children by name.
    package var levels: [[Int64]] {
        var levels: [[Int64]] = []
        var level: [(node: Int, left: Int64, right: Int64)] = [(0, 0, 0)]
        while !level.isEmpty {
            var numbers: [Int64] = []
            var next: [(node: Int, left: Int64, right: Int64)] = []
            var (leftEnd, rightEnd) = (Int64(0), Int64(0))
            for (index, left, right) in level {
                let node = nodes[index]
                numbers += [
                    left &- leftEnd, node.leftTotal, node.leftOwn, right &- rightEnd, node.rightTotal, node.rightOwn, Int64(node.name),
                ]
                leftEnd = left &+ node.leftTotal
                rightEnd = right &+ node.rightTotal
                var (leftStart, rightStart) = (left, right)
                for child in node.children.sorted(by: { names[nodes[$0].name].utf8.lexicographicallyPrecedes(names[nodes[$1].name].utf8) })
                {
                    next.append((child, leftStart, rightStart))
                    leftStart = leftStart &+ nodes[child].leftTotal
                    rightStart = rightStart &+ nodes[child].rightTotal
                }
            }
            levels.append(numbers)
            level = next
        }
        return levels
    }
}
