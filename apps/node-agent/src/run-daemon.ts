import { type ProgramIo, runDaemonProgram } from "@openclaw/app-kit";
import { runNode } from "./run-node.ts";
import { VERSION } from "./version.ts";

const PROGRAM = "openclaw-node";

const HELP = `${PROGRAM}: connect this machine to an OpenClaw Gateway as a node

Examples
  # the Gateway of this machine
  OPENCLAW_GATEWAY_TOKEN=<token> ${PROGRAM} --host 127.0.0.1 --port 18789
  # one behind SSH: nothing has to listen anywhere
  OPENCLAW_GATEWAY_TOKEN=<token> ${PROGRAM} --ssh me@box
  # another machine
  ${PROGRAM} --url wss://gateway.example --token <token> --display-name "Workshop Pi"

Options
  --host <host>            Host of the Gateway (default 127.0.0.1)
  --port <port>            Port of the Gateway (default 18789)
  --url <url>              Address as a whole, instead of --host and --port
  --ssh <target>           Go through SSH: me@box, box:2222, or an alias
  --remote-port <port>     Port of the Gateway over there (default 18789)
  --ssh-identity <path>    Private key for SSH, instead of those of your ssh config
  --ssh-host-key <SHA256:…>
                           The only SSH host key to accept
  --ssh-known-hosts <path> Known SSH hosts, instead of those of your ssh config
  --accept-new             Record the key of an SSH host that has none yet
  --tls, --no-tls          Use wss://, or ws://
  --tls-fingerprint <pin>  The only certificate to accept, SHA-256 in hex, or key,
                           sha256//…; twice, where another is to follow
  --pair <code>            Pair with a setup code; it says where the Gateway is
  --commands <ids>         Serve these commands only, separated by commas
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
  ssh: { type: "string" },
  "remote-port": { type: "string" },
  "ssh-identity": { type: "string" },
  "ssh-host-key": { type: "string" },
  "ssh-known-hosts": { type: "string" },
  "accept-new": { type: "boolean" },
  tls: { type: "boolean" },
  "no-tls": { type: "boolean" },
  "tls-fingerprint": { type: "string", multiple: true },
  pair: { type: "string" },
  commands: { type: "string" },
  "display-name": { type: "string" },
  "node-id": { type: "string" },
  token: { type: "string" },
  password: { type: "string" },
  verbose: { type: "boolean" },
} as const;

/** The daemon's command line. Returns the exit code. */
export function runDaemon(args: readonly string[], io: ProgramIo): Promise<number> {
  return runDaemonProgram(
    {
      name: PROGRAM,
      version: VERSION,
      help: HELP,
      options: OPTIONS,
      run: (flags, prepared) =>
        runNode({
          flags: {
            ...flags,
            tls: flags.tls === true ? true : flags["no-tls"] === true ? false : undefined,
            tlsFingerprint: flags["tls-fingerprint"],
            displayName: flags["display-name"],
            commands: flags.commands?.split(",").map((name) => name.trim()),
            nodeId: flags["node-id"],
            remotePort: flags["remote-port"],
            sshIdentity: flags["ssh-identity"],
            sshHostKey: flags["ssh-host-key"],
            sshKnownHosts: flags["ssh-known-hosts"],
            acceptNew: flags["accept-new"],
          },
          io,
          ...prepared,
        }),
    },
    args,
    io,
  );
}
