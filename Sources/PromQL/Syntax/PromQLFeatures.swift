/// Experimental parts of the language, by the names that Prometheus gives their flags (`--enable-feature`).
package struct PromQLFeatures: OptionSet, Sendable, Hashable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Functions such as `mad_over_time` and `info`, and the aggregations `limitk` and `limit_ratio`.
    package static let experimentalFunctions = PromQLFeatures(rawValue: 1 << 0)
    /// Arithmetic in durations.
    package static let durationExpressions = PromQLFeatures(rawValue: 1 << 1)
    /// `anchored` and `smoothed`.
    package static let extendedRangeSelectors = PromQLFeatures(rawValue: 1 << 2)
    /// `fill`, `fill_left` and `fill_right`.
    package static let fillModifiers = PromQLFeatures(rawValue: 1 << 3)
    /// Names are dropped at the end of a query rather than by each function.
    package static let delayedNameRemoval = PromQLFeatures(rawValue: 1 << 4)

    /// Everything that changes what parses.
    package static let syntax: PromQLFeatures = [
        .experimentalFunctions, .durationExpressions, .extendedRangeSelectors, .fillModifiers,
    ]

    /// The features by their flags' names.
    package static let byName: [String: PromQLFeatures] = [
        "promql-experimental-functions": .experimentalFunctions, "promql-duration-expr": .durationExpressions,
        "promql-extended-range-selectors": .extendedRangeSelectors, "promql-binop-fill-modifiers": .fillModifiers,
        "promql-delayed-name-removal": .delayedNameRemoval,
    ]
}
