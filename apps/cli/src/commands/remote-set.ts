import { editConfigFile } from "@openclaw/config";
import { usageError } from "../errors.ts";
import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { planRemote, type RemotePlan } from "../remote/plan-remote.ts";
import { modeOf, remoteView } from "../remote/remote-view.ts";
import { readSecret } from "../remote/secret-file.ts";

/** `openclaw remote set <target>`: from now on commands go there. */
export async function run(context: CommandContext): Promise<number> {
  const [target = ""] = context.args;
  refuseSecrets(context);
  if (context.text("token-file") === "-" && context.text("password-file") === "-") {
    throw usageError("--token-file and --password-file cannot both read stdin.");
  }
  const [token, password] = [
    await readSecret(context, "token-file"),
    await readSecret(context, "password-file"),
  ];
  let plan: RemotePlan | undefined;
  const edited = await editConfigFile(
    context.paths.configPath,
    (config) => {
      plan = planRemote(
        {
          target,
          identity: context.text("identity") ?? context.text("ssh-identity"),
          remotePort: context.integer("remote-port"),
          direct: context.text("direct"),
          token,
          password,
          tlsFingerprint: context.list("tls-fingerprint"),
        },
        config,
      );
      return plan.edits;
    },
    { env: context.env },
  );
  const { dropped = [] } = plan ?? {};
  const view = remoteView(edited.after);
  const document = {
    ok: true,
    changed: edited.changed,
    configPath: edited.path,
    backupPath: edited.backupPath ?? null,
    mode: modeOf(edited.after),
    remote: view,
    dropped,
  };
  context.answer(document, () => {
    const fields = Object.entries(view ?? {}).map(([key, value]): [string, string] => [
      key,
      String(value),
    ]);
    const kept =
      edited.backupPath === undefined ? "" : ` The former config is in ${edited.backupPath}.`;
    return [
      edited.changed
        ? `Commands now go to this Gateway (${edited.path}):`
        : `Nothing to change: commands go to this Gateway already (${edited.path}):`,
      renderFields(fields, context.style).trimEnd(),
      ...(dropped.length === 0
        ? []
        : [`Of the Gateway before, and therefore removed: ${dropped.join(", ")}.`]),
      ...(view?.["token"] === undefined && view?.["password"] === undefined
        ? [
            "Its secret is taken from OPENCLAW_GATEWAY_TOKEN or OPENCLAW_GATEWAY_PASSWORD, or kept with --token-file.",
          ]
        : []),
      `Test it: ${context.commandLine("remote test")}`,
      `Undo: ${context.commandLine("remote unset")}.${kept}`,
    ].join("\n");
  });
  return 0;
}

/** What stands on a command line is kept by the shell and seen by others. */
function refuseSecrets(context: CommandContext): void {
  for (const name of ["token", "password"] as const) {
    if (context.text(name) === undefined) continue;
    throw usageError(
      `--${name} would leave the secret in the history of your shell.`,
      `Give it as a file, or with - from stdin: --${name}-file <path>`,
    );
  }
}
