import Telemetry

extension LogBlock {
    /// Whether a row may satisfy the predicates: asked before anything of the block is decoded.
    ///
    /// - Parameter bytes: what ``encode(_:to:)`` wrote, without the timestamps before it.
    static func mayHold(_ bytes: Span<UInt8>, rowCount: Int, _ predicates: ScanPredicates) -> Bool { true }
}
