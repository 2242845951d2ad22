import Settings

/// Every stage by its name in `pipeline_stages`. A new stage is a file and a line here.
enum StageTable {
    typealias Reader = @Sendable (StageOptions, inout StageContext) throws(ConfigurationError) -> any Stage

    static let all: [String: Reader] = [
        "cri": { options, context throws(ConfigurationError) in try CRIStage(options, &context) },
        "decolorize": { options, context throws(ConfigurationError) in try DecolorizeStage(options, &context) },
        "docker": { options, context throws(ConfigurationError) in try DockerStage(options, &context) },
        "drop": { options, context throws(ConfigurationError) in try DropStage(options, &context) },
        "eventlogmessage": { options, context throws(ConfigurationError) in try EventLogMessageStage(options, &context) },
        "geoip": { options, context throws(ConfigurationError) in try GeoIPStage(options, &context) },
        "json": { options, context throws(ConfigurationError) in try JSONExtractStage(options, &context) },
        "labelallow": { options, context throws(ConfigurationError) in try LabelAllowStage(options, &context) },
        "labeldrop": { options, context throws(ConfigurationError) in try LabelDropStage(options, &context) },
        "labels": { options, context throws(ConfigurationError) in try LabelsStage(options, &context) },
        "limit": { options, context throws(ConfigurationError) in try LimitStage(options, &context) },
        "logfmt": { options, context throws(ConfigurationError) in try LogfmtExtractStage(options, &context) },
        "match": { options, context throws(ConfigurationError) in try MatchStage(options, &context) },
        "metrics": { options, context throws(ConfigurationError) in try MetricsStage(options, &context) },
        "multiline": { options, context throws(ConfigurationError) in try MultilineStage(options, &context) },
        "non_indexed_labels": { options, context throws(ConfigurationError) in try StructuredMetadataStage(options, &context) },
        "output": { options, context throws(ConfigurationError) in try OutputStage(options, &context) },
        "pack": { options, context throws(ConfigurationError) in try PackStage(options, &context) },
        "regex": { options, context throws(ConfigurationError) in try RegexStage(options, &context) },
        "replace": { options, context throws(ConfigurationError) in try ReplaceStage(options, &context) },
        "sampling": { options, context throws(ConfigurationError) in try SamplingStage(options, &context) },
        "static_labels": { options, context throws(ConfigurationError) in try StaticLabelsStage(options, &context) },
        "structured_metadata": { options, context throws(ConfigurationError) in try StructuredMetadataStage(options, &context) },
        "template": { options, context throws(ConfigurationError) in try TemplateStage(options, &context) },
        "tenant": { options, context throws(ConfigurationError) in try TenantStage(options, &context) },
        "timestamp": { options, context throws(ConfigurationError) in try TimestampStage(options, &context) },
    ]
}
