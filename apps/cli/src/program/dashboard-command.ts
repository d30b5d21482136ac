import type { CommandSpec } from "./command-spec.ts";
import { JSON_OPTION } from "./common-options.ts";

export const dashboardCommand: CommandSpec = {
  name: "dashboard",
  summary: "show where the Gateway's page is, and open it",
  description:
    "Prints the address and opens a browser on a desktop. Over SSH it prints the line that brings the page to your own machine. No token is ever part of the address.",
  examples: [
    { command: "dashboard", says: "in your browser" },
    { command: "dashboard --no-open", says: "only the address" },
  ],
  options: [
    { name: "no-open", kind: "flag", description: "Open no browser" },
    { name: "yes", kind: "flag", description: "Has no effect here", hidden: true },
    JSON_OPTION,
  ],
  load: () => import("../commands/dashboard.ts"),
};
