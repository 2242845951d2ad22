/** @typedef {import("../api.js").Labels} Labels */
/** @typedef {import("../api.js").RelabelStep} RelabelStep */

/**
 * @typedef {object} LabelChange
 * @property {string} name
 * @property {"added" | "changed" | "removed" | "same"} kind
 * @property {string} before "" where there was none
 * @property {string} after "" where there is none
 */

/**
 * What became of labels, by name: those that stayed too.
 *
 * @param {Labels} before @param {Labels} after @returns {LabelChange[]}
 */
export function labelChanges(before, after) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.map((name) => {
        const [old, now] = [before[name] ?? "", after[name] ?? ""];
        const kind = old === now ? "same" : old === "" ? "added" : now === "" ? "removed" : "changed";
        return { name, kind, before: old, after: now };
    });
}

/**
 * The steps of a target, each with what it changed. Behind the rule that drops it nothing happens any more.
 *
 * @param {Labels} discovered @param {RelabelStep[]} steps
 * @returns {{ rule: RelabelStep["rule"], keep: boolean, isReached: boolean, changes: LabelChange[] }[]}
 */
export function walk(discovered, steps) {
    let before = discovered;
    let isReached = true;
    return steps.map((step) => {
        const wasReached = isReached;
        const changes = wasReached && step.keep ? labelChanges(before, step.output) : [];
        if (wasReached && step.keep) before = step.output;
        if (!step.keep) isReached = false;
        return { rule: step.rule, keep: step.keep, isReached: wasReached, changes };
    });
}

/**
 * A rule in one line, its defaults left out.
 *
 * @param {RelabelStep["rule"]} rule
 */
export function ruleText(rule) {
    const parts = [];
    if (rule.source_labels?.length) parts.push(`source_labels: [${rule.source_labels.join(", ")}]`);
    if (rule.separator !== ";") parts.push(`separator: ${JSON.stringify(rule.separator)}`);
    if (rule.regex !== "(.*)") parts.push(`regex: ${rule.regex}`);
    if (rule.modulus) parts.push(`modulus: ${rule.modulus}`);
    if (rule.target_label) parts.push(`target_label: ${rule.target_label}`);
    if (rule.replacement !== "$1") parts.push(`replacement: ${JSON.stringify(rule.replacement)}`);
    return parts.join("  ");
}

/**
 * Labels that are not for samples: `__address__` and the like.
 *
 * @param {string} name
 */
export const isInternal = (name) => name.startsWith("__");
