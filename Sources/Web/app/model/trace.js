// A trace as a tree: from OTLP's JSON to rows of a waterfall. Nothing here touches the page.

/** @typedef {{ key: string, value: string }} Attribute */
/**
 * @typedef {object} SpanNode
 * @property {string} id
 * @property {string} parentID
 * @property {string} name
 * @property {string} service
 * @property {string} kind server, client, …; empty where it says none
 * @property {bigint} start nanoseconds
 * @property {number} offset nanoseconds since the trace's start
 * @property {number} duration nanoseconds
 * @property {boolean} isError
 * @property {string} statusMessage
 * @property {Attribute[]} attributes
 * @property {Attribute[]} resource
 * @property {{ name: string, offset: number, attributes: Attribute[] }[]} events offset since the trace's start
 * @property {{ traceID: string, spanID: string, attributes: Attribute[] }[]} links
 * @property {string} scope
 * @property {SpanNode[]} children by start
 * @property {number} depth
 * @property {number} descendantCount
 * @property {boolean} isCritical on the critical path
 * @property {number} self nanoseconds that no child covers
 */
/**
 * @typedef {object} Trace
 * @property {string} id
 * @property {SpanNode[]} roots
 * @property {SpanNode[]} spans every span, parents before children
 * @property {bigint} start
 * @property {number} duration nanoseconds
 * @property {string[]} services in order of first appearance
 * @property {number} errorCount
 * @property {number} depthMax
 * @property {Map<string, number>} selfByService nanoseconds
 */

