import { computed, h, nextTick, onBeforeUnmount, onMounted, shallowRef, watch } from "vue";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { duration } from "../format.js";
import { icon } from "../icons.js";
import { visibleRows } from "../model/trace.js";

/** @typedef {import("../model/trace.js").SpanNode} SpanNode */

const rowHeight = 27;
const margin = 12;

/**
 * Spans as rows: a tree at the left, bars at the right. Only the rows in sight are in the page, so that thousands stay smooth.
 *
 * @typedef {object} WaterfallProps
 * @property {import("../model/trace.js").Trace} tree
 * @property {Set<string>} collapsed
 * @property {{ start: number, end: number }} view nanoseconds since the trace's start
 * @property {string | null} selectedID
 * @property {Set<string> | null} matches of a search; null without one
 * @property {boolean} showsPath
 * @property {(id: string) => void} onSelect
 * @property {(id: string) => void} onToggle
 */
export const Waterfall = component(
    "Waterfall",
    /** @type {(keyof WaterfallProps)[]} */ ([
        "tree",
        "collapsed",
        "view",
        "selectedID",
        "matches",
        "showsPath",
        "onSelect",
        "onToggle",
    ]),
    (/** @type {WaterfallProps} */ props) => {
        const scroller = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        const top = shallowRef(0);
        const height = shallowRef(600);
        const rows = computed(() => visibleRows(props.tree, props.collapsed));
        let observer = /** @type {ResizeObserver | null} */ (null);

        onMounted(() => {
            observer = new ResizeObserver(() => {
                height.value = scroller.value?.clientHeight ?? 600;
            });
            if (scroller.value) observer.observe(scroller.value);
            reveal(props.selectedID);
        });
        onBeforeUnmount(() => observer?.disconnect());

        /**
         * Scrolls a span into sight.
         *
         * @param {string | null} id
         */
        function reveal(id) {
            const index = rows.value.findIndex((span) => span.id === id);
            const element = scroller.value;
            if (index < 0 || !element) return;
            const y = index * rowHeight;
            if (y < element.scrollTop) element.scrollTop = y;
            else if (y + rowHeight * 2 > element.scrollTop + element.clientHeight)
                element.scrollTop = y + rowHeight * 3 - element.clientHeight;
        }
        watch(
            () => props.selectedID,
            (id) => void nextTick().then(() => reveal(id)),
        );
        watch(
            () => props.matches,
            (matches) => {
                if (matches) reveal(rows.value.find((span) => matches.has(span.id))?.id ?? null);
            },
        );

        /** @param {KeyboardEvent} event */
        function key(event) {
            const at = rows.value.findIndex((span) => span.id === props.selectedID);
            const span = rows.value[at];
            const moves = /** @type {Record<string, number>} */ ({
                ArrowDown: at + 1,
                ArrowUp: at - 1,
                Home: 0,
                End: rows.value.length - 1,
                PageDown: at + 15,
                PageUp: at - 15,
            });
            if (event.key in moves) {
                event.preventDefault();
                props.onSelect(rows.value[Math.max(0, Math.min(rows.value.length - 1, moves[event.key]))].id);
            } else if (span && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
                event.preventDefault();
                const isFolded = props.collapsed.has(span.id);
                if (span.children.length > 0 && isFolded === (event.key === "ArrowRight")) props.onToggle(span.id);
                else if (event.key === "ArrowLeft" && span.parentID) props.onSelect(span.parentID);
                else if (event.key === "ArrowRight" && span.children.length > 0) props.onSelect(span.children[0].id);
            }
        }

        /** @param {SpanNode} span @param {number} index */
        function row(span, index) {
            const width = props.view.end - props.view.start || 1;
            const left = ((span.offset - props.view.start) / width) * 100;
            const right = ((span.offset + span.duration - props.view.start) / width) * 100;
            const isOut = right < 0 || left > 100;
            const isDim = (props.matches && !props.matches.has(span.id)) || (props.showsPath && !span.isCritical);
            const isFolded = props.collapsed.has(span.id);
            const shade = serviceColour(span.service);
            const [from, to] = [Math.max(0, left), Math.min(100, right)];
            return h(
                "div",
                {
                    key: span.id,
                    id: `span-${span.id}`,
                    class: ["span-row", { selected: span.id === props.selectedID, dim: isDim }],
                    style: { top: `${index * rowHeight}px`, height: `${rowHeight}px` },
                    role: "treeitem",
                    "aria-level": span.depth + 1,
                    "aria-selected": String(span.id === props.selectedID),
                    "aria-expanded": span.children.length > 0 ? String(!isFolded) : undefined,
                    "aria-label": `${span.service} ${span.name}, ${duration(span.duration / 1e9)}${span.isError ? ", error" : ""}`,
                    "data-testid": "span",
                    onClick: () => props.onSelect(span.id),
                },
                [
                    h("div", { class: "span-name", style: { paddingLeft: `${8 + Math.min(span.depth, 24) * 14}px` } }, [
                        span.children.length > 0
                            ? h(
                                  "button",
                                  {
                                      type: "button",
                                      class: "fold",
                                      tabindex: -1,
                                      "aria-label": isFolded ? "Unfold" : "Fold",
                                      onClick: (/** @type {Event} */ event) => {
                                          event.stopPropagation();
                                          props.onToggle(span.id);
                                      },
                                  },
                                  [
                                      icon(isFolded ? "right" : "down", { width: 12, height: 12 }),
                                      isFolded ? h("span", { class: "count" }, String(span.descendantCount)) : null,
                                  ],
                              )
                            : h("span", { class: "fold" }),
                        h("span", { class: "service-mark", style: { background: shade } }),
                        span.isError
                            ? h("span", { class: "error-mark", title: span.statusMessage || "error" }, [
                                  icon("warning", { width: 12, height: 12 }),
                              ])
                            : null,
                        h("span", { class: "clip" }, [
                            h("span", { class: "span-service" }, span.service),
                            " ",
                            span.name,
                        ]),
                    ]),
                    h(
                        "div",
                        { class: "span-time" },
                        isOut
                            ? null
                            : [
                                  h("span", {
                                      class: ["span-bar", { error: span.isError }],
                                      style: { left: `${from}%`, width: `max(2px, ${to - from}%)`, background: shade },
                                  }),
                                  props.showsPath && span.isCritical
                                      ? h("span", {
                                            class: "span-critical",
                                            style: { left: `${from}%`, width: `max(2px, ${to - from}%)` },
                                        })
                                      : null,
                                  span.events.slice(0, 40).map((event, number) => {
                                      const at = ((event.offset - props.view.start) / width) * 100;
                                      return at < 0 || at > 100
                                          ? null
                                          : h("i", {
                                                key: number,
                                                class: "span-event",
                                                title: event.name,
                                                style: { left: `${at}%` },
                                            });
                                  }),
                                  h(
                                      "span",
                                      {
                                          class: "span-duration number",
                                          style:
                                              to > 82 && from > 12
                                                  ? { right: `calc(${100 - from}% + 5px)` }
                                                  : to > 82
                                                    ? { left: `calc(${from}% + 6px)`, color: "var(--on-bar)" }
                                                    : { left: `calc(${to}% + 5px)` },
                                      },
                                      duration(span.duration / 1e9),
                                  ),
                              ],
                    ),
                ],
            );
        }

        /** Five round moments over the view. */
        function ruler() {
            return h("div", { class: "span-ruler", "aria-hidden": "true" }, [
                h("div", { class: "span-name" }, "Service and operation"),
                h(
                    "div",
                    { class: "span-time" },
                    [0, 0.25, 0.5, 0.75, 1].map((part) =>
                        h(
                            "span",
                            {
                                key: part,
                                class: { last: part === 1 },
                                style: part === 1 ? { right: "4px" } : { left: `${part * 100}%` },
                            },
                            duration((props.view.start + (props.view.end - props.view.start) * part) / 1e9),
                        ),
                    ),
                ),
            ]);
        }

        return () => {
            const first = Math.max(0, Math.floor(top.value / rowHeight) - margin);
            const last = Math.min(rows.value.length, Math.ceil((top.value + height.value) / rowHeight) + margin);
            return [
                h(
                    "div",
                    {
                        class: "span-rows",
                        role: "tree",
                        tabindex: 0,
                        "aria-label": "Spans",
                        "aria-activedescendant": props.selectedID ? `span-${props.selectedID}` : undefined,
                        onKeydown: key,
                        onScroll: (/** @type {any} */ event) => {
                            top.value = event.target.scrollTop;
                        },
                        ref: (/** @type {HTMLElement | null} */ element) => {
                            scroller.value = element;
                        },
                    },
                    [
                        ruler(),
                        h(
                            "div",
                            { class: "span-sheet", style: { height: `${rows.value.length * rowHeight}px` } },
                            rows.value.slice(first, last).map((span, index) => row(span, first + index)),
                        ),
                    ],
                ),
            ];
        };
    },
);
