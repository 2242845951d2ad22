import Alerting
import ArgumentParser
import Foundation
import Patterns
import PromQL
import Settings

/// `apus test`
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run tests of rules and of PromQL.",
        subcommands: [TestRulesCommand.self, TestPromQLCommand.self])
}

/// `apus test rules`
struct TestRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Run rule unit tests, in the format of promtool.",
        discussion: "Exits with 1 where a test fails or a file cannot be read.")

    @Argument(help: ArgumentHelp("The files of tests.", valueName: "file"))
    var files: [String]

    @Option(name: .customLong("run"), help: ArgumentHelp("Run only groups whose name fits one of these.", valueName: "regex"))
    var names: [String] = []

    func run() async throws {
        let patterns: [Pattern]
        do {
            patterns = try names.map { try Pattern($0) }
        } catch {
            throw ValidationError("--run: \(error)")
        }
        var hasFailed = false
        for file in files {
            print("Unit Testing:  \(file)")
            var failures: [String]
            do throws(ConfigurationError) {
                let tests = try RuleUnitTestFile.load(path: file)
                failures = await RuleUnitTestRunner(tests, path: file).failures { name in
                    patterns.isEmpty || patterns.contains { $0.matchesPart(name) }
                }
            } catch {
                failures = ["    \(error)"]
            }
            if failures.isEmpty {
                print("  SUCCESS")
            } else {
                hasFailed = true
                print("  FAILED:")
                for failure in failures { print(failure + "\n") }
            }
            print("")
        }
        if hasFailed { throw ExitCode(1) }
    }
}

/// `apus test promql`
struct TestPromQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promql", abstract: "Run test scripts of PromQL, in the notation of Prometheus' own.",
        discussion: """
            Prints each evaluation that fails, with its line, what was expected and what came, and at the end \
            how many passed and failed. Exits with 1 where one failed.
            """)

    @Argument(help: ArgumentHelp("The scripts.", valueName: "file"))
    var files: [String]

    func run() async throws {
        var passed = 0
        var failed = 0
        for file in files {
            do {
                let text = try ConfigurationFile.text(path: file)
                let outcome = try await PromQLScriptRunner.run(text)
                passed += outcome.passed
                failed += outcome.failures.count
                for failure in outcome.failures { print("\(file):\(failure.line): \(failure.message)") }
            } catch let error as ScriptError {
                failed += 1
                print("\(file):\(error.line): \(error.message)")
            } catch {
                failed += 1
                print("\(error)")
            }
        }
        print("\(passed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode(1) }
    }
}
