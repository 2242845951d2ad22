/// The `traceparent` and `tracestate` headers.
///
/// - SeeAlso: <https://www.w3.org/TR/trace-context/>
package enum TraceParent {
    package static let header = "traceparent"
    package static let stateHeader = "tracestate"

    /// W3C lets a vendor drop a longer state, and asks for at least this much to be passed on.
    private static let stateByteCountMax = 512

    /// What a caller sent, or nil if the header is not one: then a new trace begins.
    package static func parse(_ text: String, state: String? = nil) -> SpanContext? {
        let bytes = text.utf8
        // version 2, trace id 32, parent id 16, flags 2, and three dashes.
        guard bytes.count >= 55 else { return nil }
        let parts = text.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[1].utf8.count == 32, parts[2].utf8.count == 16,
            parts[3].utf8.count == 2,
            let version = Hexadecimal.value(parts[0].utf8), version != 0xFF,
            version != 0 || parts.count == 4,  // later versions may say more; this one may not
            let high = Hexadecimal.value(parts[1].prefix(16).utf8),
            let low = Hexadecimal.value(parts[1].suffix(16).utf8),
            let traceID = TraceID(high: high, low: low),
            let parent = Hexadecimal.value(parts[2].utf8), let spanID = SpanID(parent),
            let flags = Hexadecimal.value(parts[3].utf8)
        else { return nil }
        return SpanContext(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1, traceState: checked(state))
    }

    /// The header for a callee.
    package static func text(_ context: SpanContext) -> String {
        "00-\(context.traceID)-\(context.spanID)-\(context.isSampled ? "01" : "00")"
    }

    /// A state that could not be sent on is dropped; the parent still counts.
    private static func checked(_ state: String?) -> String {
        guard let state, state.utf8.count <= stateByteCountMax,
            state.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 9 })
        else { return "" }
        return state
    }
}
