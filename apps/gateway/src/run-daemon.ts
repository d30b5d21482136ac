import { type ProgramIo, runDaemonProgram } from "@openclaw/app-kit";
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
  --bind <mode>            loopback, lan, tailnet, auto, custom (default loopback)
  --auth <mode>            token, password, trusted-proxy, none
  --token <token>          Secret of mode token (else OPENCLAW_GATEWAY_TOKEN)
  --password <password>    Secret of mode password (else OPENCLAW_GATEWAY_PASSWORD)
  --password-file <path>   Take the password from the first line of a file
  --tailscale <mode>       off, serve (your tailnet), funnel (the internet) (default off)
  --tailscale-reset-on-exit
                           Take the Tailscale route away when the Gateway stops
  --allow-unconfigured     Start although no config file says gateway.mode local
  --force                  End whoever holds the port; without a terminal never another Gateway
  --ws-log <style>         auto, full (each frame), compact (each answered request)
  --compact                Same as --ws-log compact
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
  "tailscale-reset-on-exit": { type: "boolean" },
  "allow-unconfigured": { type: "boolean" },
  force: { type: "boolean" },
  "ws-log": { type: "string" },
  compact: { type: "boolean" },
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
        runGateway({
          flags: {
            ...flags,
            passwordFile: flags["password-file"],
            tailscaleResetOnExit: flags["tailscale-reset-on-exit"],
            allowUnconfigured: flags["allow-unconfigured"],
            wsLog: flags["ws-log"],
          },
          io,
          ...prepared,
          command: PROGRAM,
        }),
    },
    args,
    io,
  );
}
