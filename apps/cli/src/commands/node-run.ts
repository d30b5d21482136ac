import { commandNames } from "../nodes/command-names.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw node run`: the same code as the daemon. */
export async function run(context: CommandContext): Promise<number> {
  const { io, env, paths } = context;
  const { runNode } = await import("../nodes/node-agent.ts");
  return runNode({
    io,
    env,
    paths,
    program: io.programName,
    flags: {
      host: context.text("host"),
      port: context.text("port"),
      url: context.text("url"),
      tls: context.flag("tls") ? true : context.flag("no-tls") ? false : undefined,
      tlsFingerprint: context.list("tls-fingerprint"),
      displayName: context.text("display-name"),
      pair: context.text("pair"),
      commands: commandNames(context),
      nodeId: context.text("node-id"),
      ssh: context.text("ssh"),
      remotePort: context.text("remote-port"),
      sshIdentity: context.text("ssh-identity"),
      sshHostKey: context.text("ssh-host-key"),
      sshKnownHosts: context.text("ssh-known-hosts"),
      acceptNew: context.flag("accept-new"),
      token: context.text("token"),
      password: context.text("password"),
      verbose: context.flag("verbose"),
    },
  });
}
