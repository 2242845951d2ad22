// What the app asks of the server: the peers' own APIs, and a few endpoints of Apus.
import { request, sessionCount, needsToken } from "./http.js";

/** @typedef {import("./time.js").Span} Span */
/** @typedef {Record<string, string>} Labels */
/** @typedef {{ labels: Labels, points: [number, number][] }} Series points: milliseconds, value */
/** @typedef {{ labels: Labels, time: number, value: number }} VectorSample */
/**
 * @typedef {object} PromAnswer
 * @property {"matrix" | "vector" | "scalar" | "string" | "streams"} type
 * @property {Series[]} series of a matrix
 * @property {VectorSample[]} vector of a vector or scalar
 * @property {string} text of a string
 * @property {string[]} warnings
 * @property {any} raw
 */
/** @typedef {{ time: number, nanoseconds: string, line: string, labels: Labels, metadata: Labels }} LogEntry time: ms */
/** @typedef {{ signal?: AbortSignal }} Options */

const seconds = (/** @type {number} */ milliseconds) => (milliseconds / 1000).toFixed(3);
const nanoseconds = (/** @type {number} */ milliseconds) => `${Math.round(milliseconds)}000000`;

/** @param {string} text a sample value of Prometheus' JSON */
function sampleValue(text) {
    return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

/** @param {any} body of Prometheus' or Loki's query endpoints @returns {PromAnswer} */
export function readAnswer(body) {
    const { resultType: type, result } = body.data;
    const answer = /** @type {PromAnswer} */ ({
        type,
        series: [],
        vector: [],
        text: "",
        warnings: [...(body.warnings ?? []), ...(body.infos ?? [])],
        raw: body,
    });
    if (type === "matrix") {
        answer.series = result.map((/** @type {any} */ one) => ({
            labels: one.metric,
            points: (one.values ?? []).map((/** @type {[number, string]} */ [time, value]) => [
                time * 1000,
                sampleValue(value),
            ]),
        }));
    } else if (type === "vector") {
        answer.vector = result.map((/** @type {any} */ one) => {
            const [time, value] = one.value ?? one.histogram;
            return {
                labels: one.metric,
                time: time * 1000,
                value: typeof value === "string" ? sampleValue(value) : Number(value.sum),
            };
        });
    } else if (type === "scalar") {
        answer.vector = [{ labels: {}, time: result[0] * 1000, value: sampleValue(result[1]) }];
    } else if (type === "string") {
        answer.text = result[1];
    }
    return answer;
}

/** @param {string} query @param {Span} span @param {number} step seconds @param {Options} [options] */
export async function queryRange(query, span, step, options) {
    return readAnswer(
        await request(
            "/api/v1/query_range",
            { query, start: seconds(span.start), end: seconds(span.end), step },
            options,
        ),
    );
}

/** @param {string} query @param {number} time ms @param {Options} [options] */
export async function queryInstant(query, time, options) {
    return readAnswer(await request("/api/v1/query", { query, time: seconds(time) }, options));
}

/**
 * @param {string} name
 * @param {string[]} matchers
 * @param {Span} span
 * @param {Options} [options]
 * @returns {Promise<string[]>}
 */
export async function labelValues(name, matchers, span, options) {
    const path = `/api/v1/label/${encodeURIComponent(name)}/values`;
    return (await request(path, { "match[]": matchers, start: seconds(span.start), end: seconds(span.end) }, options))
        .data;
}

/** @param {Span} span @param {Options} [options] @returns {Promise<string[]>} */
export async function labelNames(span, options) {
    return (await request("/api/v1/labels", { start: seconds(span.start), end: seconds(span.end) }, options)).data;
}

/** @param {Options} [options] @returns {Promise<Record<string, { type: string, help: string, unit: string }[]>>} */
export async function metadata(options) {
    return (await request("/api/v1/metadata", {}, options)).data;
}

/**
 * @typedef {{ traceID: string, time: number, value: number, labels: Labels }} Exemplar
 * @param {string} query @param {Span} span @param {Options} [options] @returns {Promise<Exemplar[]>}
 */
export async function exemplars(query, span, options) {
    const body = await request(
        "/api/v1/query_exemplars",
        { query, start: seconds(span.start), end: seconds(span.end) },
        options,
    );
    return body.data
        .flatMap((/** @type {any} */ one) =>
            one.exemplars.map((/** @type {any} */ exemplar) => ({
                traceID: exemplar.labels.trace_id ?? exemplar.labels.traceID ?? "",
                time: exemplar.timestamp * 1000,
                value: sampleValue(String(exemplar.value)),
                labels: one.seriesLabels,
            })),
        )
        .filter((/** @type {Exemplar} */ exemplar) => exemplar.traceID);
}

/**
 * @typedef {{ labels: Labels, annotations: Labels, state: string, activeAt: string, value: string }} Alert
 * @typedef {object} Rule
 * @property {"alerting" | "recording"} type
 * @property {string} name
 * @property {string} query
 * @property {string} [state]
 * @property {string} health
 * @property {string} [lastError]
 * @property {number} [duration]
 * @property {number} [evaluationTime]
 * @property {string} [lastEvaluation]
 * @property {Labels} labels
 * @property {Labels} [annotations]
 * @property {Alert[]} [alerts]
 * @typedef {{ name: string, file: string, interval: number, rules: Rule[], lastEvaluation?: string, evaluationTime?: number }} RuleGroup
 * @param {Options} [options] @returns {Promise<RuleGroup[]>}
 */
export async function rules(options) {
    return (await request("/api/v1/rules", {}, options)).data.groups ?? [];
}

/**
 * @typedef {object} Target
 * @property {string} scrapePool
 * @property {string} scrapeUrl
 * @property {string} health
 * @property {string} lastError
 * @property {string} lastScrape
 * @property {number} lastScrapeDuration
 * @property {string} scrapeInterval
 * @property {Labels} labels
 * @property {Labels} discoveredLabels
 * @param {Options} [options] @returns {Promise<Target[]>}
 */
export async function targets(options) {
    return (await request("/api/v1/targets", { state: "active" }, options)).data.activeTargets ?? [];
}

/**
 * @typedef {{ scrapePool: string, discoveredLabels: Labels }} DroppedTarget
 * @typedef {{ active: Target[], dropped: DroppedTarget[], droppedCounts: Record<string, number> }} TargetList
 * @param {Options} [options] @returns {Promise<TargetList>}
 */
export async function targetList(options) {
    const { data } = await request("/api/v1/targets", {}, options);
    return {
        active: data.activeTargets ?? [],
        dropped: data.droppedTargets ?? [],
        droppedCounts: data.droppedTargetCounts ?? {},
    };
}

/**
 * @typedef {object} RelabelRule
 * @property {string} action
 * @property {string[]} [source_labels]
 * @property {string} separator
 * @property {string} regex
 * @property {number} [modulus]
 * @property {string} [target_label]
 * @property {string} replacement
 * @typedef {{ rule: RelabelRule, output: Labels, keep: boolean }} RelabelStep
 * @param {string} pool @param {Labels} labels as discovered
 * @param {Options} [options] @returns {Promise<RelabelStep[]>}
 */
export async function relabelSteps(pool, labels, options) {
    const parameters = { scrapePool: pool, labels: JSON.stringify(labels) };
    return (await request("/api/v1/targets/relabel_steps", parameters, options)).data.steps ?? [];
}

// --- logs ---

/** @param {any} body @returns {LogEntry[]} in the server's order, newest first over all streams */
export function readStreams(body) {
    /** @type {LogEntry[]} */
    const entries = [];
    for (const { stream, values } of body.data.result) {
        for (const [time, line, extra] of values) {
            // With the client asking for it, labels come in categories; without, as they are.
            const metadata =
                extra && (extra.structuredMetadata || extra.parsed)
                    ? { ...extra.structuredMetadata, ...extra.parsed }
                    : (extra ?? {});
            entries.push({
                time: Number(BigInt(time) / 1000n) / 1000,
                nanoseconds: time,
                line,
                labels: stream,
                metadata,
            });
        }
    }
    return entries.sort(
        (a, b) =>
            (a.nanoseconds.length - b.nanoseconds.length ||
                (a.nanoseconds < b.nanoseconds ? -1 : a.nanoseconds > b.nanoseconds ? 1 : 0)) * -1,
    );
}

/**
 * @param {string} query @param {Span} span
 * @param {{ limit?: number, step?: number, endNanoseconds?: string } & Options} options
 */
export async function lokiRange(query, span, options) {
    const { limit, step, endNanoseconds, signal } = options;
    const body = await request(
        "/loki/api/v1/query_range",
        {
            query,
            start: nanoseconds(span.start),
            end: endNanoseconds ?? nanoseconds(span.end),
            limit,
            step: step === undefined ? undefined : `${step}`,
            direction: limit === undefined ? undefined : "backward",
        },
        { signal },
    );
    if (body.data.resultType === "streams") return { entries: readStreams(body), answer: null, raw: body };
    return { entries: [], answer: readAnswer(body), raw: body };
}

/** @param {Span} span @param {Options} [options] @returns {Promise<string[]>} */
export async function lokiLabels(span, options) {
    return (
        (await request("/loki/api/v1/labels", { start: nanoseconds(span.start), end: nanoseconds(span.end) }, options))
            .data ?? []
    );
}

/** @param {string} name @param {Span} span @param {Options} [options] @returns {Promise<string[]>} */
export async function lokiLabelValues(name, span, options) {
    const path = `/loki/api/v1/label/${encodeURIComponent(name)}/values`;
    return (await request(path, { start: nanoseconds(span.start), end: nanoseconds(span.end) }, options)).data ?? [];
}

// --- traces ---

/**
 * @typedef {object} TraceSummary
 * @property {string} traceID
 * @property {string} rootServiceName
 * @property {string} rootTraceName
 * @property {string} startTimeUnixNano
 * @property {number} durationMs
 * @property {Record<string, { spanCount?: number, errorCount?: number }>} [serviceStats]
 * @property {{ matched: number, spans: { spanID: string, name?: string, startTimeUnixNano: string, durationNanos: string, attributes?: any[] }[] }} [spanSet]
 * @property {{ matched: number, spans: any[] }[]} [spanSets]
 *
 * @param {string} query TraceQL
 * @param {Span} span
 * @param {number} limit
 * @param {Options} [options]
 * @returns {Promise<TraceSummary[]>}
 */
export async function searchTraces(query, span, limit, options) {
    const body = await request(
        "/api/search",
        { q: query, start: Math.floor(span.start / 1000), end: Math.ceil(span.end / 1000), limit },
        options,
    );
    return body.traces ?? [];
}

/** @param {string} id @param {Options} [options] OTLP as JSON */
export async function trace(id, options) {
    return request(`/api/traces/${encodeURIComponent(id)}`, {}, options);
}

/**
 * @param {Span} span
 * @param {Options} [options]
 * @returns {Promise<string[]>} names with their scope: `span.http.route`
 */
export async function traceTags(span, options) {
    const body = await request(
        "/api/v2/search/tags",
        { start: Math.floor(span.start / 1000), end: Math.ceil(span.end / 1000) },
        options,
    );
    return (body.scopes ?? []).flatMap((/** @type {{ name: string, tags: string[] }} */ scope) =>
        (scope.tags ?? []).map((tag) => (scope.name === "intrinsic" ? tag : `${scope.name}.${tag}`)),
    );
}

/** @param {string} name as of `traceTags` @param {Span} span @param {Options} [options] @returns {Promise<string[]>} */
export async function traceTagValues(name, span, options) {
    const path = `/api/v2/search/tag/${encodeURIComponent(name)}/values`;
    const body = await request(
        path,
        { start: Math.floor(span.start / 1000), end: Math.ceil(span.end / 1000) },
        options,
    );
    return (body.tagValues ?? []).map((/** @type {any} */ one) => String(one.value ?? one));
}

// --- Apus ---

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {number} spanRate
 * @property {number} errorRatio
 * @property {number | null} p50
 * @property {number | null} p95
 * @property {number | null} p99
 * @property {number | null} lastSeen
 * @property {string[]} signals
 * @property {string} language
 *
 * @param {Span} span @param {Options} [options] @returns {Promise<Service[]>}
 */
export async function services(span, options) {
    return (await request("/api/apus/services", { start: seconds(span.start), end: seconds(span.end) }, options))
        .services;
}

/** @param {Span} span @param {Options} [options] @returns {Promise<{ service: string, type: string }[]>} */
export async function profileTypes(span, options) {
    return (await request("/api/apus/profiles/types", { start: seconds(span.start), end: seconds(span.end) }, options))
        .types;
}

/**
 * @typedef {{ unit: string, total: number, names: string[], levels: number[][] }} Flamebearer
 * @param {string} service
 * @param {string} type
 * @param {Span} span
 * @param {Options} [options]
 * @returns {Promise<Flamebearer>}
 */
export async function flamegraph(service, type, span, options) {
    return request(
        "/api/apus/profiles/flamegraph",
        { service, type, start: seconds(span.start), end: seconds(span.end) },
        options,
    );
}

/** @param {Options} [options] @returns {Promise<any>} */
export async function status(options) {
    return request("/api/apus/status", {}, options);
}

/** @param {Options} [options] @returns {Promise<{ authenticated: boolean, required: boolean, scopes: string[] }>} */
export async function session(options) {
    return request("/api/apus/session", {}, options);
}

/** @param {string} token */
export async function openSession(token) {
    const answer = await request("/api/apus/session", {}, { method: "POST", json: { token } });
    needsToken.value = false;
    sessionCount.value += 1;
    return answer;
}

export async function closeSession() {
    await request("/api/apus/session", {}, { method: "DELETE" });
    needsToken.value = true;
}
