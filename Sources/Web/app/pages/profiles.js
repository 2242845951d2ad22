import { computed, h, shallowRef } from "vue";
import * as api from "../api.js";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { FlameGraph } from "../components/flame-graph.js";
import { empty, loading, show } from "../components/states.js";
import { percent, plural, withUnit } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { describeType, functionCosts, readFlame, shortName, unitOfProfile } from "../model/flame.js";
import { resource } from "../resource.js";
import { route, setQuery } from "../router.js";

/** @typedef {import("../model/flame.js").Flame} Flame */

const start = `# apus.yaml: fetch profiles from Go's net/http/pprof
profiles:
  - {service: myapp, url: 'http://127.0.0.1:8080', interval: 15s, seconds: 10}`;

/** Where the processor's time and the memory go: a flame graph and the functions behind it. */
export const Profiles = component("Profiles", [], () => {
    setHead("Profiles");
    const types = resource((signal, range) => api.profileTypes(range, { signal }));
    const services = computed(() => [...new Set((types.data.value ?? []).map((one) => one.service))].sort());
    const service = computed(() =>
        route.query.service && (services.value.includes(route.query.service) || services.value.length === 0)
            ? route.query.service
            : (services.value[0] ?? ""),
    );
    const own = computed(() =>
        (types.data.value ?? [])
            .filter((one) => one.service === service.value)
            .map((one) => one.type)
            .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)),
    );
    const type = computed(() =>
        route.query.type && own.value.includes(route.query.type) ? route.query.type : (own.value[0] ?? ""),
    );
    const search = shallowRef("");
    const sort = shallowRef(/** @type {"self" | "total"} */ ("self"));

    /** @param {AbortSignal} signal @param {import("../time.js").Span} range */
    async function load(signal, range) {
        const flame = readFlame(await api.flamegraph(service.value, type.value, range, { signal }));
        return { flame, costs: functionCosts(flame) };
    }
    // Nothing is asked before it is known what there is.
    const profile = resource(
        (signal, range) => (type.value ? load(signal, range) : null),
        () => [service.value, type.value],
    );

    /**
     * CPU first: it is what one mostly comes for.
     *
     * @param {string} name
     */
    function rank(name) {
        const order = ["process_cpu:cpu", "memory:inuse_space", "memory:alloc_space", "goroutine"];
        const index = order.findIndex((prefix) => name.startsWith(prefix));
        return index < 0 ? order.length : index;
    }

    const bar = () =>
        h("div", { class: "row wrap", role: "group", "aria-label": "Profile" }, [
            h("label", { class: "field" }, [
                h("span", { class: "dot", style: { background: serviceColour(service.value) } }),
                h("span", { class: "name" }, "service"),
                h(
                    "select",
                    {
                        "aria-label": "Service",
                        value: service.value,
                        onChange: (/** @type {any} */ event) => setQuery({ service: event.target.value, type: null }),
                    },
                    services.value.map((name) =>
                        h("option", { key: name, value: name, selected: name === service.value }, name),
                    ),
                ),
            ]),
            h(
                "div",
                { class: "button-group", role: "group", "aria-label": "Type of profile" },
                own.value.map((name) =>
                    h(
                        "button",
                        {
                            key: name,
                            type: "button",
                            class: "button",
                            "aria-pressed": String(name === type.value),
                            title: name,
                            onClick: () => setQuery({ type: name }),
                        },
                        describeType(name).title,
                    ),
                ),
            ),
            h("div", { class: "grow" }),
            h("label", { class: "field", style: { width: "230px" } }, [
                icon("search"),
                h("input", {
                    type: "search",
                    placeholder: "Highlight functions",
                    "aria-label": "Highlight functions",
                    "data-search": "",
                    value: search.value,
                    onInput: (/** @type {any} */ event) => {
                        search.value = event.target.value;
                    },
                }),
            ]),
        ]);

    /** @param {{ flame: Flame, costs: import("../model/flame.js").FunctionCost[] }} value */
    function content({ flame, costs }) {
        const unit = unitOfProfile(flame.unit || describeType(type.value).unit);
        const wanted = search.value.trim().toLowerCase();
        const hits = wanted ? costs.filter((cost) => cost.name.toLowerCase().includes(wanted)) : costs;
        const shown = [...hits].sort((a, b) => b[sort.value] - a[sort.value]).slice(0, 200);
        const column = (/** @type {"self" | "total"} */ name, /** @type {string} */ title) =>
            h("th", { class: "number", "aria-sort": sort.value === name ? "descending" : undefined }, [
                h(
                    "button",
                    {
                        type: "button",
                        class: "sort",
                        onClick: () => {
                            sort.value = name;
                        },
                    },
                    [title, sort.value === name ? icon("down", { width: 11, height: 11 }) : null],
                ),
            ]);
        return h("div", { class: "profile-body" }, [
            h("section", { class: "panel flush", "aria-label": "Flame graph" }, [
                h("header", null, [
                    h("h2", null, describeType(type.value).title),
                    h(
                        "span",
                        { class: "hint" },
                        `${withUnit(flame.total, unit)} in this range · ${plural(costs.length, "function")}`,
                    ),
                ]),
                h(FlameGraph, { key: type.value, flame, unit, search: search.value }),
            ]),
            h("section", { class: "panel flush top-functions", "aria-label": "Top functions" }, [
                h("header", null, [
                    h("h2", null, "Top functions"),
                    wanted ? h("span", { class: "hint" }, plural(hits.length, "match", "matches")) : null,
                ]),
                h("div", { class: "table-scroll" }, [
                    h("table", { class: "table", "data-testid": "functions" }, [
                        h("thead", null, [
                            h("tr", null, [
                                h("th", null, "Function"),
                                column("self", "Self"),
                                column("total", "Total"),
                            ]),
                        ]),
                        h(
                            "tbody",
                            null,
                            shown.map((cost) =>
                                h(
                                    "tr",
                                    {
                                        key: cost.name,
                                        class: "link",
                                        title: cost.name,
                                        onClick: () => {
                                            search.value = search.value === cost.name ? "" : cost.name;
                                        },
                                    },
                                    [
                                        h("td", { class: "function-name" }, [
                                            h("span", { class: "clip mono" }, shortName(cost.name)),
                                        ]),
                                        h("td", { class: "number cost", title: withUnit(cost.self, unit) }, [
                                            h("i", { style: { width: `${(cost.self / flame.total) * 100}%` } }),
                                            h("span", null, withUnit(cost.self, unit)),
                                            h("small", { class: "faint" }, percent(cost.self / flame.total)),
                                        ]),
                                        h("td", { class: "number cost", title: withUnit(cost.total, unit) }, [
                                            h("i", { style: { width: `${(cost.total / flame.total) * 100}%` } }),
                                            h("span", null, withUnit(cost.total, unit)),
                                            h("small", { class: "faint" }, percent(cost.total / flame.total)),
                                        ]),
                                    ],
                                ),
                            ),
                        ),
                    ]),
                ]),
            ]),
        ]);
    }

    return () =>
        show(types, {
            loading: () => [loading({ height: 30 }), loading({ height: 420 })],
            empty: (list) =>
                list.length > 0
                    ? null
                    : empty({
                          title: "No profiles have arrived in this range",
                          text: "Apus fetches them from any process that serves pprof:",
                          snippet: start,
                          icon: "profiles",
                      }),
            content: () => [
                bar(),
                show(profile, {
                    loading: () => loading({ height: 420 }),
                    empty: ({ flame }) =>
                        flame.total > 0
                            ? null
                            : h("div", { class: "panel" }, [
                                  empty({
                                      title: `No ${describeType(type.value).title.toLowerCase()} of ${service.value} in this range`,
                                      text: "Choose a wider range of time.",
                                      icon: "profiles",
                                  }),
                              ]),
                    content,
                }),
            ],
        });
});
