import { type SshKey, type SshServer, withDeadline } from "@openclaw/testkit";
import ssh2 from "ssh2";
import {
  planAuthentication,
  type PlanAuthenticationOptions,
} from "../../src/engines/ssh2/authentication/plan-authentication.ts";
import type { TunnelError } from "../../src/errors.ts";
import { type Logger, silentLogger } from "../../src/logger.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";

type Server = Pick<SshServer, "host" | "port" | "user">;

export interface AuthenticateOptions extends Partial<Omit<PlanAuthenticationOptions, "settings">> {
  readonly settings?: Partial<SshSettings>;
}

/** How an authentication ended. */
export interface Outcome {
  /** undefined when the server let us in. */
  readonly error: TunnelError | undefined;
  readonly tried: readonly string[];
  readonly needsSystemSsh: string | undefined;
  /** What `onWaiting` was told. */
  readonly waits: readonly boolean[];
}

const DEADLINE_MS = 20_000;

/** Connects with ssh2's own client and a plan, and nothing else of the engine. */
export async function authenticate(
  server: Server,
  { settings, ...options }: AuthenticateOptions = {},
): Promise<Outcome> {
  const waits: boolean[] = [];
  const plan = await planAuthentication({
    callbacks: {},
    logger: silentLogger,
    host: "box",
    onWaiting: (isWaiting) => void waits.push(isWaiting),
    ...options,
    settings: settingsFor(server, settings),
  });
  const client = new ssh2.Client();
  const closed = new Promise<void>((resolve) => void client.once("close", resolve));
  const ended = new Promise<TunnelError | undefined>((resolve, reject) => {
    const failed = (error?: Error): void => {
      if (plan.isRefusal(error)) resolve(plan.failure());
      else reject(error ?? new Error("the server closed the connection"));
    };
    client.once("ready", () => resolve(undefined));
    client.on("error", failed);
    client.once("close", () => failed());
  });
  client.connect({
    host: server.host,
    port: server.port,
    username: server.user,
    readyTimeout: 0,
    authHandler: plan.handler,
    hostVerifier: () => true,
  });
  plan.install(client);
  try {
    const error = await withDeadline(
      ended,
      DEADLINE_MS,
      () => `tried ${plan.tried.join(", ") || "nothing"}`,
    );
    return { error, tried: plan.tried, needsSystemSsh: plan.needsSystemSsh, waits };
  } finally {
    plan.dispose();
    client.end();
    await closed;
  }
}

/** Settings without any key. */
export function settingsFor(server: Server, own: Partial<SshSettings> = {}): SshSettings {
  return {
    target: { host: "box" },
    hostName: server.host,
    user: server.user,
    port: server.port,
    identityFiles: [],
    hasOwnIdentity: own.identityFiles !== undefined,
    identitiesOnly: false,
    identityAgent: undefined,
    certificateFiles: [],
    proxyJump: [],
    hostKeyAlias: undefined,
    userKnownHostsFiles: [],
    globalKnownHostsFiles: [],
    hashKnownHosts: false,
    strictHostKeyChecking: "yes",
    serverAliveIntervalMs: 0,
    serverAliveCountMax: 3,
    connectTimeoutMs: undefined,
    localForwards: [],
    addressFamily: "any",
    bindAddress: undefined,
    algorithms: {},
    preferredAuthentications: undefined,
    source: "ssh-config",
    needsSystemSsh: [],
    ignored: [],
    ...own,
  };
}

/** `agent ED25519 SHA256:…`, as the plan names a key of the agent. */
export function agentLabel({ type, fingerprint }: SshKey): string {
  return `agent ${type.toUpperCase()} ${fingerprint}`;
}

export interface RecordingLogger extends Logger {
  readonly records: readonly string[];
  readonly fields: readonly object[];
}

/** Keeps what is logged at one level. */
export function recordingLogger(level: keyof Logger): RecordingLogger {
  const records: string[] = [];
  const fields: object[] = [];
  const record = (given: object, message: string): void => {
    fields.push(given);
    records.push(message);
  };
  return { ...silentLogger, [level]: record, records, fields };
}
