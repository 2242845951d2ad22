import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, problemPlace } from "../../Sources/Web/app/lang/place.js";
import { promql } from "../../Sources/Web/app/lang/promql.js";
import { logql } from "../../Sources/Web/app/lang/logql.js";
import { tokenize } from "../../Sources/Web/app/lang/tokens.js";
import { traceql } from "../../Sources/Web/app/lang/traceql.js";

const types = (text, words) =>
    tokenize(text, words).map((token) => `${text.slice(token.from, token.to)}:${token.type}`);

test("PromQL is cut into functions, labels, durations and strings", () => {
    assert.deepEqual(types('sum by (job) (rate(http_total{code=~"5.."}[5m])) > 1e3', promql), [
        "sum:function",
        "by:keyword",
        "job:name",
        "rate:function",
        "http_total:name",
        "code:label",
        "=~:operator",
        '"5..":string',
        "5m:number",
        ">:operator",
        "1e3:number",
    ]);
});

test("LogQL's stages and filters are told apart", () => {
    assert.deepEqual(types('{a="b"} |= `x` | json', logql), [
        "a:label",
        "=:operator",
        '"b":string',
        "|=:operator",
        "`x`:string",
        "|:operator",
        "json:keyword",
    ]);
});

test("TraceQL's names have dots", () => {
    assert.deepEqual(types('{ span.http.route = "/" && status = error }', traceql), [
        "span.http.route:label",
        "=:operator",
        '"/":string',
        "&&:operator",
        "status:label",
        "=:operator",
        "error:keyword",
    ]);
});

test("every text ends, also a broken one", () => {
    for (const text of ['"open', "{{{", "\\", "日本", "`", "1.2.3..", "'"])
        assert.ok(Array.isArray(tokenize(text, promql)));
});

test("completion knows where the cursor stands", () => {
    for (const [text, kind, word] of [
        ["ra", "expression", "ra"],
        ["up{jo", "label", "jo"],
        ['up{job="or', "value", "or"],
        ["sum by (jo", "grouping", "jo"],
        ['up{job="a"}', "expression", ""],
        ["rate(up[5", "text", "5"],
        ['"quo', "text", ""],
    ]) {
        const place = placeOf(text);
        assert.deepEqual([place.kind, place.word], [kind, word], text);
    }
    assert.equal(placeOf('up{job="or').label, "job");
    assert.equal(placeOf('up{job="or').metric, "up");
    assert.equal(placeOf('{a="b"} | js').kind, "stage");
    assert.deepEqual([placeOf("{ span.ht", true).kind, placeOf("{ span.ht", true).word], ["label", "span.ht"]);
    assert.deepEqual([placeOf("{ status = er", true).kind, placeOf("{ status = er", true).isQuoted], ["value", false]);
});

test("an error's place is read from the words of each engine", () => {
    assert.deepEqual(problemPlace('1:5: parse error: unexpected identifier "oops"', "up +oops"), {
        from: 4,
        to: 8,
        line: 1,
        column: 5,
    });
    assert.deepEqual(problemPlace("parse error at line 2, col 1: syntax error", "a\nbc"), {
        from: 2,
        to: 4,
        line: 2,
        column: 1,
    });
    assert.deepEqual(problemPlace("1:3: parse error: unexpected end of input", "up"), {
        from: 1,
        to: 2,
        line: 1,
        column: 3,
    });
    assert.equal(problemPlace("no place", "up"), null);
});
