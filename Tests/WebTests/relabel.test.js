import assert from "node:assert/strict";
import { test } from "node:test";
import { isInternal, labelChanges, ruleText, walk } from "../../Sources/Web/app/model/relabel.js";

const rule = { action: "replace", separator: ";", regex: "(.*)", replacement: "$1" };

test("labels that came, went, changed and stayed are told apart", () => {
    assert.deepEqual(labelChanges({ a: "1", b: "2", c: "3" }, { b: "2", c: "4", d: "5" }), [
        { name: "a", kind: "removed", before: "1", after: "" },
        { name: "b", kind: "same", before: "2", after: "2" },
        { name: "c", kind: "changed", before: "3", after: "4" },
        { name: "d", kind: "added", before: "", after: "5" },
    ]);
});

test("behind the rule that drops a target nothing is reached", () => {
    const steps = walk({ a: "1" }, [
        { rule, output: { a: "1", b: "1" }, keep: true },
        { rule: { ...rule, action: "drop" }, output: {}, keep: false },
        { rule, output: {}, keep: false },
    ]);
    assert.deepEqual(
        steps.map((step) => [step.keep, step.isReached, step.changes.filter((change) => change.kind !== "same").length]),
        [
            [true, true, 1],
            [false, true, 0],
            [false, false, 0],
        ],
    );
});

test("a rule is shown without its defaults", () => {
    assert.equal(
        ruleText({ ...rule, source_labels: ["__address__", "x"], regex: "a:(.*)", target_label: "y", separator: "/", modulus: 3 }),
        'source_labels: [__address__, x]  separator: "/"  regex: a:(.*)  modulus: 3  target_label: y',
    );
    assert.equal(isInternal("__address__"), true);
    assert.equal(isInternal("job"), false);
});
