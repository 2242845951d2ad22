// TraceQL's words (Tempo, "Construct a TraceQL query").

/**
 * Of a span or its trace, with what they are.
 *
 * @type {[string, string][]}
 */
export const intrinsics = [
    ["name", "of the span"],
    ["duration", "of the span"],
    ["status", "ok, error or unset"],
    ["statusMessage", "of the span"],
    ["kind", "server, client, …"],
    ["rootName", "of the trace"],
    ["rootServiceName", "of the trace"],
    ["traceDuration", "of the trace"],
    ["resource.service.name", "the service"],
    ["span.http.request.method", "attribute"],
    ["span.http.route", "attribute"],
    ["span.http.response.status_code", "attribute"],
    ["span.db.system", "attribute"],
];

/** @type {import("./tokens.js").Words} */
export const traceql = {
    keywords: new Set([
        "ok",
        "error",
        "unset",
        "server",
        "client",
        "producer",
        "consumer",
        "internal",
        "unspecified",
        "true",
        "false",
        "nil",
        "by",
        "with",
        "select",
        "coalesce",
    ]),
    functions: new Map([
        ["count", "spans"],
        ["avg", "of an attribute"],
        ["min", "of an attribute"],
        ["max", "of an attribute"],
        ["sum", "of an attribute"],
        ["rate", "spans a second"],
        ["count_over_time", "spans"],
        ["quantile_over_time", "of an attribute"],
        ["histogram_over_time", "of an attribute"],
        ["by", "group"],
        ["select", "attributes to show"],
    ]),
    dotsInNames: true,
};

/**
 * The values of intrinsics that are words.
 *
 * @type {Record<string, string[]>}
 */
export const words = {
    status: ["ok", "error", "unset"],
    kind: ["server", "client", "internal", "producer", "consumer"],
};
