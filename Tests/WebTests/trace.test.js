import assert from "node:assert/strict";
import { test } from "node:test";
import { hexID, readTrace, visibleRows } from "../../Sources/Web/app/model/trace.js";

const id = "0123456789abcdef0123456789abcdef";
const span = (name, spanId, parentSpanId, start, end, more = {}) => ({
    traceId: id,
    spanId,
    parentSpanId,
    name,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    ...more,
});
const group = (service, spans) => ({
    resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
    scopeSpans: [{ spans }],
});
const a = "aaaaaaaaaaaaaaaa",
    b = "bbbbbbbbbbbbbbbb",
    c = "cccccccccccccccc",
    d = "dddddddddddddddd";

test("spans of several resources become one tree, children by start", () => {
    const trace = readTrace({
        batches: [
            group("x", [span("root", a, "", 1000, 2000), span("late", c, a, 1600, 1900)]),
            group("y", [
                span("early", b, a, 1100, 1500, {
                    kind: "SPAN_KIND_SERVER",
                    status: { code: "STATUS_CODE_ERROR", message: "no" },
                }),
            ]),
        ],
    });
    assert.deepEqual(
        trace.spans.map((one) => [one.name, one.depth, one.offset, one.service]),
        [
            ["root", 0, 0, "x"],
            ["early", 1, 100, "y"],
            ["late", 1, 600, "x"],
        ],
    );
    assert.equal(trace.duration, 1000);
    assert.equal(trace.errorCount, 1);
    assert.equal(trace.spans[1].kind, "server");
    assert.equal(trace.spans[0].descendantCount, 2);
});

test("own time is what no child covers, overlaps counted once", () => {
    const trace = readTrace({
        resourceSpans: [
            group("x", [span("root", a, "", 0, 1000), span("one", b, a, 100, 600), span("two", c, a, 500, 900)]),
        ],
    });
    assert.equal(trace.spans[0].self, 200);
});

test("the critical path is what the end waited for", () => {
    const trace = readTrace({
        resourceSpans: [
            group("x", [
                span("root", a, "", 0, 1000),
                span("waited for", b, a, 500, 950),
                span("beside", c, a, 510, 600),
                span("before", d, a, 10, 490),
            ]),
        ],
    });
    assert.deepEqual(
        trace.spans.filter((one) => one.isCritical).map((one) => one.name),
        ["root", "before", "waited for"],
    );
});

test("a span without its parent is a root, and a cycle ends", () => {
    const trace = readTrace({
        resourceSpans: [group("x", [span("orphan", a, d, 5, 10), span("one", b, c, 0, 10), span("two", c, b, 0, 10)])],
    });
    assert.equal(trace.spans.length, 3);
    assert.ok(trace.roots.length >= 2);
});

test("ids are hexadecimal, also where protobuf's JSON has base64", () => {
    assert.equal(hexID("ASNFZ4mrze8="), "0123456789abcdef");
    assert.equal(hexID("0123456789ABCDEF"), "0123456789abcdef");
    assert.equal(hexID(undefined), "");
});

test("nothing stored is no trace", () => assert.equal(readTrace({ batches: [] }), null));

test("folding a span hides what lies below it, and only that", () => {
    const trace = readTrace({
        resourceSpans: [
            group("x", [
                span("root", a, "", 0, 100),
                span("child", b, a, 0, 50),
                span("grandchild", c, b, 0, 20),
                span("sibling", d, a, 60, 90),
            ]),
        ],
    });
    assert.deepEqual(
        visibleRows(trace, new Set([b])).map((one) => one.name),
        ["root", "child", "sibling"],
    );
});

test("a chain of ten thousand spans is no problem", () => {
    const hex = (index) => index.toString(16).padStart(16, "0");
    const spans = Array.from({ length: 10000 }, (_, index) =>
        span("deep", hex(index + 1), index ? hex(index) : "", index, 20000 - index),
    );
    assert.equal(readTrace({ resourceSpans: [group("x", spans)] }).depthMax, 9999);
});
