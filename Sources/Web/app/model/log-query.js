// The queries that the log page makes of the one in its box. Nothing here touches the page.

const serviceLabels = ["service", "service_name", "job"];

/**
 * A selector that takes every stream: LogQL wants at least one matcher that does not match the empty value.
 *
 * @param {string[]} labels that there are
 */
export function everything(labels) {
    const label =
        serviceLabels.find((name) => labels.includes(name)) ??
        labels.find((name) => !name.startsWith("__")) ??
        "service";
    return `{${label}=~".+"}`;
}

/**
 * The lines of one trace: by the field of a JSON line or by structured metadata.
 *
 * @param {string} selector
 * @param {string} id
 */
export function ofTrace(selector, id) {
    return `${selector}${/\|\s*json\b/.test(selector) ? "" : " | json"} | trace_id="${id.replace(/[^0-9a-fA-F]/g, "")}"`;
}

/** Labels that name a level. */
export const levelLabels = ["level", "detected_level", "severity_text"];

/**
 * Counts a query's lines by level.
 *
 * @param {string} query a log query
 * @param {number} step seconds
 */
export function countByLevel(query, step) {
    const parses = /\|\s*(json|logfmt|unpack|pattern|regexp)\b/.test(query);
    return `sum by (${levelLabels.join(", ")}) (count_over_time(${query.trim()}${parses ? "" : " | json"} [${step}s]))`;
}

/**
 * The query without the filter that `withLevel` adds.
 *
 * @param {string} query
 */
const withoutLevel = (query) => query.replace(/\s*\|\s*json\s*\|\s*level=~`[^`]*`/, "");

/**
 * The query for the lines of some levels only; none for all.
 *
 * @param {string} query
 * @param {string} pattern a regular expression
 */
export function withLevel(query, pattern) {
    const base = withoutLevel(query).trim();
    return pattern ? `${base} | json | level=~\`${pattern}\`` : base;
}

/**
 * The level's expression in a query, as `withLevel` writes it.
 *
 * @param {string} query
 */
export function levelIn(query) {
    return /\|\s*json\s*\|\s*level=~`([^`]*)`/.exec(query)?.[1] ?? "";
}

/**
 * The query with one more filter on its text.
 *
 * @param {string} query
 * @param {string} text
 * @param {boolean} [without]
 */
export function withText(query, text, without = false) {
    const filter = `${without ? "!=" : "|="} ${text.includes("`") ? JSON.stringify(text) : `\`${text}\``}`;
    const end = query.indexOf("}");
    return end < 0 ? query : `${query.slice(0, end + 1)} ${filter}${query.slice(end + 1)}`;
}

/**
 * The query with a filter on a parsed field.
 *
 * @param {string} query
 * @param {string} name
 * @param {string} value
 * @param {boolean} [without]
 */
export function withField(query, name, value, without = false) {
    const parses = /\|\s*(json|logfmt|unpack|pattern|regexp)\b/.test(query);
    return `${query.trim()}${parses ? "" : " | json"} | ${name.replace(/[^A-Za-z0-9_]/g, "_")}${without ? "!=" : "="}${JSON.stringify(value)}`;
}