/** @param {string | undefined} id hexadecimal, or base64 as protobuf's JSON has it */
export function hexID(id) {
    if (!id) return "";
    if (/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(id)) return id.toLowerCase();
    try {
        return Array.from(atob(id), (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    } catch {
        return id;
    }
}

/** @param {any} value OTLP AnyValue @returns {string} */
export function attributeText(value) {
    if (value === null || value === undefined) return "";
    if ("stringValue" in value) return value.stringValue;
    if ("intValue" in value) return String(value.intValue);
    if ("doubleValue" in value) return String(value.doubleValue);
    if ("boolValue" in value) return String(value.boolValue);
    if ("arrayValue" in value) return `[${(value.arrayValue.values ?? []).map(attributeText).join(", ")}]`;
    if ("kvlistValue" in value)
        return `{${(value.kvlistValue.values ?? []).map((/** @type {any} */ pair) => `${pair.key}: ${attributeText(pair.value)}`).join(", ")}}`;
    return "bytesValue" in value ? String(value.bytesValue) : "";
}

/** @param {any[] | undefined} list @returns {Attribute[]} by name */
function attributes(list) {
    return (list ?? [])
        .map(({ key, value }) => ({ key, value: attributeText(value) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
}

const kinds = ["", "internal", "server", "client", "producer", "consumer"];

/** @param {any} kind a number or `SPAN_KIND_SERVER` */
function kindName(kind) {
    if (typeof kind === "number") return kinds[kind] ?? "";
    const name = String(kind ?? "")
        .replace("SPAN_KIND_", "")
        .toLowerCase();
    return name === "unspecified" ? "" : name;
}

/** @param {any} code */
const isErrorCode = (code) => code === 2 || code === "STATUS_CODE_ERROR";

/**
 * @param {any} body OTLP TracesData as JSON: `batches`, `resourceSpans` or `trace` around it
 * @returns {Trace | null} null for no span
 */
export function readTrace(body) {
    const groups = body?.batches ?? body?.resourceSpans ?? body?.trace?.resourceSpans ?? body?.trace?.batches ?? [];
    /** @type {SpanNode[]} */
    const spans = [];
    let id = "";
    for (const group of groups) {
        const resource = attributes(group.resource?.attributes);
        const service = resource.find(({ key }) => key === "service.name")?.value ?? "unknown";
        for (const scoped of group.scopeSpans ?? group.instrumentationLibrarySpans ?? []) {
            for (const span of scoped.spans ?? []) {
                id ||= hexID(span.traceId);
                const start = BigInt(span.startTimeUnixNano ?? 0);
                spans.push({
                    id: hexID(span.spanId),
                    parentID: hexID(span.parentSpanId),
                    name: span.name ?? "",
                    service,
                    kind: kindName(span.kind),
                    start,
                    offset: 0,
                    duration: Math.max(0, Number(BigInt(span.endTimeUnixNano ?? span.startTimeUnixNano ?? 0) - start)),
                    isError: isErrorCode(span.status?.code),
                    statusMessage: span.status?.message ?? "",
                    attributes: attributes(span.attributes),
                    resource,
                    events: (span.events ?? []).map((/** @type {any} */ event) => ({
                        name: event.name ?? "",
                        offset: Number(BigInt(event.timeUnixNano ?? 0)),
                        attributes: attributes(event.attributes),
                    })),
                    links: (span.links ?? []).map((/** @type {any} */ one) => ({
                        traceID: hexID(one.traceId),
                        spanID: hexID(one.spanId),
                        attributes: attributes(one.attributes),
                    })),
                    scope: [scoped.scope?.name, scoped.scope?.version].filter(Boolean).join(" "),
                    children: [],
                    depth: 0,
                    descendantCount: 0,
                    isCritical: false,
                    self: 0,
                });
                const node = spans[spans.length - 1];
                for (let index = 0; index < node.events.length; index += 1) {
                    node.events[index].offset = Number(BigInt(span.events[index].timeUnixNano ?? 0) - start);
                }
            }
        }
    }
    return spans.length === 0 ? null : buildTree(id, spans);
}

/** @param {string} id @param {SpanNode[]} spans @returns {Trace} */
export function buildTree(id, spans) {
    const start = spans.reduce((least, span) => (span.start < least ? span.start : least), spans[0].start);
    const byID = new Map(spans.map((span) => [span.id, span]));
    /** @type {SpanNode[]} */
    const roots = [];
    for (const span of spans) {
        span.offset = Number(span.start - start);
        for (const event of span.events) event.offset += span.offset;
        const parent = byID.get(span.parentID);
        if (parent && parent !== span && !leadsTo(parent, span, byID)) parent.children.push(span);
        else roots.push(span);
    }
    const duration = spans.reduce((most, span) => Math.max(most, span.offset + span.duration), 1);
    /** @type {SpanNode[]} */
    const ordered = [];
    let depthMax = 0;
    // Own stack: a chain of thousands of spans is deeper than a call stack may be.
    const stack = roots.sort(byStart).slice().reverse();
    while (stack.length > 0) {
        const span = /** @type {SpanNode} */ (stack.pop());
        ordered.push(span);
        depthMax = Math.max(depthMax, span.depth);
        span.self = selfTime(span);
        span.children.sort(byStart);
        for (let index = span.children.length - 1; index >= 0; index -= 1) {
            span.children[index].depth = span.depth + 1;
            stack.push(span.children[index]);
        }
    }
    /** @type {Map<string, number>} */
    const selfByService = new Map();
    for (let index = ordered.length - 1; index >= 0; index -= 1) {
        const span = ordered[index];
        span.descendantCount = span.children.reduce((sum, child) => sum + 1 + child.descendantCount, 0);
        selfByService.set(span.service, (selfByService.get(span.service) ?? 0) + span.self);
    }
    markCriticalPath(roots);
    return {
        id,
        roots,
        spans: ordered,
        start,
        duration,
        depthMax,
        selfByService,
        services: [...new Set(ordered.map((span) => span.service))],
        errorCount: ordered.filter((span) => span.isError).length,
    };
}

/**
 * Whether `span` is an ancestor of `node`'s: a broken trace may hold a cycle.
 *
 * @param {SpanNode} node
 * @param {SpanNode} span
 * @param {Map<string, SpanNode>} byID
 */
function leadsTo(node, span, byID) {
    let at = /** @type {SpanNode | undefined} */ (node);
    for (let steps = 0; at && steps < 10000; steps += 1) {
        if (at === span) return true;
        at = byID.get(at.parentID);
        if (at === node) return true;
    }
    return at !== undefined;
}

/** @param {SpanNode} a @param {SpanNode} b */
const byStart = (a, b) => a.offset - b.offset || b.duration - a.duration;

/** @param {SpanNode} span @returns {number} its time minus what the union of its children covers */
function selfTime(span) {
    let covered = 0;
    let until = span.offset;
    for (const child of span.children.slice().sort(byStart)) {
        const from = Math.max(child.offset, until);
        const to = Math.min(child.offset + child.duration, span.offset + span.duration);
        if (to > from) {
            covered += to - from;
            until = to;
        }
    }
    return Math.max(0, span.duration - covered);
}

/**
 * Marks the spans that the end of the trace waited for: from the end back, at each level the child that ended last, then the one
 * that ended last before that one began (Jaeger's critical path).
 *
 * @param {SpanNode[]} roots
 */
function markCriticalPath(roots) {
    const last = roots.reduce(
        (best, root) => (!best || root.offset + root.duration > best.offset + best.duration ? root : best),
        /** @type {SpanNode | null} */ (null),
    );
    /** @type {[SpanNode, number][]} */
    const stack = last ? [[last, last.offset + last.duration]] : [];
    while (stack.length > 0) {
        const [span, end] = /** @type {[SpanNode, number]} */ (stack.pop());
        span.isCritical = true;
        let until = Math.min(end, span.offset + span.duration);
        const children = span.children.slice().sort((a, b) => b.offset + b.duration - (a.offset + a.duration));
        for (const child of children) {
            if (child.offset >= until || Math.min(child.offset + child.duration, until) <= span.offset) continue;
            if (child.offset + child.duration > until + 1) continue;
            stack.push([child, until]);
            until = child.offset;
        }
    }
}

/**
 * The rows that are seen: without what lies below a collapsed span.
 *
 * @param {Trace} trace
 * @param {Set<string>} collapsed
 * @returns {SpanNode[]}
 */
export function visibleRows(trace, collapsed) {
    /** @type {SpanNode[]} */
    const rows = [];
    let skipDepth = Infinity;
    for (const span of trace.spans) {
        if (span.depth > skipDepth) continue;
        skipDepth = Infinity;
        rows.push(span);
        if (collapsed.has(span.id) && span.children.length > 0) skipDepth = span.depth;
    }
    return rows;
}
