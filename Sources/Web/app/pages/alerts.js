import { computed, h, shallowRef } from "vue";
import * as api from "../api.js";
import { component } from "../component.js";
import { empty, loading, show } from "../components/states.js";
import { ago, dateTime, duration, number, plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { highlighted } from "../lang/highlight.js";
import { link } from "../link.js";
import { resource } from "../resource.js";
import { href, servicePath } from "../router.js";

/** @typedef {import("../api.js").Rule} Rule */
/** @typedef {import("../api.js").Alert} Alert */

const example = `# rules.yml, named in prometheus.yml under rule_files
groups:
  - name: example
    rules:
      - alert: TargetDown
        expr: up == 0
        for: 1m
        annotations: {summary: "{{ $labels.job }} does not answer"}`;

const order = /** @type {Record<string, number>} */ ({ firing: 0, pending: 1, inactive: 2 });

/** What fires now, and every rule. */
export const Alerts = component("Alerts", [], () => {
    setHead("Alerts");
    const groups = resource((signal) => api.rules({ signal }));
    const filter = shallowRef("");
    const firing = computed(() =>
        (groups.data.value ?? [])
            .flatMap((group) => group.rules.flatMap((rule) => (rule.alerts ?? []).map((alert) => ({ rule, alert }))))
            .sort(
                (a, b) =>
                    order[a.alert.state] - order[b.alert.state] ||
                    severity(a.alert) - severity(b.alert) ||
                    (a.alert.activeAt < b.alert.activeAt ? 1 : -1),
            ),
    );

    /** @param {Alert} alert */
    function severity(alert) {
        const index = ["critical", "page", "error", "warning", "info"].indexOf(alert.labels.severity ?? "");
        return index < 0 ? 9 : index;
    }
    const tone = (/** @type {string} */ state) => (state === "firing" ? "bad" : state === "pending" ? "warn" : "ok");
    const explore = (/** @type {string} */ query) => href("/explore", { lang: "promql", q: query });

    /** @param {string} text an annotation; addresses in it become links */
    const prose = (text) =>
        text
            .split(/(https?:\/\/[^\s<>"]+)/)
            .map((part, index) =>
                index % 2 === 1
                    ? h("a", { class: "text", href: part, rel: "noreferrer", target: "_blank" }, part)
                    : part,
            );

    /** @param {{ rule: Rule, alert: Alert }} one */
    function card({ rule, alert }) {
        const { alertname: name, ...labels } = alert.labels;
        const { summary, description, ...others } = alert.annotations;
        const service = labels.service ?? labels.service_name ?? labels.job;
        return h(
            "article",
            { key: JSON.stringify(alert.labels), class: ["alert-card", alert.state], "data-testid": "alert" },
            [
                h("div", { class: "row" }, [
                    h("span", { class: ["badge", tone(alert.state)] }, alert.state),
                    h("h2", { class: "clip" }, name ?? rule.name),
                    labels.severity ? h("span", { class: "badge" }, labels.severity) : null,
                    h("span", { class: "grow" }),
                    h(
                        "span",
                        { class: "muted nowrap", title: dateTime(Date.parse(alert.activeAt)) },
                        `for ${duration(Math.max(0, Math.round((Date.now() - Date.parse(alert.activeAt)) / 1000)))}`,
                    ),
                ]),
                summary ? h("p", { class: "alert-summary" }, prose(summary)) : null,
                description ? h("p", { class: "muted" }, prose(description)) : null,
                Object.entries(others).map(([key, value]) =>
                    h("details", { key }, [
                        h("summary", { class: "muted" }, key),
                        h("p", { class: "annotation" }, prose(value)),
                    ]),
                ),
                h("div", { class: "row wrap" }, [
                    h("span", { class: "alert-value" }, [
                        h("span", { class: "faint" }, "value "),
                        h("b", { class: "number" }, number(Number(alert.value))),
                    ]),
                    Object.entries(labels)
                        .filter(([key]) => key !== "severity")
                        .map(([key, value]) => h("span", { key, class: "chip" }, [`${key}=`, h("b", null, value)])),
                    h("span", { class: "grow" }),
                    service
                        ? link(href(servicePath(service)), { class: "button small" }, [icon("services"), service])
                        : null,
                    link(
                        explore(rule.query),
                        { class: "button small", "aria-label": `Expression of ${rule.name} in Explore` },
                        [icon("explore"), "Expression"],
                    ),
                ]),
            ],
        );
    }

    /** @param {Rule} rule */
    function row(rule) {
        const isAlert = rule.type === "alerting";
        return h("tr", { key: rule.name + rule.query }, [
            h("td", { class: "nowrap" }, [
                isAlert
                    ? h("span", { class: ["badge", tone(rule.state ?? "")] }, rule.state)
                    : h("span", { class: "badge" }, "records"),
            ]),
            h("td", null, [
                h("div", { class: "row" }, [
                    h("b", { class: "rule-name clip" }, rule.name),
                    rule.duration ? h("span", { class: "faint nowrap" }, `for ${duration(rule.duration)}`) : null,
                ]),
                link(
                    explore(rule.query),
                    { class: "rule-query mono", title: "Open in Explore" },
                    highlighted(rule.query.replace(/\s+/g, " ").trim(), "promql"),
                ),
                rule.health === "err"
                    ? h("div", { class: "bad rule-error" }, [
                          icon("warning", { width: 12, height: 12 }),
                          " ",
                          rule.lastError,
                      ])
                    : null,
            ]),
            h(
                "td",
                { class: "number muted" },
                isAlert && rule.alerts?.length ? plural(rule.alerts.length, "alert") : "",
            ),
            h(
                "td",
                { class: "number muted" },
                rule.lastEvaluation && !rule.lastEvaluation.startsWith("0001")
                    ? ago(Date.parse(rule.lastEvaluation))
                    : "–",
            ),
            h("td", { class: "number muted" }, rule.evaluationTime === undefined ? "–" : duration(rule.evaluationTime)),
        ]);
    }

    /** @param {import("../api.js").RuleGroup[]} list */
    function rules(list) {
        const wanted = filter.value.toLowerCase();
        return list.map((group) => {
            const shown = group.rules.filter((rule) =>
                `${rule.name} ${rule.query} ${group.name}`.toLowerCase().includes(wanted),
            );
            return shown.length === 0
                ? null
                : h(
                      "section",
                      { key: group.file + group.name, class: "panel flush", "aria-label": `Group ${group.name}` },
                      [
                          h("header", null, [
                              h("h2", null, group.name),
                              h("span", { class: "hint clip" }, `${group.file} · every ${duration(group.interval)}`),
                          ]),
                          h("div", { class: "table-scroll" }, [
                              h("table", { class: "table rules-table" }, [
                                  h("thead", null, [
                                      h(
                                          "tr",
                                          null,
                                          ["State", "Rule", "Alerts", "Evaluated", "Took"].map((title, index) =>
                                              h("th", { class: index > 1 ? "number" : "" }, title),
                                          ),
                                      ),
                                  ]),
                                  h("tbody", null, shown.map(row)),
                              ]),
                          ]),
                      ],
                  );
        });
    }

    return () =>
        show(groups, {
            loading: () => [loading({ height: 140 }), loading({ height: 300 })],
            empty: (list) =>
                list.length > 0
                    ? null
                    : empty({
                          title: "There are no rules",
                          text: "Apus takes Prometheus' rule files as they are:",
                          snippet: example,
                          icon: "alerts",
                      }),
            content: (list) => {
                const firingCount = firing.value.filter(({ alert }) => alert.state === "firing").length;
                return [
                    firing.value.length > 0
                        ? [
                              h("div", { class: "section-head" }, [
                                  h("h2", null, `${plural(firingCount, "alert")} firing`),
                                  firing.value.length > firingCount
                                      ? h("span", { class: "muted" }, `${firing.value.length - firingCount} pending`)
                                      : null,
                              ]),
                              h("div", { class: "alert-cards" }, firing.value.map(card)),
                          ]
                        : h("div", { class: "panel all-clear", role: "status" }, [
                              icon("check"),
                              h("div", null, [
                                  h("strong", null, "Nothing fires"),
                                  h(
                                      "div",
                                      { class: "muted" },
                                      `${plural(
                                          list.reduce(
                                              (sum, group) =>
                                                  sum + group.rules.filter((rule) => rule.type === "alerting").length,
                                              0,
                                          ),
                                          "alerting rule",
                                      )} watched`,
                                  ),
                              ]),
                          ]),
                    h("div", { class: "section-head" }, [
                        h("h2", null, "Rules"),
                        h("span", { class: "grow" }),
                        h("label", { class: "field", style: { width: "220px" } }, [
                            icon("search"),
                            h("input", {
                                type: "search",
                                placeholder: "Filter rules",
                                "aria-label": "Filter rules",
                                "data-search": "",
                                value: filter.value,
                                onInput: (/** @type {any} */ event) => {
                                    filter.value = event.target.value;
                                },
                            }),
                        ]),
                    ]),
                    rules(list),
                ];
            },
        });
});
