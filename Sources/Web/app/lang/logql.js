// LogQL's words (Loki, "Log queries" and "Metric queries").

/** @type {import("./tokens.js").Words} */
export const logql = {
    keywords: new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless", "json", "logfmt", "pattern", "regexp", "unpack", "line_format", "label_format", "decolorize", "drop", "keep", "unwrap", "ip"]),
    functions: new Map([
        ["count_over_time", "lines in a range"], ["rate", "lines a second"], ["bytes_over_time", "bytes in a range"], ["bytes_rate", "bytes a second"], ["absent_over_time", "1 where a range has no line"],
        ["sum_over_time", "of an unwrapped label"], ["avg_over_time", "of an unwrapped label"], ["min_over_time", "of an unwrapped label"], ["max_over_time", "of an unwrapped label"], ["quantile_over_time", "of an unwrapped label"],
        ["first_over_time", "of an unwrapped label"], ["last_over_time", "of an unwrapped label"], ["stddev_over_time", "of an unwrapped label"], ["stdvar_over_time", "of an unwrapped label"], ["rate_counter", "of an unwrapped counter"],
        ["sum", "over streams"], ["avg", "over streams"], ["min", "over streams"], ["max", "over streams"], ["count", "streams"], ["topk", "the k largest"], ["bottomk", "the k smallest"], ["stddev", "over streams"], ["stdvar", "over streams"],
        ["sort", "ascending"], ["sort_desc", "descending"], ["label_replace", "a label out of another"], ["vector", "of a scalar"],
        ["duration", "unwrap as duration"], ["duration_seconds", "unwrap as duration"], ["bytes", "unwrap as bytes"],
    ]),
    dotsInNames: false,
};

/**
 * What may follow a pipe, with what it does.
 *
 * @type {[string, string][]}
 */
export const stages = [
    ["json", "fields of a JSON line"], ["logfmt", "fields of key=value lines"], ["pattern", "fields by a template: `<ip> - <_>`"], ["regexp", "fields by named groups"], ["unpack", "Promtail's packed lines"],
    ["line_format", "the line by a template"], ["label_format", "rename or make labels"], ["unwrap", "a label as the value of a metric"], ["drop", "labels"], ["keep", "labels"], ["decolorize", "without ANSI colours"],
];
