import Foundation
import TestSupport
import Testing

/// The rules that a machine can check; each message names what to do instead.
@Suite("House rules")
struct HouseTests {
    /// What each room may import of the other rooms (docs/architecture.md). A room that is not listed is not checked.
    static let mayImport: [String: Set<String>] = [
        "Telemetry": [],
        "Codecs": ["CZstd", "CSnappy", "CZlib", "CDeflate", "CBzip2", "CIntrinsics"],
        "Patterns": ["CRE2", "CIntrinsics"],
        "Settings": [],
        "Formats": ["Telemetry", "Codecs"],
        "EmbeddedStore": ["Telemetry", "Codecs", "Patterns", "CRoaring", "CIntrinsics"],
        "Query": ["Telemetry", "Patterns"],
        "PromQL": ["Telemetry", "Query", "Patterns"],
        "Templates": ["Telemetry", "Codecs", "Patterns"],
        "LogQL": ["Telemetry", "Query", "Patterns", "Templates"],
        "TraceQL": ["Telemetry", "Query", "Patterns"],
        "FlameQL": ["Telemetry", "Query", "Patterns"],
        "Collectors": ["Telemetry", "Codecs", "Formats", "Patterns", "Templates", "Settings", "CIntrinsics"],
        "Alerting": ["Telemetry", "Query", "PromQL", "LogQL", "TraceQL", "FlameQL", "Patterns", "Settings"],
        "Web": [],
        "ApusKit": [],
    ]

    static let rooms: Set<String> = Set(mayImport.keys).union(["Server", "apus", "CRoaring", "CZstd", "CSnappy", "CZlib", "CDeflate", "CBzip2", "CRE2", "CIntrinsics"])

    @Test("a room imports only what stands below it", arguments: mayImport.keys.sorted())
    func importsPointDown(room: String) throws {
        let allowed = try #require(Self.mayImport[room])
        for file in try SourceFile.all(below: "Sources/\(room)") {
            for imported in file.imports where Self.rooms.contains(imported) && imported != room {
                #expect(allowed.contains(imported), "\(file.path) imports \(imported): \(room) may import \(allowed.sorted())")
            }
        }
    }

    @Test("a file holds one concept: at most 500 lines")
    func filesAreSmall() throws {
        for file in try SourceFile.all(below: "Sources") where file.lines.count > 500 {
            Issue.record("\(file.path) has \(file.lines.count) lines: split it by concept (Type.swift, Type+Aspect.swift)")
        }
    }

    static let banned: [(text: String, instead: String)] = [
        ("try!", "throw a typed error, or handle it"),
        ("fatalError(", "precondition for a bug, a typed error for everything else"),
        ("as! ", "as? with an error"),
        ("TODO", "do it, or say in the issue what is left"),
        ("FIXME", "mend it"),
        ("print(\"DEBUG", "the logger"),
    ]

    @Test("nothing in the sources traps or is left for later", arguments: banned.map(\.text))
    func nothingBanned(text: String) throws {
        let instead = try #require(Self.banned.first { $0.text == text }?.instead)
        for file in try SourceFile.all(below: "Sources") {
            for (index, line) in file.lines.enumerated() where line.code.contains(text) {
                Issue.record("\(file.path):\(index + 1): \(text) is not used here; use instead: \(instead)")
            }
        }
    }

    @Test("@unchecked Sendable and nonisolated(unsafe) come with their proof")
    func uncheckedIsProved() throws {
        for file in try SourceFile.all(below: "Sources") {
            for (index, line) in file.lines.enumerated()
            where line.code.contains("@unchecked Sendable") || line.code.contains("nonisolated(unsafe)") {
                let before = file.lines[max(0, index - 8)...index].contains { $0.text.contains("SAFETY:") }
                #expect(before, "\(file.path):\(index + 1): say in a `// SAFETY:` comment right above why this is safe, or use Mutex")
            }
        }
    }

    @Test("no path of a machine and no registry's host is written down")
    func nothingLocal() throws {
        // Put together here so that this file does not find itself.
        let forbidden = ["/" + "work/", "/" + "opt/swift", "pypi" + ".org/simple", "npm" + "js.org"]
        for folder in ["Sources", "Tests", "scripts", "kits", "examples", "deploy", "docs"] {
            for file in try SourceFile.all(below: folder, endings: nil) {
                for (index, line) in file.lines.enumerated() {
                    for text in forbidden where line.text.contains(text) {
                        Issue.record("\(file.path):\(index + 1) names \(text)")
                    }
                }
            }
        }
    }
}
