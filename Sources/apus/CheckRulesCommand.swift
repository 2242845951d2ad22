import Alerting
import ArgumentParser
import Foundation
import Telemetry

/// `apus check rules`
struct CheckRulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Check rule files of Prometheus, or of Loki.",
        discussion: "Exits with 1 where a file does not load, and with 3 where --lint-fatal is given and something was found.")

    enum Lint: String, CaseIterable, ExpressibleByArgument {
        case all
        case duplicateRules = "duplicate-rules"
        case none
    }

    @Argument(help: ArgumentHelp("The rule files; standard input where none is named.", valueName: "file"))
    var files: [String] = []

    @Option(help: "What rules are written in where a group's type does not say: promql, or logql for Loki's.")
    var language = Language.promql

    enum Language: String, CaseIterable, ExpressibleByArgument {
        case promql, logql

        var rules: RuleLanguage { self == .logql ? .logql : .promql }
    }

    @Option(help: "What to look for in files that load: all, duplicate-rules or none.")
    var lint = Lint.duplicateRules

    @Flag(help: "Take what lint finds for an error.")
    var lintFatal = false

    func run() throws {
        var hasErrors = false
        var hasFindings = false
        for file in files.isEmpty ? ["standard input"] : files {
            print("Checking \(file)")
            do throws(RuleFile.LoadError) {
                let loaded =
                    files.isEmpty
                    ? try RuleFile.parse(StandardInput.text(), file: file, language: language.rules)
                    : try RuleFile.load(path: file, language: language.rules)
                for warning in loaded.warnings { print("  warning: \(warning)") }
                let duplicates = lint == .none ? [] : RuleLint.duplicates(loaded.groups)
                if duplicates.isEmpty {
                    print("  SUCCESS: \(loaded.groups.reduce(0) { $0 + $1.rules.count }) rules found")
                } else {
                    hasFindings = true
                    StandardError.write("  FAILED:\n\(Self.text(duplicates))")
                }
            } catch {
                hasErrors = true
                StandardError.write("  FAILED:\n\(error)")
            }
            print("")
        }
        if hasErrors { throw ExitCode(1) }
        if hasFindings, lintFatal { throw ExitCode(3) }
    }

    private static func text(_ duplicates: [RuleLint.Duplicate]) -> String {
        var text = "lint error \(duplicates.count) duplicate rule(s) found.\n"
        for duplicate in duplicates {
            text += "Metric: \(duplicate.name)\nLabel(s):\n"
            for label in duplicate.labels.pairs { text += "\t\(label.name): \(label.value)\n" }
        }
        return text + "Might cause inconsistency while recording expressions"
    }
}
