// What a log line says: its fields, level and message. Nothing here touches the page.

/** @typedef {import("../api.js").LogEntry} LogEntry */
/** @typedef {"fatal" | "error" | "warn" | "info" | "debug" | "trace" | "unknown"} Level */

/**
 * From the worst to the least.
 *
 * @type {Level[]}
 */
export const levels = ["fatal", "error", "warn", "info", "debug", "trace", "unknown"];

/** @param {string | undefined} text @returns {Level} */
export function levelOf(text) {
    const name = (text ?? "").toLowerCase();
    if (/^(fatal|critical|crit|emerg|alert|panic|dpanic)/.test(name)) return "fatal";
    if (/^(err|error|severe|eror)/.test(name)) return "error";
    if (name.startsWith("warn")) return "warn";
    if (/^(info|notice|information)/.test(name)) return "info";
    if (/^(debug|dbug)/.test(name)) return "debug";
    return /^(trace|verbose)/.test(name) ? "trace" : "unknown";
}

/**
 * @param {string} line
 * @returns {Record<string, string> | null} the fields of a JSON object or a logfmt line; null for anything else
 */
export function parseLine(line) {
    const text = line.trim();
    if (text.startsWith("{") && text.endsWith("}")) {
        try {
            return Object.fromEntries(
                Object.entries(JSON.parse(text)).map(([key, value]) => [
                    key,
                    typeof value === "string" ? value : JSON.stringify(value),
                ]),
            );
        } catch {
            return null;
        }
    }
    const pairs = [...text.matchAll(/([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)/g)];
    if (pairs.length < 2 || (pairs[0].index ?? 1) !== 0) return null;
    return Object.fromEntries(
        pairs.map(([, key, value]) => [
            key,
            value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value,
        ]),
    );
}

const levelNames = ["level", "severity", "lvl", "detected_level", "severity_text"];
const messageNames = ["msg", "message", "event", "error"];
/** Fields that the row shows elsewhere. */
const quiet = new Set([
    ...levelNames,
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "msg",
    "message",
    "service",
    "trace_id",
    "span_id",
    "traceID",
    "caller",
    "logger",
    "request_id",
    "stacktrace",
]);

/**
 * @param {LogEntry} entry
 * @returns {{ level: Level, message: string, fields: Record<string, string>, highlights: [string, string][], traceID: string, spanID: string }}
 */
export function readEntry(entry) {
    const parsed = parseLine(entry.line);
    const fields = { ...entry.metadata, ...parsed };
    const all = { ...entry.labels, ...fields };
    const level = levelOf(levelNames.map((name) => all[name]).find(Boolean));
    const messageName = parsed ? messageNames.find((name) => fields[name]) : undefined;
    const message = messageName ? fields[messageName] : entry.line;
    const highlights = /** @type {[string, string][]} */ (
        parsed
            ? Object.entries(parsed).filter(
                  ([name, value]) => !quiet.has(name) && name !== messageName && value !== "" && value.length < 120,
              )
            : []
    );
    return { level, message, fields, highlights, traceID: traceIDOf(all), spanID: all.span_id ?? all.spanID ?? "" };
}

/** @param {Record<string, string>} fields */
function traceIDOf(fields) {
    const id = fields.trace_id ?? fields.traceID ?? fields.traceId ?? fields["trace.id"] ?? "";
    return /^[0-9a-f]{16,32}$/i.test(id) && !/^0+$/.test(id) ? id.toLowerCase() : "";
}

/** @param {string} text as a string of LogQL, PromQL or TraceQL */
export function quote(text) {
    return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}

/**
 * The query with one more label in its first stream selector; the label's former matcher goes.
 *
 * @param {string} query
 * @param {string} label
 * @param {string} value empty removes the matcher
 * @param {"=" | "!="} [operator]
 */
export function withMatcher(query, label, value, operator = "=") {
    const selector = /\{((?:[^{}"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*)\}/.exec(query);
    const matcher = `${label}${operator}${quote(value)}`;
    if (!selector) return value ? `{${matcher}} ${query.trim()}`.trim() : query;
    const matchers = (selector[1].match(/[\w.]+\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\]|\\.)*"|`[^`]*`)/g) ?? []).filter(
        (one) => !new RegExp(`^${label.replace(/\./g, "\\.")}\\s*[=!]`).test(one),
    );
    if (value) matchers.push(matcher);
    return `${query.slice(0, selector.index)}{${matchers.join(", ")}}${query.slice(selector.index + selector[0].length)}`;
}

/**
 * The value that the query's stream selector asks of a label, by `=`.
 *
 * @param {string} query
 * @param {string} label
 */
export function matcherValue(query, label) {
    const match = new RegExp(`[{,]\\s*${label.replace(/\./g, "\\.")}\\s*=\\s*"((?:[^"\\\\]|\\\\.)*)"`).exec(query);
    return match ? match[1].replace(/\\(.)/g, "$1") : "";
}

/**
 * The log part of a query, without what makes a metric of it: for counting its lines.
 *
 * @param {string} query
 */
export function isMetricQuery(query) {
    return !/^\s*\{/.test(query);
}
