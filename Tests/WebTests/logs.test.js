import assert from "node:assert/strict";
import { test } from "node:test";
import {
    countByLevel,
    everything,
    levelIn,
    withField,
    withLevel,
    withText,
} from "../../Sources/Web/app/model/log-query.js";
import { levelOf, matcherValue, parseLine, readEntry, withMatcher } from "../../Sources/Web/app/model/logs.js";
import { attributeCondition, traceQuery } from "../../Sources/Web/app/model/trace-query.js";

const entry = (line, more = {}) => ({
    time: 0,
    nanoseconds: "0",
    line,
    labels: { service: "orders" },
    metadata: {},
    ...more,
});

test("levels are known by their many names", () => {
    for (const [text, level] of [
        ["ERROR", "error"],
        ["warning", "warn"],
        ["Info", "info"],
        ["dpanic", "fatal"],
        ["", "unknown"],
        [undefined, "unknown"],
        ["trace", "trace"],
    ])
        assert.equal(levelOf(text), level);
});

test("JSON and logfmt lines have fields; others have none", () => {
    assert.deepEqual(parseLine('{"msg":"hi","n":1,"o":{"a":2}}'), { msg: "hi", n: "1", o: '{"a":2}' });
    assert.deepEqual(parseLine('level=info msg="a \\"b\\"" n=3'), { level: "info", msg: 'a "b"', n: "3" });
    assert.equal(parseLine("GET /x?a=1 200"), null);
    assert.equal(parseLine("{broken"), null);
});

test("an entry's trace is found in its line or beside it", () => {
    const id = "0123456789abcdef0123456789abcdef";
    assert.equal(readEntry(entry(`{"level":"warn","msg":"m","trace_id":"${id}"}`)).traceID, id);
    assert.equal(readEntry(entry("plain", { metadata: { trace_id: id.toUpperCase() } })).traceID, id);
    assert.equal(readEntry(entry('{"trace_id":"00000000000000000000000000000000"}')).traceID, "");
    assert.equal(readEntry(entry('{"level":"warn","msg":"m"}')).level, "warn");
});

test("matchers are put in, replaced and taken away", () => {
    assert.equal(withMatcher('{job="a", service="b"} |= "x"', "service", "c"), '{job="a", service="c"} |= "x"');
    assert.equal(withMatcher('{job="a"}', "service", 'q"'), '{job="a", service="q\\""}');
    assert.equal(withMatcher('{job="a", service="b"}', "service", ""), '{job="a"}');
    assert.equal(matcherValue('{job="a", service="b\\"c"}', "service"), 'b"c');
});

test("filters are added where they belong", () => {
    assert.equal(withText('{a="b"} | json', "boom"), '{a="b"} |= `boom` | json');
    assert.equal(withField('{a="b"}', "status", "500"), '{a="b"} | json | status="500"');
    const errors = withLevel('{a="b"}', "(?i)err.*");
    assert.equal(errors, '{a="b"} | json | level=~`(?i)err.*`');
    assert.equal(levelIn(errors), "(?i)err.*");
    assert.equal(withLevel(errors, ""), '{a="b"}');
    assert.equal(everything(["filename", "job"]), '{job=~".+"}');
    assert.equal(
        countByLevel('{a="b"}', 30),
        'sum by (level, detected_level, severity_text) (count_over_time({a="b"} | json [30s]))',
    );
});

test("the fields of the trace search become TraceQL", () => {
    assert.equal(traceQuery({}), "{ }");
    assert.equal(
        traceQuery({ service: "orders", min: "100ms", status: "error", attribute: "http.route=/checkout" }),
        '{ resource.service.name = "orders" && duration >= 100000us && status = error && .http.route = "/checkout" }',
    );
    assert.equal(attributeCondition("http.response.status_code >= 500"), ".http.response.status_code >= 500");
    assert.equal(attributeCondition("nonsense"), "");
});
