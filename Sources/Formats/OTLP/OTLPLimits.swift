/// What one OTLP request may become. Attributes of a resource go with each of its records, and those of a point with each of a
/// histogram's buckets, so that a small request could otherwise become a huge batch.
enum OTLPLimits {
    /// A data point's attributes: OpenTelemetry's SDKs stop at as many.
    static let attributeCountMax = 128
    /// A log record's structured metadata: Loki's `max_structured_metadata_entries_count`.
    static let metadataCountMax = 128
    /// All labels of a batch together, 32 bytes each. The largest requests seen (16 MiB, 40,000 histograms) need a tenth of it.
    static let labelCountMax = 8 << 20
    /// Names of flattened maps grow with each level; beyond this the rest of a map stays JSON.
    static let nameByteCountMax = 512
}
