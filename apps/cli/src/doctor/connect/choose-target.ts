import { configProblem, messageOf } from "@openclaw/app-kit";
import {
  ConfigError,
  type GatewayTarget,
  loadConfig,
  type LooseConfig,
  readGatewayAddress,
  resolveGatewayTarget,
} from "@openclaw/config";
import { certificatePlace, withOwnPin } from "@openclaw/app-kit";
import { CliError, usageError } from "../../errors.ts";
import { type ChosenGateway, credentialsFor, readConfig } from "../../gateway/choose-gateway.ts";
import type { CommandContext } from "../../program/command-context.ts";
import { chooseSsh } from "../../remote/choose-remote.ts";
import { type ConnectFaultCode, fault, type Note } from "./faults.ts";

/** The Gateway that is walked to. */
export interface ConnectTarget {
  readonly gateway: ChosenGateway;
  /** Nothing may be presented there: a URL that was typed needs a credential that was typed. */
  readonly isWithoutCredential: boolean;
}

/** How many problems of the config file are shown. */
const SHOWN_ISSUES = 5;

/**
 * Chooses by the argument, `--url`, `--port`, the environment and the config, in the order of every
 * command.
 *
 * @throws {StepFailure} of the step `target`; {CliError} for a command line that cannot be meant
 */
export async function chooseConnectTarget(
  context: CommandContext,
  note: (note: Note) => void,
): Promise<ConnectTarget> {
  const loose = await readConfig(context);
  const given = givenTarget(context);
  await checkConfig(context, loose, { isNeeded: given === undefined, note });
  try {
    return await resolve(context, loose, given);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw targetFault(context, error);
  }
}

function givenTarget(context: CommandContext): string | undefined {
  const [argument] = context.args;
  const url = context.text("url");
  if (argument !== undefined && url !== undefined) {
    throw usageError("the target and --url cannot be combined.", "Name the target once.");
  }
  return argument ?? url;
}

async function resolve(
  context: CommandContext,
  loose: LooseConfig,
  given: string | undefined,
): Promise<ConnectTarget> {
  const { configPath } = context.paths;
  const byFlags = (url: string | undefined): GatewayTarget =>
    resolveGatewayTarget({
      flags: { url, port: context.text("port"), tlsFingerprint: context.list("tls-fingerprint") },
      env: loose.env,
      config: loose.config,
      unresolved: loose.unresolved,
      configPath,
    });
  if (given !== undefined && readGatewayAddress(given, "the command line").via !== undefined) {
    const configured = (): GatewayTarget => byFlags(undefined);
    return withCredentials(() => chooseSsh(context, given, { loose, configured }));
  }
  const chosen = await withOwnPin(byFlags(given), certificatePlace(context.paths, loose.config));
  const target = given === undefined ? chosen : { ...chosen, urlSource: "the command line" };
  return withCredentials(
    () => ({ target, credentials: credentialsFor(context, target, loose), loose }),
    { target, credentials: { sources: {}, explain: () => "" }, loose },
  );
}

/** A missing credential is the matter of a later step: all before it need none. */
function withCredentials(choose: () => ChosenGateway, bare?: ChosenGateway): ConnectTarget {
  try {
    return { gateway: choose(), isWithoutCredential: false };
  } catch (error) {
    const isMissing = error instanceof CliError && error.type === "gateway_credentials_required";
    if (!isMissing || bare === undefined) throw error;
    return { gateway: bare, isWithoutCredential: true };
  }
}

/** A config that is wrong decides wrongly, unless the target was named. */
async function checkConfig(
  context: CommandContext,
  loose: LooseConfig,
  { isNeeded, note }: { isNeeded: boolean; note: (note: Note) => void },
): Promise<void> {
  if (!loose.exists) return;
  const loaded = await loadConfig({ path: context.paths.configPath, env: context.env });
  if (loaded.ok) return;
  const issues = loaded.issues.map((issue) => `${issue.path}: ${configProblem(issue)}`);
  const message = `the config file is invalid: ${loaded.path}`;
  const fix = context.commandLine("config validate");
  if (!isNeeded) return note({ code: "OTHER_CONFIG_INVALID", message: `${message}.`, fix });
  throw fault("CONFIG_INVALID", `${message}.`, {
    evidence: { path: loaded.path, issues: issues.slice(0, SHOWN_ISSUES) },
    fix,
    hint: "It names each problem with its line, and what is allowed there.",
  });
}

function targetFault(context: CommandContext, error: ConfigError): Error {
  const code: ConnectFaultCode =
    error.code === "REMOTE_URL_MISSING" || error.code === "INSECURE_URL"
      ? error.code
      : "TARGET_INVALID";
  const fixes: Partial<Record<ConnectFaultCode, string>> = {
    REMOTE_URL_MISSING: context.commandLine("remote set me@box"),
    INSECURE_URL: context.commandLine("remote set me@box"),
  };
  if (error.code === "URL_AND_PORT") return error;
  return fault(code, messageOf(error), {
    evidence: { configCode: error.code, config: context.paths.configPath },
    fix: fixes[code] ?? context.commandLine("doctor connect wss://gateway.example --token <token>"),
    hint: error.hint,
    cause: error,
  });
}
