import { h, shallowRef } from "vue";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { clock, dateTime } from "../format.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { withField } from "../model/log-query.js";
import { readEntry, withMatcher } from "../model/logs.js";
import { href, tracePath } from "../router.js";

/**
 * One line; a click shows its fields.
 *
 * @typedef {object} LogRowProps
 * @property {import("../api.js").LogEntry} entry
 * @property {string} query
 * @property {(query: string) => void} onQuery
 */
export const LogRow = component(
    "LogRow",
    /** @type {(keyof LogRowProps)[]} */ (["entry", "query", "onQuery"]),
    (/** @type {LogRowProps} */ props) => {
        const isOpen = shallowRef(false);
        const facts = readEntry(props.entry);
        const service =
            props.entry.labels.service ??
            props.entry.labels.service_name ??
            facts.fields.service ??
            props.entry.labels.job ??
            "";

        /**
         * @param {[string, string][]} pairs
         * @param {(name: string, value: string, without: boolean) => string} query
         */
        const table = (pairs, query) =>
            h(
                "div",
                { class: "field-table" },
                pairs.map(([name, value]) => [
                    h("span", { class: "field-tools", key: name }, [
                        h(
                            "button",
                            {
                                type: "button",
                                class: "button quiet small icon",
                                title: `Only lines with this ${name}`,
                                "aria-label": `Only lines with this ${name}`,
                                onClick: () => props.onQuery(query(name, value, false)),
                            },
                            [icon("plus", { width: 11, height: 11 })],
                        ),
                        h(
                            "button",
                            {
                                type: "button",
                                class: "button quiet small icon",
                                title: `Only lines without this ${name}`,
                                "aria-label": `Only lines without this ${name}`,
                                onClick: () => props.onQuery(query(name, value, true)),
                            },
                            [icon("minus", { width: 11, height: 11 })],
                        ),
                    ]),
                    h("span", { class: "mono muted field-name" }, name),
                    h(
                        "span",
                        { class: "mono field-value" },
                        /^trace_?id$/i.test(name) && facts.traceID
                            ? link(href(tracePath(facts.traceID)), { class: "text" }, value)
                            : value,
                    ),
                ]),
            );

        function details() {
            const { entry } = props;
            const byName = (/** @type {[string, string]} */ a, /** @type {[string, string]} */ b) =>
                a[0] < b[0] ? -1 : 1;
            return h("div", { class: "log-details" }, [
                h("div", { class: "row wrap" }, [
                    facts.traceID
                        ? link(
                              href(tracePath(facts.traceID), { span: facts.spanID }),
                              { class: "button small primary", "data-testid": "to-trace" },
                              [icon("traces"), "Trace"],
                          )
                        : null,
                    link(
                        href("/logs", {
                            q: `{${Object.entries(entry.labels)
                                .filter(([name]) => /^(service|service_name|job|filename)$/.test(name))
                                .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
                                .join(", ")}}`,
                            from: Math.round(entry.time - 15e3),
                            to: Math.round(entry.time + 15e3),
                        }),
                        { class: "button small" },
                        [icon("clock"), "Lines around it"],
                    ),
                    service
                        ? link(href(`/service/${encodeURIComponent(service)}`), { class: "button small" }, [
                              icon("services"),
                              service,
                          ])
                        : null,
                    h("span", { class: "faint number" }, dateTime(entry.time, true)),
                ]),
                Object.keys(facts.fields).length > 0
                    ? [
                          h("h3", null, "Fields"),
                          table(Object.entries(facts.fields).sort(byName), (name, value, without) =>
                              withField(props.query, name, value, without),
                          ),
                      ]
                    : null,
                h("h3", null, "Stream"),
                table(Object.entries(entry.labels).sort(byName), (name, value, without) =>
                    withMatcher(props.query, name, value, without ? "!=" : "="),
                ),
                h("h3", null, "Line"),
                h("pre", { class: "log-raw", tabindex: 0 }, entry.line),
            ]);
        }

        return () =>
            h("div", { class: ["log-row", `level-${facts.level}`, { open: isOpen.value }], role: "listitem" }, [
                h("div", { class: "log-line" }, [
                    h(
                        "button",
                        {
                            type: "button",
                            class: "log-face",
                            "aria-expanded": String(isOpen.value),
                            onClick: () => {
                                // Marking text is no wish to open the line.
                                if (String(window.getSelection()) === "") isOpen.value = !isOpen.value;
                            },
                        },
                        [
                            h("span", { class: "log-time number" }, clock(props.entry.time, true)),
                            h("span", { class: "log-level" }, facts.level === "unknown" ? "" : facts.level),
                            service
                                ? h(
                                      "span",
                                      { class: "log-service clip", style: { color: serviceColour(service) } },
                                      service,
                                  )
                                : null,
                            h("span", { class: "log-message" }, [
                                facts.message,
                                facts.highlights
                                    .slice(0, 8)
                                    .map(([name, value]) => [
                                        " ",
                                        h("span", { class: "log-pair" }, [h("span", null, `${name}=`), value]),
                                    ]),
                            ]),
                        ],
                    ),
                    facts.traceID
                        ? link(
                              href(tracePath(facts.traceID), { span: facts.spanID }),
                              {
                                  class: "log-trace",
                                  title: `Trace ${facts.traceID}`,
                                  "aria-label": "Open the trace of this line",
                              },
                              [
                                  icon("traces", { width: 13, height: 13 }),
                                  h("span", { class: "mono" }, facts.traceID.slice(0, 7)),
                              ],
                          )
                        : null,
                ]),
                isOpen.value ? details() : null,
            ]);
    },
);
