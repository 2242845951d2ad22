// What the browser remembers of a user's choices. A browser without storage forgets them; nothing else changes.

/** @param {string} name @returns {string | null} */
export function recall(name) {
    try {
        return window.localStorage.getItem(`apus.${name}`);
    } catch {
        return null;
    }
}

/** @param {string} name @param {string | null} value */
export function remember(name, value) {
    try {
        if (value === null) window.localStorage.removeItem(`apus.${name}`);
        else window.localStorage.setItem(`apus.${name}`, value);
    } catch {
        // Full or forbidden.
    }
}
