// PromQL's words (Prometheus, "Operators" and "Query functions").

/** @type {[string, string][]} */
const aggregations = [
    ["sum", "of all series"], ["avg", "mean of all series"], ["min", "least"], ["max", "largest"], ["count", "number of series"], ["group", "1 for each group"],
    ["stddev", "standard deviation"], ["stdvar", "variance"], ["topk", "the k largest series"], ["bottomk", "the k smallest series"], ["quantile", "φ-quantile over series"],
    ["count_values", "number of series with the same value"], ["limitk", "k series of each group"], ["limit_ratio", "a share of the series"],
];

/** @type {[string, string][]} */
const functions = [
    ["rate", "increase a second, over a range of a counter"], ["irate", "increase a second, of the last two samples"], ["increase", "of a counter over a range"], ["delta", "of a gauge over a range"],
    ["idelta", "of the last two samples"], ["deriv", "slope a second, by regression"], ["predict_linear", "value t seconds from now, by regression"], ["resets", "of a counter in a range"], ["changes", "of the value in a range"],
    ["histogram_quantile", "φ-quantile out of buckets"], ["histogram_count", "of native histograms"], ["histogram_sum", "of native histograms"], ["histogram_avg", "of native histograms"], ["histogram_fraction", "between two values"],
    ["avg_over_time", "mean in a range"], ["min_over_time", "least in a range"], ["max_over_time", "largest in a range"], ["sum_over_time", "sum in a range"], ["count_over_time", "samples in a range"],
    ["quantile_over_time", "φ-quantile in a range"], ["stddev_over_time", "in a range"], ["stdvar_over_time", "in a range"], ["last_over_time", "newest in a range"], ["present_over_time", "1 where a range has samples"], ["absent_over_time", "1 where a range has none"],
    ["absent", "1 where there is no series"], ["abs", "absolute value"], ["ceil", "round up"], ["floor", "round down"], ["round", "to the nearest multiple"], ["clamp", "between two values"], ["clamp_min", "not below"], ["clamp_max", "not above"],
    ["exp", "e to the power"], ["ln", "natural logarithm"], ["log2", "binary logarithm"], ["log10", "decimal logarithm"], ["sqrt", "square root"], ["sgn", "sign"],
    ["label_replace", "a label out of another by regular expression"], ["label_join", "a label out of several"], ["sort", "ascending"], ["sort_desc", "descending"], ["sort_by_label", "by label"],
    ["scalar", "of a vector with one element"], ["vector", "of a scalar"], ["time", "of the evaluation"], ["timestamp", "of each sample"], ["minute", "of the hour, UTC"], ["hour", "of the day, UTC"], ["day_of_week", "UTC"], ["day_of_month", "UTC"], ["day_of_year", "UTC"], ["days_in_month", "UTC"], ["month", "UTC"], ["year", "UTC"],
    ["holt_winters", "smoothed"], ["double_exponential_smoothing", "smoothed"], ["info", "adds labels of info metrics"], ["pi", "π"], ["deg", "of radians"], ["rad", "of degrees"], ["sin", ""], ["cos", ""], ["tan", ""],
];

/** @type {import("./tokens.js").Words} */
export const promql = {
    keywords: new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless", "atan2", "start", "end", "inf", "Inf", "nan", "NaN"]),
    functions: new Map([...aggregations, ...functions]),
    dotsInNames: false,
};
