import assert from "node:assert/strict";
import { test } from "node:test";
import { describeType, frameAt, functionCosts, readFlame, shortName } from "../../Sources/Web/app/model/flame.js";

// total(10): a(6): [b(4): [a(1)]], c(4)
const bearer = {
    unit: "count",
    total: 10,
    names: ["total", "a", "b", "c"],
    levels: [
        [0, 10, 0, 0],
        [0, 6, 2, 1, 0, 4, 4, 3],
        [1, 4, 3, 2],
        [2, 1, 1, 1],
    ],
};

test("offsets are relative to the frame at the left; a frame knows its caller", () => {
    const flame = readFlame(bearer);
    assert.deepEqual(
        flame.levels.map((frames) => frames.map((frame) => [frame.name, frame.start, frame.parent?.name ?? null])),
        [
            [["total", 0, null]],
            [
                ["a", 0, "total"],
                ["c", 6, "total"],
            ],
            [["b", 1, "a"]],
            [["a", 2, "b"]],
        ],
    );
});

test("a recursive function counts its total once and its own cost each time", () => {
    assert.deepEqual(functionCosts(readFlame(bearer)), [
        { name: "c", self: 4, total: 4 },
        { name: "a", self: 3, total: 6 },
        { name: "b", self: 3, total: 4 },
    ]);
});

test("the frame at a place is found, and none beside it", () => {
    const flame = readFlame(bearer);
    assert.equal(frameAt(flame, 1, 6.5)?.name, "c");
    assert.equal(frameAt(flame, 2, 0.5), null);
    assert.equal(frameAt(flame, 9, 0), null);
});

test("an empty profile has no frames", () => {
    assert.deepEqual(readFlame({ unit: "count", total: 0, names: [], levels: [] }), {
        unit: "count",
        total: 0,
        levels: [],
    });
});

test("names lose the path before the package, not what stands in brackets", () => {
    assert.equal(shortName("github.com/lib/pq.(*conn).query"), "pq.(*conn).query");
    assert.equal(shortName("slices.Sort[go.shape.[]a/b]"), "slices.Sort[go.shape.[]a/b]");
});

test("types of profiles have names", () => {
    assert.deepEqual(describeType("process_cpu:cpu:nanoseconds:cpu:nanoseconds"), {
        title: "CPU time",
        unit: "nanoseconds",
    });
    assert.deepEqual(describeType("other:things:count:x:count"), { title: "other things", unit: "count" });
});
