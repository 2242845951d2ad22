import { h } from "vue";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { duration, percent } from "../format.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { href, tracePath } from "../router.js";

/** @typedef {import("../model/trace.js").Attribute} Attribute */

/** @param {Attribute[]} list */
const table = (list) =>
    h(
        "dl",
        { class: "attributes" },
        list.map(({ key, value }) => [h("dt", { key, class: "mono" }, key), h("dd", { class: "mono" }, value)]),
    );

/**
 * Everything that a span says, and the ways to its logs and profile.
 *
 * @typedef {object} SpanDetailsProps
 * @property {import("../model/trace.js").SpanNode} span
 * @property {import("../model/trace.js").Trace} tree
 * @property {() => void} onClose
 * @property {(id: string) => void} onSelect
 */
export const SpanDetails = component(
    "SpanDetails",
    /** @type {(keyof SpanDetailsProps)[]} */ (["span", "tree", "onClose", "onSelect"]),
    (/** @type {SpanDetailsProps} */ props) => () => {
        const { span, tree } = props;
        const start = Number(span.start / 1000n) / 1000;
        const end = start + span.duration / 1e6;
        const figure = (/** @type {string} */ title, /** @type {string} */ value) =>
            h("div", { class: "figure" }, [h("span", { class: "muted" }, title), h("b", { class: "number" }, value)]);
        return h("aside", { class: "panel span-details", "aria-label": "Span", "data-testid": "span-details" }, [
            h("header", null, [
                h("span", { class: "service-mark", style: { background: serviceColour(span.service) } }),
                h("div", { class: "grow" }, [
                    h("h2", { class: "span-title" }, span.name),
                    link(href(`/service/${encodeURIComponent(span.service)}`), { class: "muted" }, span.service),
                ]),
                h(
                    "button",
                    { type: "button", class: "button quiet small icon", "aria-label": "Close", onClick: props.onClose },
                    [icon("close")],
                ),
            ]),
            h("div", { class: "panel-body" }, [
                h("div", { class: "row wrap" }, [
                    link(
                        href("/logs", {
                            service: span.service,
                            trace: tree.id,
                            from: Math.floor(start - 5000),
                            to: Math.ceil(end + 5000),
                        }),
                        { class: "button small primary", "data-testid": "span-logs" },
                        [icon("logs"), "Logs of this span"],
                    ),
                    link(
                        href("/profiles", {
                            service: span.service,
                            from: Math.floor(start - 30e3),
                            to: Math.ceil(end + 30e3),
                        }),
                        { class: "button small", "data-testid": "span-profile" },
                        [icon("profiles"), "Profile of this minute"],
                    ),
                ]),
                h("div", { class: "figures" }, [
                    figure("Duration", duration(span.duration / 1e9)),
                    figure(
                        "Own time",
                        `${duration(span.self / 1e9)} · ${percent(span.duration > 0 ? span.self / span.duration : 1)}`,
                    ),
                    figure("Began at", `+${duration(span.offset / 1e9)}`),
                    span.kind ? figure("Kind", span.kind) : null,
                ]),
                span.isCritical
                    ? h("p", { class: "faint row" }, [
                          icon("path", { width: 13, height: 13 }),
                          "on the critical path: the trace would end earlier if its own time were less",
                      ])
                    : null,
                span.isError
                    ? h("div", { class: "error-box", role: "note" }, [
                          icon("warning"),
                          span.statusMessage || "This span ended in an error.",
                      ])
                    : null,
                span.attributes.length > 0 ? [h("h3", null, "Attributes"), table(span.attributes)] : null,
                span.events.length > 0
                    ? [
                          h("h3", null, `Events (${span.events.length})`),
                          span.events.map((event, index) =>
                              h("details", { key: index, class: "event", open: span.events.length < 3 }, [
                                  h("summary", null, [
                                      h("b", null, event.name),
                                      h(
                                          "span",
                                          { class: "faint number" },
                                          ` +${duration((event.offset - span.offset) / 1e9)}`,
                                      ),
                                  ]),
                                  table(event.attributes),
                              ]),
                          ),
                      ]
                    : null,
                span.links.length > 0
                    ? [
                          h("h3", null, "Links"),
                          span.links.map((one) =>
                              h("div", { key: one.spanID }, [
                                  link(
                                      href(tracePath(one.traceID), { span: one.spanID }),
                                      { class: "text mono" },
                                      one.traceID,
                                  ),
                              ]),
                          ),
                      ]
                    : null,
                h("h3", null, "Resource"),
                table(span.resource),
                h("h3", null, "Ids"),
                table([
                    { key: "trace", value: tree.id },
                    { key: "span", value: span.id },
                    ...(span.parentID ? [{ key: "parent", value: span.parentID }] : []),
                    ...(span.scope ? [{ key: "scope", value: span.scope }] : []),
                ]),
            ]),
        ]);
    },
);
