import Settings

extension ServerSettings {
    /// `log_rules`: a list of globs of rule files of Loki, or `files` and the `folder` that rules sent to Loki's API are written into.
    mutating func readLogRules(_ node: ConfigurationNode) throws(ConfigurationError) {
        guard case .mapping = node.content else {
            for glob in try node.list { logRules.append(Self.resolve(try glob.nonEmptyString, in: file)) }
            return
        }
        let mapping = try node.mapping(["files", "folder"])
        for glob in try mapping["files"]?.list ?? [] { logRules.append(Self.resolve(try glob.nonEmptyString, in: file)) }
        if let folder = mapping["folder"] { logRulesFolder = Self.resolve(try folder.nonEmptyString, in: file) }
    }
}
