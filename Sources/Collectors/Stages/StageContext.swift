import Settings

/// What the stages of a job know of where they stand while they are read.
struct StageContext {
    let job: String
    var warnings: [ConfigurationWarning] = []
    /// How deep the stages stand within `match` stages.
    var depth = 0
    /// Names of the pipelines that the stages belong to, for messages.
    var pipelineName: String?

    init(job: String) {
        self.job = job
    }
}

extension StageChain {
    /// Deeper nesting is a mistake, or an attack: the chain recurses.
    private static let depthMax = 20

    /// Reads a list of stages.
    ///
    /// - Throws: the first stage that is wrong, with its place, number and name.
    init(_ node: ConfigurationNode, _ context: inout StageContext) throws(ConfigurationError) {
        guard context.depth < Self.depthMax else { throw node.error("stages are nested more than \(Self.depthMax) levels deep") }
        var stages: [any Stage] = []
        var names: [String] = []
        for (index, item) in try node.list.enumerated() {
            guard case .mapping(let pairs) = item.content, let (key, options) = pairs.first else {
                throw item.error("stage \(index + 1): expected a mapping with the stage's name, such as `json:`")
            }
            guard pairs.count == 1 else {
                throw pairs[1].key.error("stage \(index + 1): a pipeline stage must contain only one key; begin the next stage with `-`")
            }
            let name = try key.string
            guard let read = StageTable.all[name] else {
                let nearest = NearestWord.of(name, among: StageTable.all.keys.sorted()).map { "; did you mean \($0.debugDescription)?" }
                throw key.error("stage \(index + 1): unknown stage \(name.debugDescription)" + (nearest ?? ""))
            }
            do throws(ConfigurationError) {
                stages.append(try read(StageOptions(options, key: key, stage: name), &context))
            } catch {
                throw ConfigurationError(
                    file: error.file, line: error.line, column: error.column, message: "stage \(index + 1) (\(name)): \(error.message)")
            }
            names.append(name)
        }
        self.init(stages, names: names)
    }
}

/// The options of one stage. Promtail knows no case in their names, and passes over those that it does not know: Apus warns.
struct StageOptions {
    let node: ConfigurationNode
    /// The stage's name in the file, for its place where there are no options.
    let key: ConfigurationNode
    let stage: String

    init(_ node: ConfigurationNode, key: ConfigurationNode, stage: String) {
        self.node = node
        self.key = key
        self.stage = stage
    }

    /// Reads options of these names.
    func reading(_ known: [String], _ context: inout StageContext) throws(ConfigurationError) -> Fields {
        var values: [String: ConfigurationNode] = [:]
        for (key, value) in try node.pairs {
            let name = try key.string.lowercased()
            guard known.contains(name) else {
                let nearest = NearestWord.of(name, among: known).map { "; did you mean \($0.debugDescription)?" }
                context.warnings.append(
                    key.warning("the stage \(stage) has no option \(name.debugDescription), it has no effect" + (nearest ?? "")))
                continue
            }
            values[name] = value
        }
        return Fields(place: node.isNull ? key : node, values: values)
    }

    /// Options that have been read.
    struct Fields {
        let place: ConfigurationNode
        fileprivate let values: [String: ConfigurationNode]

        fileprivate init(place: ConfigurationNode, values: [String: ConfigurationNode]) {
            self.place = place
            self.values = values
        }

        /// The value of an option; nil where it is absent or empty.
        subscript(name: String) -> ConfigurationNode? {
            values[name].flatMap { $0.isNull ? nil : $0 }
        }

        /// Whether the option stands there, even without a value.
        func contains(_ name: String) -> Bool { values[name] != nil }

        /// The text of an option; nil where it is absent.
        func string(_ name: String) throws(ConfigurationError) -> String? { try self[name]?.string }

        /// `source`: absent, or a name.
        func source(_ name: String = "source") throws(ConfigurationError) -> String? {
            guard let node = values[name] else { return nil }
            guard !node.isNull else { return nil }
            let text = try node.string
            guard !text.isEmpty else { throw node.error("empty source") }
            return text
        }

        func required(_ name: String) throws(ConfigurationError) -> ConfigurationNode {
            guard let node = self[name] else { throw place.error("\(name) is required") }
            return node
        }

        func bool(_ name: String) throws(ConfigurationError) -> Bool { try self[name]?.bool ?? false }
    }
}

extension ConfigurationNode {
    /// A duration as Go reads it (`1h30m`, `1.5s`), or in Prometheus' notation.
    var goDuration: Duration {
        get throws(ConfigurationError) {
            let text = try string
            guard let nanoseconds = GoText.nanoseconds(text) else { throw unexpected("a duration such as 30s, 5m, 1.5h or 500ms") }
            return .nanoseconds(nanoseconds)
        }
    }

    /// A number of bytes as Promtail reads it: `256KB` is 256 × 1024 (prometheus/common, base 2), `1M` likewise.
    var goByteCount: Int {
        get throws(ConfigurationError) {
            let text = try string
            guard let count = GoText.byteCount(text) else { throw unexpected("a number of bytes such as 256kb or 2M") }
            return count
        }
    }
}
