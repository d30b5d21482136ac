import { configProblems } from "@openclaw/app-kit";
import { findFormerConfig, loadConfig } from "@openclaw/config";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw config validate`: every problem of the file, exit 1 where there is one. */
export async function run(context: CommandContext): Promise<number> {
  const path = context.paths.configPath;
  const loaded = await loadConfig({ path, env: context.env });
  if (!loaded.ok) {
    const former = await findFormerConfig(path);
    throw new CliError("cli_error", `the config is invalid: ${path}`, {
      hints: [
        ...configProblems(loaded.issues),
        ...(former === undefined ? [] : [`The last good one is ${former.path}`]),
      ],
      fields: { kind: "config", issues: loaded.issues },
      siblings: { valid: false, path },
    });
  }
  const { exists, warnings } = loaded;
  context.answer({ valid: true, path, exists, warnings }, () =>
    [
      exists ? `The config is valid: ${path}` : `There is no config file, which is valid: ${path}`,
      ...warnings.map((warning) => `Warning: ${warning}`),
    ].join("\n"),
  );
  return 0;
}
