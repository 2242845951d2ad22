/// What a function takes and gives.
package struct FunctionSignature: Sendable, Hashable {
    package var name: String
    package var parameters: [PromQLType]
    /// How many parameters at the end may be left out; nil: the last one may also be repeated, or left out.
    package var optionalCount: Int?
    package var result: PromQLType
    /// Behind Prometheus' flag `promql-experimental-functions`.
    package var isExperimental = false

    package static func == (left: FunctionSignature, right: FunctionSignature) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The function of that name.
    package static func named(_ name: String) -> FunctionSignature? { table[name] }

    /// Every function's name, sorted.
    package static var names: [String] { table.keys.sorted() }

    private static let table: [String: FunctionSignature] = {
        var table: [String: FunctionSignature] = [:]
        func add(
            _ names: String, _ parameters: [PromQLType], optional: Int? = 0, _ result: PromQLType = .vector,
            experimental: Bool = false
        ) {
            for name in names.split(separator: " ").map(String.init) {
                table[name] = FunctionSignature(
                    name: name, parameters: parameters, optionalCount: optional, result: result,
                    isExperimental: experimental)
            }
        }
        add(
            "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sqrt tan tanh",
            [.vector])
        add(
            "sort sort_desc timestamp histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar",
            [.vector])
        add(
            "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time",
            [.matrix])
        add(
            "max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time",
            [.matrix])
        add("first_over_time mad_over_time", [.matrix], experimental: true)
        add(
            "ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time", [.matrix],
            experimental: true)
        add("day_of_month day_of_week day_of_year days_in_month hour minute month year", [.vector], optional: 1)
        add("clamp", [.vector, .scalar, .scalar])
        add("clamp_max clamp_min", [.vector, .scalar])
        add("round", [.vector, .scalar], optional: 1)
        add("predict_linear", [.matrix, .scalar])
        add("quantile_over_time", [.scalar, .matrix])
        add("double_exponential_smoothing", [.matrix, .scalar, .scalar], experimental: true)
        add("histogram_quantile", [.scalar, .vector])
        add("histogram_quantiles", [.vector, .string, .scalar], optional: nil, experimental: true)
        add("histogram_fraction", [.scalar, .scalar, .vector])
        add("label_replace", [.vector, .string, .string, .string, .string])
        add("label_join", [.vector, .string, .string, .string], optional: nil)
        add("sort_by_label sort_by_label_desc", [.vector, .string], optional: nil, experimental: true)
        add("info", [.vector, .vector], optional: 1, experimental: true)
        add("start_timestamp", [.vector], experimental: true)
        add("scalar", [.vector], .scalar)
        add("min_of max_of", [.scalar, .scalar], .scalar, experimental: true)
        add("vector", [.scalar])
        add("pi time", [], .scalar)
        add("start end step range", [], .scalar, experimental: true)
        return table
    }()
}
