import { hasSshd, type SshTestRig, sshTestRig, type SshTestRigOptions } from "@openclaw/testkit";
import { startGateway, type TestGateway, TOKEN } from "./cli-fixture.ts";

if (!hasSshd)
  process.stderr.write("skipped: tests over SSH need the Debian package openssh-server\n");

/** A Gateway that is reached over SSH, and what a command has to be told for it. */
export interface SshGateway extends AsyncDisposable {
  readonly rig: SshTestRig;
  readonly gateway: TestGateway;
  /** `ssh://user@127.0.0.1:port/remoteport` */
  readonly url: string;
  /** The files of the rig's user: ssh itself looks for them in the home of the account. */
  readonly sshFlags: readonly string[];
  /** `--url`, `--token` and the flags above. */
  readonly flags: readonly string[];
}

export async function startSshGateway(
  options: {
    gateway?: Parameters<typeof startGateway>[0];
    rig?: SshTestRigOptions;
  } = {},
): Promise<SshGateway> {
  const rig = await sshTestRig(options.rig);
  const gateway = await startGateway(options.gateway);
  const url = `ssh://${rig.target}/${gateway.port}`;
  const sshFlags = ["--ssh-identity", rig.identity, "--ssh-known-hosts", rig.knownHosts];
  return {
    rig,
    gateway,
    url,
    sshFlags,
    flags: ["--url", url, "--token", TOKEN, ...sshFlags],
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}
