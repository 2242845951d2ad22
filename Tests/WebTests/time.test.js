import assert from "node:assert/strict";
import { test } from "node:test";
import {
    aligned,
    describe,
    parseDuration,
    parseTime,
    rateRange,
    resolve,
    stepFor,
    widened,
} from "../../Sources/Web/app/time.js";

const now = Date.UTC(2026, 10, 22, 12);

test("times are relative, milliseconds, seconds or ISO 8601", () => {
    for (const [text, time] of [
        ["now", now],
        ["now-15m", now - 900e3],
        ["now-2d", now - 172800e3],
        ["1795348800", 1795348800e3],
        ["1795348800123", 1795348800123],
        ["2026-11-22T12:00:00Z", now],
        ["yesterday", null],
        ["now-1x", null],
        ["", null],
    ]) {
        assert.equal(parseTime(text, now), time, text);
    }
});

test("a range that is none becomes the last hour; one the wrong way round is turned", () => {
    assert.deepEqual(resolve("x", "now", now), { start: now - 3600e3, end: now });
    assert.deepEqual(resolve("now", "now-1h", now), { start: now - 3600e3, end: now });
});

test("steps are round and give about the points that are wanted", () => {
    assert.equal(stepFor({ start: 0, end: 3600e3 }, 160), 30);
    assert.equal(stepFor({ start: 0, end: 300e3 }, 160), 2);
    assert.equal(stepFor({ start: 0, end: 30 * 86400e3 }, 160), 21600);
});

test("a rate's range holds at least a minute, and two steps", () => {
    assert.equal(rateRange(5), "1m");
    assert.equal(rateRange(300), "10m");
    assert.equal(rateRange(3600), "2h");
});

test("aligned spans begin and end on whole steps", () => {
    assert.deepEqual(aligned({ start: 12345, end: 67890 }, 10), { start: 10000, end: 60000 });
});

test("a wider range is twice as long and does not reach into the future", () => {
    assert.deepEqual(widened({ start: now - 3600e3, end: now }, now), { start: now - 7200e3, end: now });
});

test("a range is named as in the picker, or by its ends with the day once", () => {
    const format = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
    assert.equal(describe("now-1h", "now", format), "Last hour");
    assert.equal(describe("now-45m", "now", format), "Last 45 m");
    assert.equal(describe(String(now - 60e3), String(now), format), "2026-11-22 11:59:00 – 12:00:00");
});

test("durations are typed with a unit; without one they are milliseconds", () => {
    for (const [text, seconds] of [
        ["250ms", 0.25],
        ["1.5s", 1.5],
        ["2m", 120],
        ["100", 0.1],
        ["3ms", 0.003],
        ["fast", null],
    ])
        assert.equal(parseDuration(text), seconds);
});
