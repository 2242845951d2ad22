import { h, shallowRef } from "vue";
import { openSession } from "../api.js";
import { component } from "../component.js";
import { needsToken } from "../http.js";
import { Dialog } from "./dialog.js";

/** Asks for a token; the server keeps it in a cookie that no script can read. */
export const TokenDialog = component("TokenDialog", [], () => {
    const token = shallowRef("");
    const problem = shallowRef("");
    const busy = shallowRef(false);

    /** @param {Event} event */
    async function submit(event) {
        event.preventDefault();
        busy.value = true;
        try {
            await openSession(token.value.trim());
            token.value = "";
            problem.value = "";
        } catch (error) {
            problem.value = error instanceof Error ? error.message : String(error);
        }
        busy.value = false;
    }

    return () =>
        h(Dialog, {
            title: "Sign in to Apus",
            onClose: () => {
                needsToken.value = false;
            },
            content: () =>
                h("form", { class: "stack", onSubmit: submit }, [
                    h(
                        "p",
                        { class: "muted" },
                        "This server asks for a token. One with the scope query is enough for this app; whoever runs the server has it in apus.yaml or in its environment.",
                    ),
                    h("label", { class: "field", style: { height: "36px" } }, [
                        h("span", { class: "visually-hidden" }, "Token"),
                        h("input", {
                            type: "password",
                            name: "token",
                            placeholder: "Token",
                            autocomplete: "current-password",
                            value: token.value,
                            onInput: (/** @type {any} */ event) => {
                                token.value = event.target.value;
                            },
                        }),
                    ]),
                    problem.value ? h("p", { class: "bad", role: "alert" }, problem.value) : null,
                    h(
                        "button",
                        {
                            type: "submit",
                            class: "button primary",
                            style: { height: "36px" },
                            disabled: busy.value || !token.value.trim(),
                        },
                        busy.value ? "Signing in…" : "Sign in",
                    ),
                ]),
        });
});
