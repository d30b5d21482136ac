import { mkdir } from "node:fs/promises";
import { editConfigFile, expandHome } from "@openclaw/config";
import { defaultWorkspace } from "../onboard/defaults.ts";
import type { CommandContext } from "../program/command-context.ts";
import { run as onboard } from "./onboard.ts";

/** `openclaw setup`: a config file and a workspace, and no question; with more to go by, onboarding. */
export async function run(context: CommandContext): Promise<number> {
  const wantsMore = ["mode", "remote-url", "remote-token"].some(
    (name) => context.text(name) !== undefined,
  );
  if (wantsMore || context.flag("wizard") || context.flag("non-interactive")) {
    return onboard(context);
  }
  const { paths, env } = context;
  const workspace = expandHome(context.text("workspace") ?? defaultWorkspace(paths), paths.home);
  const edited = await editConfigFile(
    paths.configPath,
    [
      { path: "gateway.mode", value: "local" },
      { path: "agents.defaults.workspace", value: workspace },
    ],
    { env },
  );
  await mkdir(workspace, { recursive: true, mode: 0o700 });
  const document = { ok: true, configPath: edited.path, changed: edited.changed, workspace };
  context.answer(document, () =>
    [
      `Config: ${edited.path}${edited.changed ? "" : " (nothing to change)"}`,
      `Workspace: ${workspace}`,
      `Next: ${context.commandLine("onboard")}, or ${context.commandLine("gateway run")}`,
    ].join("\n"),
  );
  return 0;
}
