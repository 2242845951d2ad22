import { h } from "vue";
import { component } from "../component.js";
import { actions, helpIsOpen, places } from "../shortcuts.js";
import { Dialog } from "./dialog.js";

export const HelpDialog = component(
    "HelpDialog",
    [],
    () => () =>
        h(Dialog, {
            title: "Keyboard",
            width: "540px",
            onClose: () => {
                helpIsOpen.value = false;
            },
            content: () => [
                h("div", { class: "help-grid" }, [
                    h("div", { class: "stack" }, [
                        h("h3", { class: "muted" }, "Anywhere"),
                        actions.map(([letter, name]) =>
                            h("div", { class: "row" }, [h("span", { class: "keys" }, [h("kbd", null, letter)]), name]),
                        ),
                    ]),
                    h("div", { class: "stack" }, [
                        h("h3", { class: "muted" }, "Go to"),
                        places.map(([letter, , name]) =>
                            h("div", { class: "row" }, [
                                h("span", { class: "keys" }, [h("kbd", null, "g"), " ", h("kbd", null, letter)]),
                                name,
                            ]),
                        ),
                    ]),
                ]),
                h("div", { class: "stack" }, [
                    h("h3", { class: "muted" }, "In a query, a trace, a flame graph"),
                    h("div", { class: "row" }, [
                        h("span", { class: "keys" }, [h("kbd", null, "Ctrl"), " ", h("kbd", null, "⏎")]),
                        "Run the query",
                    ]),
                    h("div", { class: "row" }, [
                        h("span", { class: "keys" }, [h("kbd", null, "↑"), " ", h("kbd", null, "↓")]),
                        "The next span; ← and → fold and unfold it",
                    ]),
                    h("div", { class: "row" }, [
                        h("span", { class: "keys" }, [h("kbd", null, "Esc")]),
                        "Close; in a flame graph, the whole again",
                    ]),
                ]),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button",
                        onClick: () => {
                            helpIsOpen.value = false;
                        },
                    },
                    "Close",
                ),
            ],
        }),
);
