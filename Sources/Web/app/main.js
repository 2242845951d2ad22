import { createApp } from "vue";
import { Shell } from "./components/shell.js";
import { listen } from "./shortcuts.js";

listen();
createApp(Shell).mount("#app");
