import Foundation
import Settings
import TestSupport
import Testing

@Suite("FileGlob")
struct FileGlobTests {
    @Test(
        "patterns match as shells match them",
        arguments: [
            ("/a/b.log", "/a/*.log", true), ("/a/b.log", "/*/b.log", true), ("/a/b/c.log", "/a/*.log", false),
            ("/a/b/c.log", "/a/**/*.log", true), ("/a/c.log", "/a/**/*.log", true), ("/a/c.log", "/**", true),
            ("/a/x1.log", "/a/x?.log", true), ("/a/x1.log", "/a/x[0-3].log", true), ("/a/x1.log", "/a/x[!0-3].log", false),
            ("/a/web.log", "/a/{web,app}.log", true), ("/a/api2.log", "/a/{web,{api,db}[12]}.log", true),
            ("a.log", "/a.log", false), ("/a/b", "/a/b/**/c", false), ("/aaaaaaaaaaaaaaaaaaaaaaaa", "/*a*a*a*a*a*a*b", false),
        ])
    func matches(path: String, pattern: String, isMatch: Bool) {
        #expect(FileGlob.matches(path, pattern) == isMatch)
    }

    @Test("files are found below folders, sorted, each once; hidden ones only where the pattern says so")
    func finds() throws {
        let folder = try ScratchFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/b/c", withIntermediateDirectories: true)
        for name in ["a.log", "b/x.log", "b/c/y.log", "b/c/z.txt", ".hidden.log"] {
            try Data().write(to: URL(filePath: folder.path + "/" + name))
        }
        func find(_ pattern: String) -> [String] {
            FileGlob.files(folder.path + "/" + pattern).map { String($0.dropFirst(folder.path.count + 1)) }
        }
        #expect(find("*.log") == ["a.log"])
        #expect(find("**/*.log") == ["a.log", "b/c/y.log", "b/x.log"])
        #expect(find("{b/*,a}.log") == ["a.log", "b/x.log"])
        #expect(find(".*.log") == [".hidden.log"])
        #expect(find("a.log") == ["a.log"])
        #expect(find("missing.log").isEmpty)
        #expect(find("b").isEmpty)
    }

    @Test("a relative path starts at the folder of the file that names it")
    func resolves() {
        #expect(FileGlob.resolve("rules/*.yml", relativeToFile: "/etc/prometheus.yml") == "/etc/rules/*.yml")
        #expect(FileGlob.resolve("/x.yml", relativeToFile: "/etc/prometheus.yml") == "/x.yml")
        #expect(FileGlob.resolve("x.yml", relativeToFile: "prometheus.yml") == "x.yml")
    }
}
