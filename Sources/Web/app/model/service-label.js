// By which label a service is named: `service` and `job` for what is scraped or tailed, `service_name` and `job` for what comes by OTLP.
import * as api from "../api.js";
import { everything } from "./log-query.js";
import { quote } from "./logs.js";

/** @typedef {import("../time.js").Span} Span */

/**
 * @param {string} name
 * @param {Span} range
 * @param {AbortSignal} signal
 * @returns {Promise<{ selector: string, metrics: Set<string> }>} the label with the most metrics
 */
export async function metricSelector(name, range, signal) {
    const found = await Promise.all(
        ["service", "job", "service_name"].map(async (label) => {
            const selector = `${label}=${quote(name)}`;
            return {
                selector,
                metrics: new Set(await api.labelValues("__name__", [`{${selector}}`], range, { signal })),
            };
        }),
    );
    return found.reduce((best, one) => (one.metrics.size > best.metrics.size ? one : best));
}

/**
 * @param {string} name
 * @param {Span} range
 * @param {AbortSignal} signal
 * @returns {Promise<string>} a LogQL stream selector
 */
export async function logSelector(name, range, signal) {
    const labels = ["service", "service_name", "job"];
    const known = await Promise.all(labels.map((label) => api.lokiLabelValues(label, range, { signal })));
    const index = known.findIndex((values) => values.includes(name));
    if (index >= 0) return `{${labels[index]}=${quote(name)}}`;
    // No stream bears its name: its lines may.
    return `${everything(await api.lokiLabels(range, { signal }))} | json | service=${quote(name)}`;
}
