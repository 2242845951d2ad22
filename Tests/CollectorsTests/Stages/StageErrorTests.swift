import Settings
import Testing

@testable import Collectors

@Suite("Stages that are wrong")
struct StageErrorTests {
    /// The stages, and what the error must say.
    static let cases: [(yaml: String, message: String)] = [
        ("- jsn: {}", "stages.yaml:1:3: stage 1: unknown stage \"jsn\"; did you mean \"json\"?"),
        ("- docker\n", "stages.yaml:1:3: stage 1: expected a mapping"), ("- docker: {}\n  cri: {}", "stages.yaml:2:3: stage 1: a pipeline stage must contain only one key"),
        ("- docker: {}\n- regex: {expression: '(?P<a'}", "stages.yaml:2:23: stage 2 (regex): could not compile regular expression"),
        ("- regex: {}", "stage 1 (regex): expression is required"), ("- regex: {expression: '(?P<a>.)', source: ''}", "stage 1 (regex): empty source"),
        ("- json: {}", "expressions is required"), ("- json: {expressions: {a: 'b['}}", "could not compile the JMESPath expression of \"a\""),
        ("- logfmt: {}", "mapping is required"), ("- labels: {}", "labels is empty"), ("- labels: {'a-b': }", "invalid label name: \"a-b\""),
        ("- labeldrop: []", "labeldrop is empty"), ("- labelallow: []", "labelallow is empty"), ("- static_labels: {}", "static_labels is empty"),
        ("- output: {}", "output source value is required"), ("- timestamp: {source: a}", "format is required"),
        ("- timestamp: {source: a, format: Unix, location: Nowhere/Land}", "unknown time zone Nowhere/Land"),
        ("- timestamp: {source: a, format: Unix, action_on_failure: foo}", "unknown value \"foo\""),
        ("- template: {source: a, template: '{{ nosuch . }}'}", "function \"nosuch\" not defined"), ("- template: {source: a, template: '{{ if }}'}", "stage 1 (template)"),
        ("- tenant: {}", "one of label, source and value is required"), ("- tenant: {value: a, source: b}", "mutually exclusive"),
        ("- multiline: {}", "multiline needs `firstline`"), ("- multiline: {firstline: a, max_wait_time: soon}", "a duration such as"),
        ("- drop: {}", "drop needs at least one of"), ("- drop: {expression: a, value: b}", "drop needs source where value is given"),
        ("- drop: {source: s, expression: a, value: b}", "value and expression cannot both be given"), ("- drop: {older_than: 1x}", "a duration such as"),
        ("- drop: {longer_than: 1x}", "a number of bytes"), ("- sampling: {rate: 1.5}", "between 0.0 and 1.0"), ("- limit: {rate: 1}", "rate and burst must both be greater than 0"),
        ("- limit: {rate: 1, burst: 1, by_label_name: a}", "drop must be true"), ("- match: {selector: '{a=\"b\"}'}", "match needs at least one stage"),
        ("- match: {selector: '{a=}', action: drop}", "the selector \"{a=}\" cannot be read: parse error at col 4"),
        ("- match: {selector: '{a=\"b\"}', action: drop, stages: [{docker: }]}", "cannot contain stages"),
        ("- match: {selector: '{a=\"b\"}', stages: [{docker: }, {regex: {}}]}", "stage 1 (match): stage 2 (regex): expression is required"),
        ("- match: {selector: '{a=\"b\"}', pipeline_name: '', action: drop}", "not be empty"), ("- match: {selector: '{a=\"b\"}', action: foo}", "unknown value \"foo\""),
        ("- metrics: {}", "metrics is empty"), ("- metrics: {a: {type: Foo}}", "must be Counter, Gauge or Histogram"), ("- metrics: {a: {type: Counter}}", "needs an action"),
        ("- metrics: {a: {type: Counter, config: {action: del}}}", "action del is not valid"),
        ("- metrics: {a: {type: Counter, config: {action: inc, match_all: true, value: x}}}", "cannot be combined with `value`"),
        ("- metrics: {a: {type: Counter, config: {action: add, count_entry_bytes: true}}}", "can only be set with `match_all: true`"),
        ("- metrics: {a: {type: Gauge, max_idle_duration: 10ms, config: {action: inc}}}", "less than 1s"),
        ("- geoip: {db: /nowhere.mmdb, source: a, db_type: city}", "the geoip database cannot be used"), ("- geoip: {db: a, source: a}", "db_type is required"),
    ]

    @Test("a wrong stage is refused with its place, number and name", arguments: cases.indices)
    func refused(index: Int) throws {
        let (yaml, message) = Self.cases[index]
        let error = try #require(StageHarness.error(yaml), "\(yaml) was taken")
        #expect(error.contains(message), "\(yaml): \(error)")
        #expect(error.hasPrefix("stages.yaml:"))
    }

    @Test("an option that a stage does not have is a warning with the nearest one that it has")
    func unknownOption() throws {
        let program = try StageHarness.program("- json: {expresions: {a: b}, expressions: {a: b}}")
        #expect(program.warnings.map(\.description) == ["stages.yaml:1:10: the stage json has no option \"expresions\", it has no effect; did you mean \"expressions\"?"])
    }
}
