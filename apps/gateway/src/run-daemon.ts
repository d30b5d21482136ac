import process from "node:process";
import { parseArgs } from "node:util";
import {
  applyProfile,
  loadDotEnv,
  normalizeEnv,
  parseProfileFlags,
  resolvePaths,
} from "@openclaw/config";
import type { GatewayIo } from "./gateway-io.ts";
import { runGateway } from "./run-gateway.ts";
import { VERSION } from "./version.ts";

const PROGRAM = "openclaw-gateway";

const HELP = `${PROGRAM}: run an OpenClaw Gateway in the foreground

Examples
  # listen on 127.0.0.1:18789, with a secret of your choice
  ${PROGRAM} --token "$(openssl rand -hex 24)"
  # as the config file says
  ${PROGRAM}

Options
  --port <n>               Port; 0 takes any free one (default 18789)
  --bind <mode>            loopback, lan, auto, custom (default loopback)
  --auth <mode>            token, password, none
  --token <token>          Secret of mode token (else OPENCLAW_GATEWAY_TOKEN)
  --password <password>    Secret of mode password (else OPENCLAW_GATEWAY_PASSWORD)
  --password-file <path>   Take the password from the first line of a file
  --allow-unconfigured     Start although no config file says gateway.mode local
  --verbose                Log more
  --profile <name>, --dev  Use another state directory and config; stand first
  --version, --help
`;

const OPTIONS = {
  port: { type: "string" },
  bind: { type: "string" },
  auth: { type: "string" },
  token: { type: "string" },
  password: { type: "string" },
  "password-file": { type: "string" },
  tailscale: { type: "string" },
  "allow-unconfigured": { type: "boolean" },
  verbose: { type: "boolean" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

/** The daemon's command line. Returns the exit code. */
export async function runDaemon(args: readonly string[], io: GatewayIo): Promise<number> {
  const profileFlags = parseProfileFlags(args);
  if (!profileFlags.ok) {
    io.stderr.write(`[${PROGRAM}] ${profileFlags.message}\n`);
    return 2;
  }
  const flags = parse(profileFlags.argv);
  if (flags instanceof Error) {
    io.stderr.write(`Error: ${flags.message}\n  See ${PROGRAM} --help.\n`);
    return 1;
  }
  if (flags.help === true || flags.version === true) {
    io.stdout.write(flags.help === true ? HELP : `${VERSION}\n`);
    return 0;
  }
  const { homedir } = io;
  const { profile } = profileFlags;
  const { env: normalized, warnings } = normalizeEnv(io.env);
  const first = resolvePaths({ env: normalized, homedir, profile });
  const dotEnv = await loadDotEnv({
    env: normalized,
    cwd: process.cwd(),
    stateDir: first.stateDir,
  });
  for (const warning of [...warnings, ...dotEnv.warnings]) io.stderr.write(`Warning: ${warning}\n`);
  const paths = resolvePaths({ env: dotEnv.env, homedir, profile });
  const env =
    paths.profile === undefined ? dotEnv.env : applyProfile(dotEnv.env, paths.profile, paths.home);
  return runGateway({
    flags: {
      ...flags,
      passwordFile: flags["password-file"],
      allowUnconfigured: flags["allow-unconfigured"],
    },
    io,
    env,
    paths,
    command: PROGRAM,
  });
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
