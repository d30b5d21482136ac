import process from "node:process";
import { parseArgs } from "node:util";
import {
  applyProfile,
  loadDotEnv,
  normalizeEnv,
  parseProfileFlags,
  resolvePaths,
} from "@openclaw/config";
import type { NodeIo } from "./node-io.ts";
import { runNode } from "./run-node.ts";
import { VERSION } from "./version.ts";

const PROGRAM = "openclaw-node";

const HELP = `${PROGRAM}: connect this machine to an OpenClaw Gateway as a node

Examples
  # the Gateway of this machine, or one behind an SSH tunnel
  OPENCLAW_GATEWAY_TOKEN=<token> ${PROGRAM} --host 127.0.0.1 --port 18789
  # another machine
  ${PROGRAM} --url wss://gateway.example --token <token> --display-name "Workshop Pi"

Options
  --host <host>            Host of the Gateway (default 127.0.0.1)
  --port <port>            Port of the Gateway (default 18789)
  --url <url>              Address as a whole, instead of --host and --port
  --tls, --no-tls          Use wss://, or ws://
  --tls-fingerprint <hex>  The only certificate to accept, SHA-256
  --display-name <name>    Name to show (default: the host's name)
  --token <token>          Shared token (else OPENCLAW_GATEWAY_TOKEN)
  --password <password>    Shared password (else OPENCLAW_GATEWAY_PASSWORD)
  --verbose                Log more
  --profile <name>, --dev  Use another state directory and config; stand first
  --version, --help
`;

const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  url: { type: "string" },
  tls: { type: "boolean" },
  "no-tls": { type: "boolean" },
  "tls-fingerprint": { type: "string" },
  "display-name": { type: "string" },
  "node-id": { type: "string" },
  token: { type: "string" },
  password: { type: "string" },
  verbose: { type: "boolean" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

/** The daemon's command line. Returns the exit code. */
export async function runDaemon(args: readonly string[], io: NodeIo): Promise<number> {
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
  return runNode({
    flags: {
      ...flags,
      tls: flags.tls === true ? true : flags["no-tls"] === true ? false : undefined,
      tlsFingerprint: flags["tls-fingerprint"],
      displayName: flags["display-name"],
      nodeId: flags["node-id"],
    },
    io,
    env,
    paths,
  });
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
