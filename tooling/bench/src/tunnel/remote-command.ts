import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SshTestRig } from "@openclaw/testkit";
import { type Figure, toFigure } from "../figure.ts";
import { repeat, type SuiteContext } from "../suites/suite.ts";

const run = promisify(execFile);

/** How long `openclaw health --url ssh://…` takes, beside `ssh host true`. */
export async function measureHealthOverSsh(
  { launcher, isQuick, progress }: SuiteContext,
  rig: SshTestRig,
): Promise<Figure[]> {
  const { cli } = launcher;
  if (!cli) {
    progress("health over SSH is skipped: the command line is not built (npm run build)");
    return [];
  }
  await using gateway = await launcher.start();
  const url = `ssh://${rig.target}/${new URL(gateway.url).port}`;
  const [hostKey] = rig.server.hostKeys;
  const commands = {
    ssh: ["ssh", ...rig.sshArgs, "true"],
    health: [
      process.execPath,
      ...cli,
      ...["health", "--json", "--url", url, "--token", gateway.token],
      ...["--ssh-identity", rig.identity, "--ssh-host-key", hostKey?.fingerprint ?? ""],
    ],
  };
  const env = { ...rig.env, HOME: gateway.home, OPENCLAW_NO_RESPAWN: "1" };
  const times: Record<keyof typeof commands, number[]> = { ssh: [], health: [] };
  const time = async (name: keyof typeof commands): Promise<number> => {
    const [program = "", ...args] = commands[name];
    const startedAt = performance.now();
    await run(program, args, { env });
    return performance.now() - startedAt;
  };
  // The first of each fills the disk cache, and pairs the device.
  for (const name of ["ssh", "health"] as const) await time(name);
  await repeat(isQuick ? 5 : 31, async () => {
    for (const name of ["ssh", "health"] as const) times[name].push(await time(name));
  });
  return [
    toFigure({
      name: "cli health --url ssh://",
      subject: launcher.name,
      unit: "ms",
      samples: times.health,
      baseline: { name: "ssh host true", samples: times.ssh },
      target: { of: "ratio", atMost: 1.5 },
    }),
  ];
}
