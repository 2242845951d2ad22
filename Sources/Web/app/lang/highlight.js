import { h } from "vue";
import { logql } from "./logql.js";
import { promql } from "./promql.js";
import { tokenize } from "./tokens.js";
import { traceql } from "./traceql.js";

const vocabularies = { promql, logql, traceql };

/**
 * A query as coloured text.
 *
 * @param {string} text
 * @param {keyof typeof vocabularies} language
 * @returns {import("vue").Child[]}
 */
export function highlighted(text, language) {
    /** @type {import("vue").Child[]} */
    const parts = [];
    let at = 0;
    for (const token of tokenize(text, vocabularies[language])) {
        if (token.from > at) parts.push(text.slice(at, token.from));
        parts.push(h("span", { class: `token-${token.type}` }, text.slice(token.from, token.to)));
        at = token.to;
    }
    parts.push(text.slice(at));
    return parts;
}
