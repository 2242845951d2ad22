import { computed, h, shallowRef, watch } from "vue";
import * as api from "../api.js";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { empty, loading, show } from "../components/states.js";
import { Minimap } from "../components/minimap.js";
import { SpanDetails } from "../components/span-details.js";
import { Waterfall } from "../components/waterfall.js";
import { dateTime, duration, percent, plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { readTrace } from "../model/trace.js";
import { RequestError } from "../http.js";
import { resource } from "../resource.js";
import { href, route, setQuery } from "../router.js";

/** @typedef {import("../model/trace.js").Trace} TraceTree */
/** @typedef {{ start: number, end: number }} View nanoseconds since the trace's start */

/** One trace as a waterfall. */
export const Trace = component("Trace", [], () => {
    const { id } = route.params;
    setHead("Trace", { name: "Traces", path: "/traces" });
    const trace = resource(
        async (signal) => {
            try {
                return { tree: readTrace(await api.trace(id, { signal })) };
            } catch (error) {
                if (error instanceof RequestError && error.status === 404) return { tree: null };
                throw error;
            }
        },
        () => id,
        { followsSpan: false },
    );
    const collapsed = shallowRef(/** @type {Set<string>} */ (new Set()));
    const view = shallowRef(/** @type {View | null} */ (null));
    const search = shallowRef("");
    const showsPath = shallowRef(false);
    const selected = computed(() => trace.data.value?.tree?.spans.find((span) => span.id === route.query.span) ?? null);
    const matches = computed(() => {
        const wanted = search.value.trim().toLowerCase();
        if (!wanted) return null;
        return new Set(
            (trace.data.value?.tree?.spans ?? [])
                .filter(
                    (span) =>
                        `${span.service} ${span.name}`.toLowerCase().includes(wanted) ||
                        span.attributes.some(({ key, value }) => `${key}=${value}`.toLowerCase().includes(wanted)),
                )
                .map((span) => span.id),
        );
    });

    watch(
        () => trace.data.value?.tree,
        (tree) => {
            const root = tree?.roots[0];
            if (root) setHead(`${root.service}: ${root.name}`, { name: "Traces", path: "/traces" });
        },
    );

    /** @param {string | null} spanID */
    const select = (spanID) => setQuery({ span: spanID }, true);
    /** @param {string} spanID */
    function toggle(spanID) {
        const next = new Set(collapsed.value);
        if (!next.delete(spanID)) next.add(spanID);
        collapsed.value = next;
    }

    /** @param {TraceTree} tree */
    function summary(tree) {
        const whole = [...tree.selfByService.values()].reduce((sum, value) => sum + value, 0) || 1;
        const time = Number(tree.start / 1000n) / 1000;
        const from = Math.floor(time - 60e3);
        const to = Math.ceil(time + tree.duration / 1e6 + 60e3);
        const fact = (/** @type {string} */ title, /** @type {import("vue").Child} */ value) =>
            h("div", { class: "figure" }, [h("span", { class: "muted" }, title), h("b", { class: "number" }, value)]);
        return h("section", { class: "panel trace-head", "aria-label": "Summary" }, [
            h("div", { class: "row wrap", style: { gap: "22px" } }, [
                fact("Duration", duration(tree.duration / 1e9)),
                fact("Started", dateTime(time, true)),
                fact("Spans", String(tree.spans.length)),
                fact("Depth", String(tree.depthMax + 1)),
                tree.errorCount > 0 ? fact("Errors", h("span", { class: "bad" }, String(tree.errorCount))) : null,
                h("div", { class: "grow" }),
                h("label", { class: "field", style: { width: "200px" } }, [
                    icon("search"),
                    h("input", {
                        type: "search",
                        placeholder: "Find in this trace",
                        "data-search": "",
                        "aria-label": "Find in this trace",
                        value: search.value,
                        onInput: (/** @type {any} */ event) => {
                            search.value = event.target.value;
                        },
                    }),
                    matches.value ? h("span", { class: "name" }, String(matches.value.size)) : null,
                ]),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button",
                        "aria-pressed": String(showsPath.value),
                        title: "The spans that the end of the trace waited for",
                        onClick: () => {
                            showsPath.value = !showsPath.value;
                        },
                    },
                    [icon("path"), "Critical path"],
                ),
                link(href("/logs", { trace: tree.id, from, to }), { class: "button", "data-testid": "trace-logs" }, [
                    icon("logs"),
                    "Logs of this trace",
                ]),
            ]),
            h(
                "div",
                { class: "share", role: "img", "aria-label": "Own time by service" },
                [...tree.selfByService]
                    .sort((a, b) => b[1] - a[1])
                    .map(([service, value]) =>
                        h("i", {
                            key: service,
                            title: `${service}: ${duration(value / 1e9)}`,
                            style: {
                                flexGrow: String(Math.max(value / whole, 0.002)),
                                background: serviceColour(service),
                            },
                        }),
                    ),
            ),
            h(
                "div",
                { class: "row wrap share-legend" },
                [...tree.selfByService]
                    .sort((a, b) => b[1] - a[1])
                    .map(([service, value]) =>
                        link(href(`/service/${encodeURIComponent(service)}`), { key: service, class: "row" }, [
                            h("span", { class: "swatch", style: { background: serviceColour(service) } }),
                            service,
                            h(
                                "span",
                                { class: "faint number" },
                                `${duration(value / 1e9)} · ${percent(value / whole)}`,
                            ),
                        ]),
                    ),
            ),
        ]);
    }

    /** @param {TraceTree} tree */
    function content(tree) {
        const window = view.value ?? { start: 0, end: tree.duration };
        return [
            summary(tree),
            h("div", { class: ["trace-body", { "has-details": selected.value }] }, [
                h("section", { class: "panel flush waterfall-panel", "aria-label": "Waterfall" }, [
                    h("header", null, [
                        h("h2", null, "Waterfall"),
                        h(
                            "span",
                            { class: "hint" },
                            view.value
                                ? `${duration((window.end - window.start) / 1e9)} of ${duration(tree.duration / 1e9)}`
                                : plural(tree.services.length, "service"),
                        ),
                        h("div", { class: "row", style: { marginLeft: "auto", gap: "4px" } }, [
                            view.value
                                ? h(
                                      "button",
                                      {
                                          type: "button",
                                          class: "button small",
                                          onClick: () => {
                                              view.value = null;
                                          },
                                      },
                                      "Whole trace",
                                  )
                                : null,
                            h(
                                "button",
                                {
                                    type: "button",
                                    class: "button small quiet",
                                    onClick: () => {
                                        collapsed.value = new Set();
                                    },
                                },
                                "Unfold all",
                            ),
                            h(
                                "button",
                                {
                                    type: "button",
                                    class: "button small quiet",
                                    onClick: () => {
                                        collapsed.value = new Set(
                                            tree.spans
                                                .filter((span) => span.children.length > 0 && span.depth > 0)
                                                .map((span) => span.id),
                                        );
                                    },
                                },
                                "Fold all",
                            ),
                        ]),
                    ]),
                    h(Minimap, {
                        tree,
                        view: view.value,
                        onView: (/** @type {View | null} */ next) => {
                            view.value = next;
                        },
                    }),
                    h(Waterfall, {
                        tree,
                        collapsed: collapsed.value,
                        view: window,
                        selectedID: selected.value?.id ?? null,
                        matches: matches.value,
                        showsPath: showsPath.value,
                        onSelect: select,
                        onToggle: toggle,
                    }),
                ]),
                selected.value
                    ? h(SpanDetails, {
                          key: selected.value.id,
                          span: selected.value,
                          tree,
                          onClose: () => select(null),
                          onSelect: select,
                      })
                    : null,
            ]),
        ];
    }

    return () =>
        show(trace, {
            loading: () => [loading({ height: 84 }), loading({ height: 420 })],
            empty: ({ tree }) =>
                tree
                    ? null
                    : empty({
                          title: "There is no trace with this id",
                          icon: "traces",
                          text: [
                              "Nothing of ",
                              h("code", null, id),
                              " is stored: it was not sampled, is older than the retention of spans, or has not arrived yet.",
                          ],
                          action: link(href("/traces"), { class: "button" }, "Search traces"),
                      }),
            content: ({ tree }) => (tree ? content(tree) : null),
        });
});
