import { prepareEnvironment } from "@openclaw/app-kit";
import { ConfigError, parseProfileFlags } from "@openclaw/config";
import type { CliIo } from "./io.ts";
import { CliError } from "./errors.ts";
import { showBanner } from "./output/banner.ts";
import { reportError } from "./output/report-error.ts";
import { createStyle, wantsColour } from "./output/style.ts";
import { commandTree } from "./program/command-tree.ts";
import { createContext } from "./program/command-context.ts";
import { parseCommand } from "./program/parse-command.ts";
import { VERSION } from "./version.ts";

const EXIT_BAD_PROFILE = 2;

/**
 * Runs one command line. Returns the exit code and never throws; nothing outside `io` is touched
 * but the network and the state directory.
 *
 * @param args arguments without the interpreter and the script.
 */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const json = asksForJson(args);
  const profileFlags = parseProfileFlags(args);
  if (!profileFlags.ok) {
    io.stderr.write(`[${io.programName}] ${profileFlags.message}\n`);
    return EXIT_BAD_PROFILE;
  }
  const { argv, noColor, version, logLevel } = takeGlobalFlags(profileFlags.argv);
  let prefix: string | undefined;
  try {
    if (version) {
      io.stdout.write(`${versionLine(io)}\n`);
      return 0;
    }
    const outcome = await parseCommand(commandTree, argv);
    if (outcome.kind === "help") {
      if (!json) showBanner({ io, env: io.env, noColor });
      const { renderHelp } = await import("./program/help.ts");
      const style = createStyle(wantsColour({ sink: io.stdout, env: io.env, noColor }));
      const { programName, stdout } = io;
      stdout.write(renderHelp({ ...outcome, programName, style, columns: stdout.columns }));
      return 0;
    }
    const { command } = outcome;
    prefix = command.spec.failurePrefix;
    const { env, paths, warnings } = await prepareEnvironment(io, profileFlags.profile);
    for (const warning of warnings) io.stderr.write(`Warning: ${warning}\n`);
    if (!json && command.spec.hidesBanner !== true) showBanner({ io, env, noColor });
    const context = createContext({
      io,
      env: logLevel === undefined ? env : { ...env, OPENCLAW_LOG_LEVEL: logLevel },
      paths,
      profile: paths.profile,
      noColor,
      parsed: command,
    });
    if (command.spec.toleratesBrokenConfig !== true) {
      const { guardConfig } = await import("./gateway/guard-config.ts");
      await guardConfig(context);
    }
    if (command.spec.load === undefined) throw new Error(`${command.path.join(" ")} has no module`);
    const { run: runCommand } = await command.spec.load();
    return await runCommand(context);
  } catch (error) {
    const style = createStyle(wantsColour({ sink: io.stderr, env: io.env, noColor }));
    return reportError(asCliError(error), { io, json, style, prefix });
  }
}

/** `openclaw` prints the bare version, the old name a line of its own. */
export function versionLine(io: Pick<CliIo, "programName">): string {
  return io.programName === "clawdbot" ? `clawdbot CLI v${VERSION}` : VERSION;
}

interface GlobalFlags {
  argv: readonly string[];
  noColor: boolean;
  version: boolean;
  logLevel: string | undefined;
}

function takeGlobalFlags(args: readonly string[]): GlobalFlags {
  const flags: GlobalFlags = { argv: [], noColor: false, version: false, logLevel: undefined };
  let index = 0;
  for (; index < args.length; index += 1) {
    const word = args[index] ?? "";
    if (word === "--no-color") flags.noColor = true;
    else if (word === "--version" || word === "-V" || word === "-v") flags.version = true;
    else if (word.startsWith("--log-level=")) flags.logLevel = word.slice("--log-level=".length);
    else if (word === "--log-level") flags.logLevel = args[(index += 1)];
    else break;
  }
  flags.argv = args.slice(index);
  return flags;
}

function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes("--json");
}

function asCliError(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const hints = error.hint === undefined ? [] : [error.hint];
  return new CliError("cli_error", error.message, {
    hints,
    fields: { kind: "config", code: error.code },
    cause: error,
  });
}
