import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, escapeHTML, number, percent, unitOf, withUnit } from "../../Sources/Web/app/format.js";

test("numbers keep three significant digits and take a suffix where they are long", () => {
    for (const [value, text] of [
        [0, "0"],
        [0.001234, "0.00123"],
        [12.3456, "12.3"],
        [999.4, "999"],
        [1234, "1234"],
        [12345, "12.3k"],
        [4.5e6, "4.5M"],
        [2e12, "2T"],
        [-15000, "-15k"],
        [NaN, "NaN"],
        [Infinity, "+Inf"],
    ]) {
        assert.equal(number(value), text);
    }
});

test("durations are told in the unit that fits", () => {
    for (const [seconds, text] of [
        [0, "0 s"],
        [8.7e-7, "870 ns"],
        [1.23e-5, "12.3 µs"],
        [0.0045, "4.5 ms"],
        [0.9999, "1 s"],
        [1.25, "1.25 s"],
        [59.99, "1 m"],
        [200, "3 m 20 s"],
        [7500, "2 h 5 m"],
        [273600, "3 d 4 h"],
        [NaN, "–"],
    ]) {
        assert.equal(duration(seconds), text);
    }
});

test("bytes are counted in 1024s", () => {
    for (const [count, text] of [
        [0, "0 B"],
        [512, "512 B"],
        [1024, "1 KiB"],
        [64e6, "61 MiB"],
        [1.5 * 2 ** 30, "1.5 GiB"],
    ])
        assert.equal(bytes(count), text);
});

test("ratios are told in percent", () => {
    for (const [ratio, text] of [
        [0, "0 %"],
        [0.0341, "3.4 %"],
        [0.2, "20 %"],
        [1, "100 %"],
        [0.00001, "< 0.01 %"],
    ])
        assert.equal(percent(ratio), text);
});

test("what is not known is a dash, whatever its unit", () => {
    for (const unit of ["s", "bytes", "ratio", "/s", "count"]) assert.equal(withUnit(null, unit), "–");
});

test("a query's unit follows from its metric's name", () => {
    for (const [query, unit] of [
        ["process_resident_memory_bytes", "bytes"],
        ["sum(rate(http_requests_total[1m]))", "/s"],
        ["histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))", "s"],
        ["up", "none"],
        ["rate(process_cpu_seconds_total[1m])", "/s"],
    ]) {
        assert.equal(unitOf(query), unit, query);
    }
});

test("markup in a name stays text", () => {
    assert.equal(escapeHTML(`<img src="x" onerror='a'>&`), "&lt;img src=&quot;x&quot; onerror=&#39;a&#39;&gt;&amp;");
});
