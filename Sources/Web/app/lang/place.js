// Where in a query the cursor stands: what may be written there. Nothing here touches the page.

/**
 * @typedef {object} Place
 * @property {"value" | "label" | "grouping" | "stage" | "expression" | "text"} kind
 * @property {number} from where the word under the cursor begins
 * @property {string} word what of it is typed
 * @property {string} label of a value
 * @property {boolean} isQuoted whether a value's quote is open
 * @property {string} metric before the braces
 */

/**
 * @param {string} text before the cursor
 * @param {boolean} dots whether names have dots (TraceQL)
 * @returns {Place}
 */
export function placeOf(text, dots = false) {
    const name = dots ? "[\\w.:-]" : "[\\w:]";
    const place = /** @type {Place} */ ({
        kind: "expression",
        from: text.length,
        word: "",
        label: "",
        isQuoted: false,
        metric: "",
    });
    const { open, quote } = scan(text);
    if (open >= 0 && text[open] === "{") {
        place.metric = /([A-Za-z_:][\w:]*)\s*$/.exec(text.slice(0, open))?.[1] ?? "";
        const inside = text.slice(open + 1);
        const value = new RegExp(`(${name}+)\\s*(?:=~|!~|!=|=|<=|>=|<|>)\\s*(["\`]?)((?:[^"\`\\\\]|\\\\.)*)$`).exec(
            inside,
        );
        if (value && (quote >= 0 || value[2] === "")) {
            if (quote < 0 && /[\s,}]/.test(value[3])) return { ...place, kind: "text" };
            return {
                ...place,
                kind: "value",
                label: value[1],
                isQuoted: value[2] !== "",
                word: value[3],
                from: text.length - value[3].length,
            };
        }
        if (quote >= 0) return { ...place, kind: "text" };
        const word = new RegExp(`${name}*$`).exec(inside)?.[0] ?? "";
        return { ...place, kind: "label", word, from: text.length - word.length };
    }
    if (quote >= 0) return { ...place, kind: "text" };
    const word = new RegExp(`${name}*$`).exec(text)?.[0] ?? "";
    const before = text.slice(0, text.length - word.length);
    place.word = word;
    place.from = text.length - word.length;
    if (/\|\s*$/.test(before) && !/\|\|\s*$/.test(before)) place.kind = "stage";
    else if (open >= 0 && /\b(by|without|on|ignoring|group_left|group_right)\s*$/.test(text.slice(0, open)))
        place.kind = "grouping";
    else if (/\[[^\]]*$/.test(before) || /^\d/.test(word)) place.kind = "text";
    return place;
}

/**
 * The innermost open bracket and quote; -1 where there is none.
 *
 * @param {string} text
 */
function scan(text) {
    /** @type {number[]} */
    const stack = [];
    let quote = -1;
    for (let index = 0; index < text.length; index += 1) {
        const character = text[index];
        if (quote >= 0) {
            if (character === "\\" && text[quote] !== "`") index += 1;
            else if (character === text[quote]) quote = -1;
        } else if (character === '"' || character === "'" || character === "`") {
            quote = index;
        } else if (character === "{" || character === "(" || character === "[") {
            stack.push(index);
        } else if (character === "}" || character === ")" || character === "]") {
            stack.pop();
        }
    }
    return { open: stack.length > 0 ? stack[stack.length - 1] : -1, quote };
}

/**
 * The place that an error message names: Prometheus's `1:5: parse error`, Loki's and Tempo's `at line 1, col 5`.
 *
 * @param {string} message @param {string} query
 * @returns {{ from: number, to: number, line: number, column: number } | null}
 */
export function problemPlace(message, query) {
    const match = /(?:^|[\s"(])(\d+):(\d+): /.exec(message) ?? /line (\d+),? col(?:umn)? (\d+)/i.exec(message);
    if (!match) return null;
    const [line, column] = [Number(match[1]), Number(match[2])];
    const lines = query.split("\n");
    if (line < 1 || line > lines.length) return null;
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const from = Math.max(0, Math.min(query.length, start + Math.max(0, column - 1)));
    const word = /^[\w:.]+|^\S/.exec(query.slice(from))?.[0] ?? "";
    // At the end of the text there is nothing to underline: take what stands before it.
    return word
        ? { from, to: from + word.length, line, column }
        : { from: Math.max(0, from - 1), to: Math.max(1, from), line, column };
}

/**
 * The line of a query with an arrow below the place of its problem.
 *
 * @param {string} query
 * @param {{ line: number, column: number }} place
 */
export function pointed(query, { line, column }) {
    return `${query.split("\n")[line - 1] ?? ""}\n${" ".repeat(Math.max(0, column - 1))}↑`;
}
