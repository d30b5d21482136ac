import { isAbsolute, relative } from "node:path";
import { quoteSh, type TourFolder } from "./tour-folder.ts";

export interface NextStepsInput {
  folder: TourFolder;
  port: number;
  /** Name of the node. */
  node: string;
  platform: NodeJS.Platform;
  /** Where the user stands. */
  cwd: string;
}

/** What to try next: commands that work against this Gateway as they stand. */
export function nextSteps({ folder, port, node, platform, cwd }: NextStepsInput): string {
  const isWindows = platform === "win32";
  const file = folder.writeShellFile({ port });
  const inside = relative(cwd, file);
  const path = inside.startsWith("..") || isAbsolute(inside) ? file : inside;
  // A dot command looks for a name without a slash in PATH.
  const source = isWindows ? `. ${path}` : `. ${quoteSh(path.includes("/") ? path : `./${path}`)}`;
  const commands = isWindows
    ? [`openclaw nodes run --node ${node} -- cmd.exe /d /c set`]
    : [`openclaw nodes run --node ${node} --raw 'echo "hello from $(uname -n)"'`];
  return [
    "",
    "Both stay up until you press Ctrl-C. To go on, open another terminal here and paste:",
    "",
    `  ${source}`,
    "",
    "It puts openclaw on the PATH, and the port and the token of this Gateway into the environment. Then:",
    "",
    ...[
      "openclaw nodes status",
      ...commands,
      `openclaw nodes invoke --node ${node} --command system.which --params '{"bins":["git"]}'`,
      "openclaw devices list",
      "openclaw health",
    ].map((line) => `  ${line}`),
    "",
    "README.md says how to install it, embed it, and write a node of your own.",
    "",
  ].join("\n");
}
