import { homedir, userInfo } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { TunnelError } from "../../errors.ts";
import { findSshProgram } from "../../settings/find-ssh-program.ts";
import { expandHome } from "../../settings/tokens.ts";
import type { OpenSshConnection } from "../engine.ts";
import { type Askpass, startAskpass } from "./asking/askpass.ts";
import { type Attempt, startAttempt } from "./attempt.ts";
import { childEnvironment } from "./arguments/child-environment.ts";
import { connectOnLoopback } from "./loopback/connect-on-loopback.ts";
import { connectShared } from "./connect-shared.ts";
import { pinTarget } from "./pin-target.ts";
import { createPrivateDirectory } from "./private-directory.ts";
import { askSshVersion } from "./arguments/ssh-version.ts";
import { tooSlow } from "./failures/failure-of-ssh.ts";
import type { StartSetting } from "./start-on-route.ts";
import type { ResolvedSystemEngineOptions, SystemEngineOptions } from "./system-engine-options.ts";

/** An engine that has the system's ssh carry the connection. */
export function createSystemEngine(options: SystemEngineOptions = {}): OpenSshConnection {
  const { env = process.env, reason = "asked for" } = options;
  const { canShare = process.platform !== "win32" } = options;
  return async (engineOptions, signal) => {
    signal.throwIfAborted();
    const sshProgram = options.sshProgram ?? findSshProgram(env);
    if (sshProgram === undefined) {
      throw new TunnelError("ENGINE_MISSING", "the system has no ssh.", {
        hint: "Install an OpenSSH client.",
      });
    }
    const sshConfig = configPath(options.sshConfig);
    const using = { ...options, sshConfig, sshProgram, env, reason, canShare };
    return open(using, engineOptions, signal);
  };
}

/** As it was read for the settings: ssh itself does not know `~` here. */
function configPath(file: string | false | undefined): string | false | undefined {
  return typeof file === "string" ? resolve(expandHome(file, home())) : file;
}

function home(): string {
  try {
    return userInfo().homedir;
  } catch {
    // A user id without an entry in the user database, as containers have it.
    return homedir();
  }
}

async function open(
  using: ResolvedSystemEngineOptions,
  ...[options, signal]: Parameters<OpenSshConnection>
): ReturnType<OpenSshConnection> {
  const version = await askSshVersion(using.sshProgram, childEnvironment(using.env));
  const directory = await createPrivateDirectory();
  let setting: StartSetting | undefined;
  let askpass: Askpass | undefined;
  const attempt: Attempt = startAttempt(options.connectTimeoutMs, signal, () =>
    tooSlow(options, setting?.current?.log),
  );
  try {
    askpass = await startAskpass({
      ...{ version, directory: directory.path, logger: options.logger },
      callbacks: options.authentication,
      identityFiles: [...options.hops, options.settings].flatMap((one) => one.identityFiles),
      pause: () => attempt.pause(),
    });
    const plan = {
      ...{ using, options, version, signal },
      directory: directory.path,
      env: childEnvironment(using.env, askpass?.env),
      asking: askpass?.options,
    };
    setting = { using, options, directory, attempt, plan, current: undefined };
    const pinning = await pinTarget(setting);
    const connection = await (using.canShare ? connectShared : connectOnLoopback)(setting, pinning);
    askpass?.keepPassphrases();
    return connection;
  } catch (error) {
    await directory.remove();
    // Whatever was under way when it was given up.
    throw signal.aborted ? signal.reason : error;
  } finally {
    attempt.end();
    askpass?.close();
  }
}
