import FlameQL
import Query
import Telemetry
import TestSupport
import Testing

@Suite struct FlameQLTests {
    static let cpu = ProfileType(
        name: "process_cpu", sampleType: "cpu", sampleUnit: "nanoseconds", periodType: "cpu", periodUnit: "nanoseconds")

    static func profile(_ second: Int64, _ stacks: [(String, Int64)]) -> Profile {
        var frames: [Profile.Frame] = []
        var indexes: [String: UInt32] = [:]
        let lists = stacks.map { stack, _ in
            stack.split(separator: ";").map(String.init).map { name -> UInt32 in
                if let index = indexes[name] { return index }
                indexes[name] = UInt32(frames.count)
                frames.append(Profile.Frame(function: name))
                return UInt32(frames.count - 1)
            }
        }
        return Profile(timestamp: second * 1_000_000_000, duration: 0, frames: frames, stacks: lists, values: stacks.map(\.1))
    }

    static func store() async throws -> MemoryStore {
        let store = MemoryStore()
        var batch = TelemetryBatch()
        for (service, profiles) in [
            ("orders", [profile(1, [("main;work;read", 5), ("main;idle", 2)]), profile(61, [("main;work", 3)])]),
            ("other", [profile(1, [("main", 100)])]),
        ] {
            let labels = Labels([Label(ProfileType.labelName, cpu.description), Label(ProfileType.serviceLabelName, service)])
            batch.profiles.streams.append(ProfileBatch.Stream(labels: labels, profiles: profiles))
        }
        try await store.append(batch)
        return store
    }

    @Test("merges profiles into one tree, own and total cost apart")
    func merge() async throws {
        let engine = FlameQLEngine(store: try await Self.store())
        let graph = try await engine.merge(type: Self.cpu, selector: #"{service_name="orders"}"#, in: .all, context: QueryContext())
        #expect(graph.total == 10)
        #expect(graph.unit == "nanoseconds")
        #expect(graph.functions.map { "\($0.name) \($0.own) \($0.total)" } == ["main 0 10", "work 3 8", "read 5 5", "idle 2 2"])
        let names = graph.names
        #expect(
            graph.levels.map { level in
                stride(from: 0, to: level.count, by: 4).map {
                    "\(level[$0]) \(level[$0 + 1]) \(level[$0 + 2]) \(names[Int(level[$0 + 3])])"
                }
            } == [["0 10 0 total"], ["0 10 0 main"], ["0 2 2 idle", "0 8 3 work"], ["2 5 5 read"]])
    }

    @Test("puts what does not fit into one node a parent, and loses no cost")
    func truncation() {
        var graph = FlameGraph(unit: "count")
        for index in 0..<100 { graph.add([graph.nameIndex("a"), graph.nameIndex("f\(index)")], value: Int64(index + 1)) }
        let truncated = graph.truncated(to: 10)
        #expect(truncated.nodes.count <= 11)
        #expect(truncated.total == graph.total)
        let level = truncated.levels[2]
        #expect(stride(from: 1, to: level.count, by: 4).map { level[$0] }.reduce(0, +) == graph.total)
        #expect(truncated.names.contains(FlameGraph.otherName))
    }

    @Test("counts a function once a stack, also where it calls itself")
    func recursion() {
        var graph = FlameGraph(unit: "count")
        let a = graph.nameIndex("a")
        graph.add([a, a, a], value: 4)
        #expect(graph.functions.map(\.total) == [4])
        #expect(graph.functions.map(\.own) == [4])
    }

    @Test("gives totals over time")
    func series() async throws {
        let engine = FlameQLEngine(store: try await Self.store())
        let series = try await engine.series(
            type: Self.cpu, selector: "", groupBy: ["service_name"], in: TimeRange(0, 120_000_000_000), step: 60_000_000_000,
            context: QueryContext())
        #expect(series.map(\.values) == [[7, 3], [100]])
        #expect(series.first?.timestamps == [0, 60_000_000_000])
    }

    @Test("lists services and types")
    func types() async throws {
        let engine = FlameQLEngine(store: try await Self.store())
        let types = try await engine.profileTypes(in: .all, context: QueryContext())
        #expect(types.map(\.service) == ["orders", "other"])
        #expect(types.allSatisfy { $0.type == Self.cpu })
    }

    @Test(
        "reads selectors",
        arguments: [
            ("", 0), ("{}", 0), (#"{a="b", c!~"d\"e"}"#, 2), (#"a="b""#, 1), (#"process_cpu:cpu:nanoseconds:cpu:nanoseconds{a="b"}"#, 1),
        ])
    func selectors(text: String, count: Int) throws {
        #expect(try ProfileSelector(text).matchers.count == count)
    }

    @Test("says where a selector is wrong", arguments: ["{", "{a", "{a=", #"{a="b"#, #"{a="b"} x"#, "a:b{}", #"{a~"b"}"#])
    func badSelectors(text: String) {
        let error = #expect(throws: QueryError.self) { try ProfileSelector(text) }
        #expect(error?.place != nil)
    }

    @Test("a sum that does not fit stops at the largest number")
    func overflow() {
        var graph = FlameGraph(unit: "count")
        for _ in 0..<3 { graph.add([graph.nameIndex("a")], value: .max) }
        #expect(graph.total == .max)
        #expect(!graph.levels.isEmpty)
    }

    @Test("lays two graphs over one tree")
    func difference() {
        var (left, right) = (FlameGraph(unit: "count"), FlameGraph(unit: "count"))
        left.add([left.nameIndex("main"), left.nameIndex("old")], value: 3)
        left.add([left.nameIndex("main"), left.nameIndex("same")], value: 2)
        right.add([right.nameIndex("main"), right.nameIndex("same")], value: 7)
        right.add([right.nameIndex("main"), right.nameIndex("new")], value: 1)
        let difference = FlameDifference(left, right)
        let rows = difference.levels.map { level in
            stride(from: 0, to: level.count, by: 7).map { start in
                "\(level[start..<start + 6].map(String.init).joined(separator: " ")) \(difference.names[Int(level[start + 6])])"
            }
        }
        #expect(
            rows == [
                ["0 5 0 0 8 0 total"], ["0 5 0 0 8 0 main"], ["0 0 0 0 1 1 new", "0 3 3 0 0 0 old", "0 2 2 0 7 7 same"],
            ])
    }
}
