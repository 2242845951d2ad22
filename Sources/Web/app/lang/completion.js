// Completion of the three languages out of what is stored: metrics, labels, their values, attributes.
import * as api from "../api.js";
import { quote } from "../model/logs.js";
import { span } from "../range.js";
import { stages } from "./logql.js";
import { placeOf } from "./place.js";
import { intrinsics, words as traceWords } from "./traceql.js";

/** @typedef {import("codemirror").Completion} Completion */
/** @typedef {"promql" | "logql" | "traceql"} Language */

const lifetime = 60e3;
/** @type {Map<string, { at: number, value: Promise<any> }>} */
const cache = new Map();

/**
 * The answer of the last minute, or a new one.
 *
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} load
 * @param {T} otherwise
 * @returns {Promise<T>}
 */
function recent(key, load, otherwise) {
    const known = cache.get(key);
    if (known && Date.now() - known.at < lifetime) return known.value;
    // Completion is a help: where it fails, one types on without.
    const value = load().catch(() => otherwise);
    cache.set(key, { at: Date.now(), value });
    return value;
}

/** @param {string[]} labels @param {string} type @param {Partial<Completion>} [more] @returns {Completion[]} */
const plain = (labels, type, more = {}) => labels.map((label) => ({ label, type, ...more }));

/** @param {Map<string, string>} functions @returns {Completion[]} */
const calls = (functions) => [...functions].map(([label, detail]) => ({ label, type: "function", detail, boost: -1 }));

async function metrics() {
    const [names, help] = await Promise.all([
        recent("metrics", () => api.labelValues("__name__", [], span.value), /** @type {string[]} */ ([])),
        recent(
            "metadata",
            () => api.metadata(),
            /** @type {Record<string, { type: string, help: string, unit: string }[]>} */ ({}),
        ),
    ]);
    return names.map((label) => {
        const known = help[label]?.[0] ?? help[label.replace(/_(bucket|count|sum)$/, "")]?.[0];
        return { label, type: "variable", detail: known?.type, info: known?.help };
    });
}

/** @param {import("./place.js").Place} place @param {string[]} values @returns {Completion[]} */
const quoted = (place, values) =>
    values.slice(0, 500).map((value) => ({
        label: value,
        type: "text",
        apply: place.isQuoted ? quote(value).slice(1, -1) : quote(value),
    }));

/**
 * @param {import("./place.js").Place} place
 * @param {import("./tokens.js").Words} words
 * @returns {Promise<Completion[]>}
 */
async function forPromQL(place, words) {
    switch (place.kind) {
        case "value": {
            const matchers = place.metric ? [place.metric] : [];
            return quoted(
                place,
                await recent(
                    `values ${place.label} ${place.metric}`,
                    () => api.labelValues(place.label, matchers, span.value),
                    [],
                ),
            );
        }
        case "label":
        case "grouping":
            return plain(
                (await recent("labels", () => api.labelNames(span.value), [])).filter((name) => name !== "__name__"),
                "property",
            );
        case "expression":
            return place.word.length === 0
                ? []
                : [
                      ...(await metrics()),
                      ...calls(words.functions),
                      ...plain([...words.keywords], "keyword", { boost: -2 }),
                  ];
        default:
            return [];
    }
}

/**
 * @param {import("./place.js").Place} place
 * @param {import("./tokens.js").Words} words
 * @returns {Promise<Completion[]>}
 */
async function forLogQL(place, words) {
    switch (place.kind) {
        case "value":
            return quoted(
                place,
                await recent(`log values ${place.label}`, () => api.lokiLabelValues(place.label, span.value), []),
            );
        case "label":
        case "grouping":
            return plain(await recent("log labels", () => api.lokiLabels(span.value), []), "property");
        case "stage":
            return stages.map(([label, detail]) => ({ label, detail, type: "keyword" }));
        case "expression":
            return place.word.length === 0 ? [] : calls(words.functions);
        default:
            return [];
    }
}

/**
 * @param {import("./place.js").Place} place
 * @param {import("./tokens.js").Words} words
 * @returns {Promise<Completion[]>}
 */
async function forTraceQL(place, words) {
    switch (place.kind) {
        case "value": {
            if (traceWords[place.label]) return plain(traceWords[place.label], "keyword");
            return quoted(
                place,
                await recent(`tag values ${place.label}`, () => api.traceTagValues(place.label, span.value), []),
            );
        }
        case "label": {
            const tags = await recent("tags", () => api.traceTags(span.value), []);
            const known = new Set(intrinsics.map(([name]) => name));
            return [
                ...intrinsics.map(([label, detail]) => ({ label, detail, type: "keyword" })),
                ...plain(
                    tags.filter((tag) => !known.has(tag)),
                    "property",
                ),
            ];
        }
        case "expression":
        case "stage":
            return place.word.length === 0 && place.kind === "expression" ? [] : calls(words.functions);
        default:
            return [];
    }
}

/** @param {Language} language @param {import("./tokens.js").Words} words */
export function completionSource(language, words) {
    const complete = { promql: forPromQL, logql: forLogQL, traceql: forTraceQL }[language];
    return async (/** @type {import("codemirror").CompletionContext} */ context) => {
        const place = placeOf(context.state.sliceDoc(0, context.pos), words.dotsInNames);
        if (
            !context.explicit &&
            place.word.length === 0 &&
            place.kind !== "value" &&
            place.kind !== "label" &&
            place.kind !== "stage"
        )
            return null;
        const options = await complete(place, words);
        return options.length === 0
            ? null
            : { from: place.from, options, validFor: words.dotsInNames ? /^[\w.:-]*$/ : /^[\w:]*$/ };
    };
}
