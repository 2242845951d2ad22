import { h } from "vue";
import * as api from "../api.js";
import { component } from "../component.js";
import { isInternal, ruleText, walk } from "../model/relabel.js";
import { resource } from "../resource.js";
import { empty, loading, show } from "./states.js";

/** @typedef {import("../api.js").Labels} Labels */
/** @typedef {import("../model/relabel.js").LabelChange} LabelChange */

/**
 * Labels as a table of names and values.
 *
 * @param {Labels} labels @param {string} title
 */
export function labelTable(labels, title) {
    const names = Object.keys(labels).sort((a, b) => Number(isInternal(a)) - Number(isInternal(b)) || (a < b ? -1 : 1));
    return h("div", { class: "label-table" }, [
        h("h3", null, title),
        names.length === 0
            ? h("p", { class: "faint" }, "none")
            : h(
                  "dl",
                  null,
                  names.map((name) => [
                      h("dt", { class: ["mono", { faint: isInternal(name) }], key: name }, name),
                      h("dd", { class: "mono" }, labels[name] === "" ? '""' : labels[name]),
                  ]),
              ),
    ]);
}

/** @param {LabelChange} change */
function changeLine(change) {
    const sign = { added: "+", removed: "−", changed: "~", same: "" }[change.kind];
    return h("div", { class: ["label-change", change.kind, "mono"], key: change.name }, [
        h("span", { class: "sign", "aria-label": change.kind }, sign),
        h("span", { class: "name" }, change.name),
        change.before && change.kind !== "added" ? h("del", null, change.before) : null,
        change.kind === "changed" ? h("span", { class: "faint", "aria-hidden": "true" }, "→") : null,
        change.after ? h("ins", null, change.after) : null,
    ]);
}

/** What each rule of `relabel_configs` makes of a target's labels. */
export const RelabelSteps = component(
    "RelabelSteps",
    /** @type {("pool" | "labels")[]} */ (["pool", "labels"]),
    (/** @type {{ pool: string, labels: Labels }} */ props) => {
        const steps = resource(
            (signal) => api.relabelSteps(props.pool, props.labels, { signal }),
            () => [props.pool, props.labels],
            { followsSpan: false },
        );
        return () =>
            h("div", { class: "relabel-steps", "data-testid": "relabel-steps" }, [
                h("h3", null, "Relabelling"),
                show(steps, {
                    compact: true,
                    loading: () => loading({ height: 60 }),
                    empty: (list) =>
                        list.length > 0 ? null : empty({ title: "This job has no relabel_configs", compact: true }),
                    content: (list) =>
                        h(
                            "ol",
                            null,
                            walk(props.labels, list).map((step, index) => {
                                const changes = step.changes.filter((change) => change.kind !== "same");
                                const note = !step.isReached
                                    ? "not reached"
                                    : !step.keep
                                      ? "drops the target"
                                      : changes.length > 0
                                        ? null
                                        : /keep|drop/.test(step.rule.action) && !step.rule.action.startsWith("label")
                                          ? "keeps the target"
                                          : "changes nothing";
                                return h("li", { key: index, class: { skipped: !step.isReached } }, [
                                    h("div", { class: "rule" }, [
                                        h("span", { class: ["badge", step.keep ? "accent" : "bad"] }, step.rule.action),
                                        h("code", { class: "mono" }, ruleText(step.rule)),
                                        note
                                            ? h(
                                                  "span",
                                                  { class: step.isReached && !step.keep ? "bad" : "faint" },
                                                  note,
                                              )
                                            : null,
                                    ]),
                                    changes.map(changeLine),
                                ]);
                            }),
                        ),
                }),
            ]);
    },
);
