import { h, onBeforeUnmount, onMounted, shallowRef, watch } from "vue";
import {
    Compartment,
    Decoration,
    EditorState,
    EditorView,
    Prec,
    StateEffect,
    StateField,
    StreamLanguage,
    basicSetup,
    keymap,
    placeholder,
} from "codemirror";
import { component } from "../component.js";
import { completionSource } from "../lang/completion.js";
import { logql } from "../lang/logql.js";
import { promql } from "../lang/promql.js";
import { tokenize } from "../lang/tokens.js";
import { traceql } from "../lang/traceql.js";

/** @typedef {import("../lang/completion.js").Language} Language */

const vocabularies = { promql, logql, traceql };

/**
 * Colours by our own tokens: CodeMirror's published bundle keeps its highlighting tags to itself.
 *
 * @param {Language} language
 */
function colours(language) {
    const words = vocabularies[language];
    const paint = (/** @type {string} */ text) =>
        Decoration.set(
            tokenize(text, words).map((token) =>
                Decoration.mark({ class: `token-${token.type}` }).range(token.from, token.to),
            ),
        );
    let first = "";
    return {
        /** @param {string} text */
        startingWith(text) {
            first = text;
            return StateField.define({
                create: () => paint(first),
                update: (value, transaction) =>
                    transaction.docChanged ? paint(/** @type {any} */ (transaction).newDoc.toString()) : value,
                provide: (field) => EditorView.decorations.from(field),
            });
        },
    };
}

/** @param {Language} language */
function mode(language) {
    const syntax = StreamLanguage.define({
        name: language,
        startState: () => null,
        token: (stream) => {
            stream.next();
            return null;
        },
        languageData: { closeBrackets: { brackets: ["(", "[", "{", '"', "`"] }, commentTokens: { line: "#" } },
    });
    return [syntax, syntax.data.of({ autocomplete: completionSource(language, vocabularies[language]) })];
}

const setProblem = StateEffect.define();
const problemField = StateField.define({
    create: () => Decoration.none,
    update: (value, transaction) => {
        let next = transaction.docChanged ? Decoration.none : value;
        for (const effect of transaction.effects) {
            if (effect.is(setProblem))
                next = effect.value
                    ? Decoration.set([
                          Decoration.mark({ class: "cm-problem" }).range(effect.value.from, effect.value.to),
                      ])
                    : Decoration.none;
        }
        return next;
    },
    provide: (field) => EditorView.decorations.from(field),
});

/**
 * A query in one of the three languages. Ctrl-Enter runs it; where it is meant for one line, Enter does too.
 *
 * @typedef {object} EditorProps
 * @property {string} value
 * @property {Language} language
 * @property {string} label
 * @property {string} [hint] shown while empty
 * @property {boolean} [singleLine]
 * @property {{ from: number, to: number } | null} [problem]
 * @property {(text: string) => void} onChange
 * @property {(text: string) => void} onRun
 */
export const Editor = component(
    "Editor",
    /** @type {(keyof EditorProps)[]} */ ([
        "value",
        "language",
        "label",
        "hint",
        "singleLine",
        "problem",
        "onChange",
        "onRun",
    ]),
    (/** @type {EditorProps} */ props) => {
        const host = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        const language = new Compartment();
        let view = /** @type {EditorView | null} */ (null);
        const extension = () => [
            colours(props.language).startingWith(view?.state.doc.toString() ?? props.value),
            mode(props.language),
        ];
        const run = () => {
            if (view) props.onRun(view.state.doc.toString());
            return true;
        };

        onMounted(() => {
            if (!host.value) return;
            view = new EditorView({
                parent: host.value,
                state: EditorState.create({
                    doc: props.value,
                    extensions: [
                        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
                        // Before the usual Enter, behind the completion's own.
                        keymap.of(props.singleLine ? [{ key: "Enter", run }] : []),
                        basicSetup,
                        language.of(extension()),
                        problemField,
                        EditorView.lineWrapping,
                        placeholder(props.hint ?? ""),
                        EditorView.contentAttributes.of({ "aria-label": props.label }),
                        EditorView.updateListener.of((update) => {
                            if (update.docChanged) props.onChange(update.state.doc.toString());
                        }),
                    ],
                }),
            });
        });
        watch(
            () => props.value,
            (value) => {
                if (view && view.state.doc.toString() !== value)
                    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
            },
        );
        watch(
            () => props.language,
            () => view?.dispatch({ effects: language.reconfigure(extension()) }),
        );
        watch(
            () => props.problem,
            (problem) => {
                const length = view?.state.doc.length ?? 0;
                view?.dispatch({
                    effects: setProblem.of(
                        problem && problem.to <= length && problem.from < problem.to ? problem : null,
                    ),
                });
            },
        );
        onBeforeUnmount(() => view?.destroy());
        return () =>
            h("div", {
                class: ["editor grow", { single: props.singleLine }],
                "data-search": "",
                ref: (/** @type {HTMLElement | null} */ element) => {
                    host.value = element;
                },
            });
    },
);
