import { h, nextTick, onErrorCaptured, shallowRef, watch } from "vue";
import { closeSession, rules, session } from "../api.js";
import { component } from "../component.js";
import { head } from "../head.js";
import { busyCount, needsToken } from "../http.js";
import { icon, logo } from "../icons.js";
import { link } from "../link.js";
import { Alerts } from "../pages/alerts.js";
import { Explore } from "../pages/explore.js";
import { Logs } from "../pages/logs.js";
import { Profiles } from "../pages/profiles.js";
import { Service } from "../pages/service.js";
import { Services } from "../pages/services.js";
import { Status } from "../pages/status.js";
import { Targets } from "../pages/targets.js";
import { Trace } from "../pages/trace.js";
import { Traces } from "../pages/traces.js";
import { resource } from "../resource.js";
import { href, route } from "../router.js";
import { helpIsOpen } from "../shortcuts.js";
import { isDark, toggleTheme } from "../theme.js";
import { HelpDialog } from "./help-dialog.js";
import { empty, failure } from "./states.js";
import { TimePicker } from "./time-picker.js";
import { TokenDialog } from "./token-dialog.js";

const pages = /** @type {Record<string, object>} */ ({
    services: Services,
    service: Service,
    logs: Logs,
    traces: Traces,
    trace: Trace,
    profiles: Profiles,
    alerts: Alerts,
    explore: Explore,
    status: Status,
    targets: Targets,
});

const items = [
    ["services", "/services", "Services", ["services", "service"]],
    ["logs", "/logs", "Logs", ["logs"]],
    ["traces", "/traces", "Traces", ["traces", "trace"]],
    ["profiles", "/profiles", "Profiles", ["profiles"]],
    ["alerts", "/alerts", "Alerts", ["alerts"]],
    ["explore", "/explore", "Explore", ["explore"]],
    ["status", "/status", "Status", ["status", "targets"]],
];

/** The frame of every page: navigation at the left, title and time at the top. */
export const Shell = component("Shell", [], () => {
    const problem = /** @type {import("vue").Ref<Error | null>} */ (shallowRef(null));
    const main = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
    const firing = resource(
        async (signal) =>
            (await rules({ signal })).flatMap((group) => group.rules).filter((rule) => rule.state === "firing").length,
    );
    const access = resource(
        (signal) => session({ signal }),
        () => needsToken.value,
        { followsSpan: false },
    );

    onErrorCaptured((error) => {
        problem.value = error instanceof Error ? error : new Error(String(error));
        return false;
    });
    watch(
        () => route.path,
        async (path, before) => {
            problem.value = null;
            await nextTick();
            // A reader of the page by ear or keyboard starts at its beginning.
            if (path !== before) main.value?.focus({ preventScroll: true });
        },
    );

    const navigation = () =>
        h("nav", { class: "sidebar", "aria-label": "Apus" }, [
            link(href("/services"), { class: "brand", "aria-label": "Apus: services" }, [
                logo(),
                h("span", null, "Apus"),
            ]),
            items.map(([name, path, title, on]) => [
                name === "alerts" || name === "status" ? h("div", { class: "nav-rule", key: `${name}-rule` }) : null,
                link(
                    href(/** @type {string} */ (path)),
                    {
                        key: name,
                        class: "nav-item",
                        "aria-current": on.includes(route.page) ? "page" : undefined,
                        title,
                    },
                    [
                        icon(/** @type {string} */ (name)),
                        h("span", { class: "label" }, title),
                        name === "alerts" && firing.data.value
                            ? h(
                                  "span",
                                  { class: "badge bad", "aria-label": `${firing.data.value} firing` },
                                  String(firing.data.value),
                              )
                            : null,
                    ],
                ),
            ]),
            h("div", { class: "sidebar-foot" }, [
                h(
                    "button",
                    {
                        type: "button",
                        class: "button quiet icon",
                        onClick: toggleTheme,
                        title: isDark.value ? "Light (D)" : "Dark (D)",
                        "aria-label": isDark.value ? "Light colours" : "Dark colours",
                    },
                    [icon(isDark.value ? "sun" : "moon")],
                ),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button quiet icon",
                        onClick: () => {
                            helpIsOpen.value = true;
                        },
                        title: "Keyboard (?)",
                        "aria-label": "Keyboard shortcuts",
                    },
                    [icon("help")],
                ),
                access.data.value?.required && access.data.value.authenticated
                    ? h(
                          "button",
                          {
                              type: "button",
                              class: "button quiet icon",
                              onClick: () => void closeSession(),
                              title: "Sign out",
                              "aria-label": "Sign out",
                          },
                          [icon("exit")],
                      )
                    : null,
            ]),
        ]);

    return () => [
        h(
            "a",
            {
                class: "skip",
                href: "#content",
                onClick: (/** @type {Event} */ event) => {
                    event.preventDefault();
                    main.value?.focus();
                },
            },
            "Skip to the content",
        ),
        h("div", { class: "shell" }, [
            navigation(),
            h("div", { class: "main" }, [
                h("div", { class: "topbar", role: "banner" }, [
                    h("div", { class: "row grow" }, [
                        head.value.parent
                            ? [
                                  link(href(head.value.parent.path), { class: "crumb" }, head.value.parent.name),
                                  h("span", { class: "faint" }, "/"),
                              ]
                            : null,
                        h("h1", { class: "clip" }, head.value.title),
                    ]),
                    h(TimePicker),
                    busyCount.value > 0
                        ? h("div", { class: "progress", role: "progressbar", "aria-label": "Loading" })
                        : null,
                ]),
                h(
                    "main",
                    {
                        id: "content",
                        class: "page",
                        tabindex: -1,
                        ref: (/** @type {HTMLElement | null} */ element) => {
                            main.value = element;
                        },
                    },
                    [
                        problem.value
                            ? failure(problem.value, () => {
                                  problem.value = null;
                              })
                            : pages[route.page]
                              ? h(pages[route.page], { key: route.path })
                              : empty({
                                    title: "There is no such page",
                                    text: `Nothing of Apus lies at ${route.path}.`,
                                    action: link(href("/services"), { class: "button primary" }, "To the services"),
                                }),
                    ],
                ),
            ]),
        ]),
        needsToken.value ? h(TokenDialog) : null,
        helpIsOpen.value ? h(HelpDialog) : null,
    ];
});
