// The fields of the trace search as TraceQL. Nothing here touches the page.
import { parseDuration } from "../time.js";
import { quote } from "./logs.js";

/** @typedef {{ service?: string, name?: string, min?: string, max?: string, status?: string, attribute?: string }} TraceFields */

/**
 * `http.route=/checkout`, `span.db.system = postgresql`, `http.response.status_code>=500`.
 *
 * @param {string} text
 * @returns {string} a condition; empty where it is none
 */
export function attributeCondition(text) {
    const match = /^\s*([\w.:-]+)\s*(=~|!~|!=|>=|<=|=|>|<)\s*(.+?)\s*$/.exec(text);
    if (!match) return "";
    const [, name, operator, value] = match;
    const scoped =
        /^(span|resource|event|link)\./.test(name) ||
        (!name.includes(".") &&
            /^(name|status|kind|duration|rootName|rootServiceName|traceDuration|statusMessage)$/.test(name))
            ? name
            : `.${name}`;
    const isPlain =
        /^(-?\d+(\.\d+)?(ns|us|µs|ms|s|m|h)?|true|false|nil|"(?:[^"\\]|\\.)*"|`[^`]*`)$/.test(value) &&
        !/^=~|!~$/.test(operator);
    return `${scoped} ${operator} ${isPlain ? value : quote(value)}`;
}

/** @param {TraceFields} fields @param {string[]} [more] further conditions */
export function traceQuery(fields, more = []) {
    const conditions = [];
    if (fields.service) conditions.push(`resource.service.name = ${quote(fields.service)}`);
    if (fields.name) conditions.push(`name =~ ${quote(`.*${fields.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}.*`)}`);
    for (const [value, operator] of [
        [fields.min, ">="],
        [fields.max, "<="],
    ]) {
        const seconds = value ? parseDuration(value) : null;
        if (seconds !== null) conditions.push(`duration ${operator} ${Math.round(seconds * 1e6)}us`);
    }
    if (fields.status) conditions.push(`status = ${fields.status}`);
    const attribute = attributeCondition(fields.attribute ?? "");
    if (attribute) conditions.push(attribute);
    conditions.push(...more);
    return conditions.length === 0 ? "{ }" : `{ ${conditions.join(" && ")} }`;
}

/**
 * What a search result is called: its root, or as long as that has not arrived the first span that matched.
 *
 * @param {import("../api.js").TraceSummary} trace
 * @returns {{ service: string, name: string }}
 */
export function rootOf(trace) {
    const span = (trace.spanSet ?? trace.spanSets?.[0])?.spans[0];
    // Tempo's words for it are "<root span not yet received>".
    if (trace.rootServiceName && !trace.rootServiceName.startsWith("<"))
        return { service: trace.rootServiceName, name: trace.rootTraceName || span?.name || "trace" };
    return { service: Object.keys(trace.serviceStats ?? {})[0] ?? "", name: span?.name ?? "trace" };
}
