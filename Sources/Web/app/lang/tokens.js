// Cuts a query into coloured pieces. The three languages share their lexical shape; they differ in words. Nothing here touches the page.

/** @typedef {"keyword" | "function" | "string" | "number" | "label" | "operator" | "comment" | "name"} TokenType */
/** @typedef {{ from: number, to: number, type: TokenType }} Token */
/**
 * @typedef {object} Words
 * @property {Set<string>} keywords
 * @property {Map<string, string>} functions with what they do
 * @property {boolean} dotsInNames TraceQL: `span.http.route`
 */

const shapes = /** @type {[TokenType | "word" | "space", RegExp][]} */ ([
    ["space", /\s+/y],
    ["comment", /#[^\n]*/y],
    ["string", /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?/y],
    [
        "number",
        /(?:0x[0-9a-f]+|(?:\d+(?:ns|us|µs|ms|[smhdwy]))+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:ns|us|µs|ms|[smhdwy]|[KMGT]i?B|B)?)\b/iy,
    ],
    ["word", /[A-Za-z_:][\w:]*/y],
    ["operator", /=~|!~|!=|==|<=|>=|\|=|\|~|\|>|!>|&&|\|\||>>|<<|[-+*/%^=<>|!&@~]/y],
]);

const dotted = /[A-Za-z_.][\w.:-]*/y;

/** @param {string} text @param {Words} words @returns {Token[]} without blanks and brackets */
export function tokenize(text, words) {
    /** @type {Token[]} */
    const tokens = [];
    let at = 0;
    let braces = 0;
    while (at < text.length) {
        let end = at;
        let type = /** @type {TokenType | "word" | "space" | "other"} */ ("other");
        for (const [name, shape] of shapes) {
            const pattern = name === "word" && words.dotsInNames ? dotted : shape;
            pattern.lastIndex = at;
            const match = pattern.exec(text);
            if (match && match[0].length > 0) {
                end = at + match[0].length;
                type = name;
                break;
            }
        }
        if (type === "other") {
            if (text[at] === "{") braces += 1;
            if (text[at] === "}") braces = Math.max(0, braces - 1);
            end = at + 1;
        } else if (type === "word") {
            tokens.push({ from: at, to: end, type: wordType(text.slice(at, end), text.slice(end), braces > 0, words) });
        } else if (type !== "space") {
            tokens.push({ from: at, to: end, type });
        }
        at = end;
    }
    return tokens;
}

/** @param {string} word @param {string} rest @param {boolean} isInBraces @param {Words} words @returns {TokenType} */
function wordType(word, rest, isInBraces, words) {
    if (words.functions.has(word) && (words.keywords.has(word) || /^\s*(\(|by\b|without\b)/.test(rest)))
        return "function";
    if (words.keywords.has(word)) return "keyword";
    if (isInBraces || /^\s*(=~|!~|!=|=)/.test(rest)) return "label";
    return "name";
}
