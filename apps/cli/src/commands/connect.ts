import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, safeText } from "@openclaw/app-kit";
import { editConfigFile, type Paths } from "@openclaw/config";
import { CliError, usageError } from "../errors.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import { commandNames } from "../nodes/command-names.ts";
import type { CommandContext } from "../program/command-context.ts";

/** More than a setup code has. */
const MAX_CODE_CHARS = 16_384;

/** `openclaw connect <code>`: pairs this machine, and makes it a node. */
export async function run(context: CommandContext): Promise<number> {
  if (context.flag("service") && context.flag("ephemeral"))
    throw usageError("--service and --ephemeral exclude each other: a service keeps its pairing.");
  if (context.flag("all-commands") && context.text("commands") !== undefined)
    throw usageError("--commands and --all-commands exclude each other.");
  const code = await readCode(context);
  const { tlsFingerprint } = await checked(code);
  if (context.flag("ephemeral")) return runEphemeral(context, code);

  const paired = new AbortController();
  let failure: unknown;
  const status = await runAsNode(context, code, {
    paths: context.paths,
    // A service is another process: this one has done its work once it is paired.
    ...(context.flag("service") ? { signal: paired.signal } : {}),
    async onPaired({ url, roles }) {
      try {
        if (roles.includes("operator")) await rememberGateway(context, { url, tlsFingerprint });
      } catch (error) {
        failure = error;
        context.say(`The pairing is done, but the config was not changed: ${messageOf(error)}`);
      }
      paired.abort();
    },
  });
  if (status !== 0 || !context.flag("service")) return status;
  if (failure !== undefined) return 1;
  const { run: install } = await import("./node-install.ts");
  return install(context);
}

/** Neither the identity nor anything else outlives the command. */
async function runEphemeral(context: CommandContext, code: string): Promise<number> {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-ephemeral-"));
  try {
    return await runAsNode(context, code, { paths: { ...context.paths, stateDir } });
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function runAsNode(
  context: CommandContext,
  code: string,
  options: {
    paths: Paths;
    signal?: AbortSignal;
    onPaired?: (node: { url: string; roles: readonly string[] }) => Promise<void>;
  },
): Promise<number> {
  const { io, env } = context;
  const { paths, signal, onPaired } = options;
  const { runNode } = await import("../nodes/node-agent.ts");
  return runNode({
    io,
    env,
    paths,
    program: io.programName,
    flags: {
      pair: code,
      displayName: context.text("display-name"),
      commands: commandNames(context),
      verbose: context.flag("verbose"),
    },
    ...(signal === undefined ? {} : { signal }),
    onReady: (node) => void onPaired?.(node),
  });
}

/** The code, from the command line, a file, or stdin. */
async function readCode(context: CommandContext): Promise<string> {
  const [target] = context.args;
  const path = context.text("target-file");
  if (target !== undefined && path !== undefined)
    throw usageError("connect takes a code or --target-file, not both.");
  if (target !== undefined) return target;
  if (path === undefined) {
    throw usageError(
      "connect needs a setup code.",
      `Make one on the Gateway host: ${context.commandLine("qr")}`,
    );
  }
  try {
    const text = path === "-" ? await readStdin(context) : await readFile(path, "utf8");
    return text.trim();
  } catch (error) {
    throw usageError(`--target-file cannot be read: ${messageOf(error)}`);
  }
}

async function readStdin({ io }: CommandContext): Promise<string> {
  let text = "";
  for await (const chunk of io.stdin?.() ?? []) {
    text += String(chunk);
    if (text.length > MAX_CODE_CHARS) break;
  }
  return text;
}

/** @throws {CliError} for a code that cannot be used, before anything is made or sent */
async function checked(code: string): Promise<{ tlsFingerprint: string | undefined }> {
  const { readSetupCode } = await import("../nodes/node-agent.ts");
  try {
    const { tlsFingerprint } = readSetupCode(code);
    return { tlsFingerprint };
  } catch (error) {
    const hint = error instanceof Error && "hint" in error ? [String(error.hint)] : [];
    throw new CliError("cli_error", messageOf(error), {
      hints: hint,
      fields: { kind: "setup_code" },
      cause: error,
    });
  }
}

/**
 * Sends commands of this machine to the Gateway that it has been paired with as an operator, unless
 * they go somewhere already: what a person has set is theirs to change.
 */
async function rememberGateway(
  context: CommandContext,
  { url, tlsFingerprint }: { url: string; tlsFingerprint: string | undefined },
): Promise<void> {
  const { config } = await readConfig(context);
  const { gateway } = config as { gateway?: { mode?: unknown; remote?: { url?: unknown } } };
  const isFree = gateway?.mode === undefined && gateway?.remote?.url === undefined;
  if (!isFree) {
    if (gateway?.remote?.url === url) return;
    context.say(
      `This device may now also command ${safeText(url)}. Commands still go where the config says; to change that: ${context.commandLine(`remote set ${safeText(url)}`)}`,
    );
    return;
  }
  await editConfigFile(
    context.paths.configPath,
    [
      { path: "gateway.mode", value: "remote" },
      { path: "gateway.remote.url", value: url },
      ...(tlsFingerprint === undefined || !url.startsWith("wss:")
        ? []
        : [{ path: "gateway.remote.tlsFingerprint", value: tlsFingerprint }]),
    ],
    { env: context.env },
  );
  context.say(
    `Commands now go to ${safeText(url)}. Try: ${context.commandLine("status")}. Undo: ${context.commandLine("remote unset")}`,
  );
}
