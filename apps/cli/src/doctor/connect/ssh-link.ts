import { safeText, type Way } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import { formatSshAddress, parseSshAddress, type SshRoute } from "@openclaw/config";
import { readWayFailure, type WayFailure, wayOptions } from "../../gateway/ssh-way.ts";
import { findProgram, findServer, runStatus } from "../../remote/test-over-ssh.ts";
import { StepFailure, type Taken } from "../../remote/walk.ts";
import { type Carrier, errnoOf } from "./carrier.ts";
import { CONNECT_FAULTS, type ConnectFaultCode, fault } from "./faults.ts";
import { resolveInTime } from "./route-link.ts";
import { goTo, type Trail } from "./trail.ts";

const ROUTE_SHARE_MS = 1_500;
const LOGIN_SHARE_MS = 3_500;
const FORWARD_SHARE_MS = 1_500;
const STATUS_SHARE_MS = 1_500;

/**
 * From the name of the SSH server to an open connection. Nobody is asked for anything: what a person
 * would have to type is a finding.
 *
 * @throws {StepFailure} of `name`, `route` or `ssh`
 */
export async function openSshLink(trail: Trail): Promise<Way> {
  const { budget, walk } = trail;
  const timed = { ...trail, timeoutMs: budget.step(ROUTE_SHARE_MS) };
  const explained: Trail["walk"] = {
    ...walk,
    take: (names, work) =>
      walk.take(names, async () => {
        try {
          return await (names[0] === "name" ? resolveInTime(trail, work()) : work());
        } catch (error) {
          throw explain(trail, error);
        }
      }),
  };
  await findServer({ ...timed, walk: explained }, "route");
  return walk.take(["ssh"], () => login(trail));
}

async function login(trail: Trail): Promise<Taken<Way>> {
  const { context, gateway, budget, interruption } = trail;
  const { openWay } = await loadSshWay();
  try {
    const way = await openWay({
      ...wayOptions(gateway.target, context),
      connectTimeoutMs: budget.step(LOGIN_SHARE_MS),
      signal: interruption.signal,
    });
    const { state } = way.tunnel;
    const key = state.kind === "open" ? state.engine.hostKey : undefined;
    return { value: way, detail: key && `${key.keyType} ${key.fingerprint}` };
  } catch (error) {
    throw explain(trail, error);
  }
}

/** Opens one stream to the Gateway's port, and ends it. @throws {StepFailure} of the step `forward` */
export async function openForward(
  trail: Trail,
  way: Way,
  carrier: Carrier,
): Promise<Taken<undefined>> {
  const { remotePort } = routeOf(trail);
  const timeoutMs = trail.budget.step(FORWARD_SHARE_MS);
  try {
    (await carrier.open({ timeoutMs, signal: trail.interruption.signal })).destroy();
    return { value: undefined, detail: `to 127.0.0.1:${remotePort} over there` };
  } catch (error) {
    const failure = readWayFailure(error);
    if (failure?.code === "REMOTE_PORT_CLOSED") throw await explainClosed(trail, way, failure);
    if (failure === undefined && errnoOf(error) === "ETIMEDOUT") throw noForward(trail, timeoutMs);
    throw explain(trail, error);
  }
}

/** The server has let us in, and does not say whether it opens the channel. */
function noForward(trail: Trail, waitedMs: number): Error {
  return fault("NO_ANSWER", "SSH lets you in, and does not answer when a forward is asked for.", {
    at: "forward",
    evidence: { waitedMs },
    fix: `ssh -v -W 127.0.0.1:${routeOf(trail).remotePort} ${sshWords(trail)}`,
    hint: "The other side may wait for the Gateway's port itself: a firewall of that machine drops it.",
  });
}

/** Notes when the program is not found over there, which breaks some commands and not the way. */
export async function noteFarProgram(trail: Trail, way: Way): Promise<void> {
  try {
    await findProgram(trail, way);
  } catch (error) {
    if (!(error instanceof StepFailure) || error.code !== "CLI_NOT_FOUND") return;
    trail.note({
      code: "CLI_NOT_FOUND",
      message: `on the other side ${safeText(error.message)} Exit code 127. The Gateway does not need it; commands that run over SSH do.`,
      fix: 'sudo ln -s "$(command -v openclaw)" "$(command -v node)" /usr/local/bin/',
    });
  }
}

async function explainClosed(trail: Trail, way: Way, failure: WayFailure): Promise<Error> {
  const { remotePort } = routeOf(trail);
  const farPort = await askForPort(trail, way);
  const isElsewhere = farPort !== undefined && farPort !== remotePort;
  return fault(
    "REMOTE_PORT_CLOSED",
    `SSH works, and nothing listens on 127.0.0.1:${remotePort} over there.`,
    {
      at: "forward",
      evidence: { ssh: failure.message, gatewayPortThere: farPort },
      fix: isElsewhere ? withPort(trail, farPort) : `ssh ${sshWords(trail)} openclaw gateway start`,
      hint: isElsewhere
        ? "The Gateway over there says that this is its port."
        : "The Gateway does not run on that machine, or it has another port: openclaw gateway status there shows it.",
    },
  );
}

/** The port that the program over there takes for its Gateway's, if it says so in time. */
async function askForPort(trail: Trail, way: Way): Promise<number | undefined> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), trail.budget.explain(STATUS_SHARE_MS)).unref();
  });
  const asked = runStatus(trail, way).then(
    ({ value }) => value.port,
    () => undefined,
  );
  return Promise.race([asked, late]);
}

/** What a tunnel reports, as the failure of a step; any other error as it is. */
function explain(trail: Trail, error: unknown): unknown {
  if (error instanceof StepFailure) return withFix(trail, error);
  const failure = readWayFailure(error);
  if (failure === undefined) return error;
  const code = codeOf(failure);
  const { expected, fingerprint, keyType, tried, file, line, stage, hop } = failure.details;
  return fault(code, failure.message, {
    evidence: {
      ...(code === failure.code ? {} : { sshCode: failure.code }),
      fingerprint,
      keyType,
      expected,
      file,
      line,
      tried,
      stage,
      hop,
    },
    fix: fixFor(trail, code, failure),
    hint: failure.hint,
    cause: error,
  });
}

/** A failure that `remote test` knows, with what this command says besides. */
function withFix(trail: Trail, error: StepFailure): StepFailure {
  const { message, code = "SSH_FAILED", hint, cause } = error;
  const shown = codeOf({ code });
  const { code: errno } = (cause ?? {}) as { code?: unknown };
  return fault(shown, message, {
    evidence: typeof errno === "string" ? { errno } : {},
    fix: fixFor(trail, shown, { code, hint }),
    hint,
    cause: error,
  });
}

const OTHER_NAMES: Readonly<Record<string, ConnectFaultCode>> = {
  TIMED_OUT: "NO_ANSWER",
  UNREACHABLE: "HOST_UNREACHABLE",
};

function codeOf({ code }: Pick<WayFailure, "code">): ConnectFaultCode {
  return CONNECT_FAULTS.find((known) => known === code) ?? OTHER_NAMES[code] ?? "SSH_FAILED";
}

function fixFor(
  trail: Trail,
  code: ConnectFaultCode,
  { hint = "" }: Pick<WayFailure, "code" | "hint">,
): string {
  const { context } = trail;
  const words = sshWords(trail);
  switch (code) {
    case "NAME_NOT_RESOLVED":
      return goTo(trail, "me@box");
    case "HOST_KEY_UNKNOWN":
      return `ssh ${words} true`;
    case "HOST_KEY_CHANGED":
      return /ssh-keygen -R .*$/u.exec(hint)?.[0] ?? `ssh-keygen -R ${hostOf(trail)}`;
    case "AUTHENTICATION_REFUSED":
      return `ssh-copy-id ${words}`;
    case "AGENT_LOCKED":
      return "ssh-add -X";
    case "IDENTITY_LOCKED":
      return `ssh-add ${context.text("ssh-identity") ?? routeOf(trail).identity ?? ""}`.trim();
    case "FORWARD_REFUSED":
      return "AllowTcpForwarding local";
    case "NOT_SSH":
    case "CONNECTION_REFUSED":
    case "NO_ANSWER":
    case "HOST_UNREACHABLE":
      return `ssh -v ${words} true`;
    default:
      return context.commandLine("remote test");
  }
}

function routeOf({ gateway }: Trail): SshRoute {
  const { via } = gateway.target;
  if (via === undefined) throw new Error(`${gateway.target.url} is not behind SSH`);
  return via;
}

/** The target as ssh takes it. */
function sshWords(trail: Trail): string {
  const { target } = routeOf(trail);
  const parsed = parseSshAddress(target);
  if (!parsed.ok) return target;
  const { user, host, port } = parsed.address;
  const name = user === undefined ? host : `${user}@${host}`;
  return port === undefined ? name : `-p ${port} ${name}`;
}

function hostOf(trail: Trail): string {
  const parsed = parseSshAddress(routeOf(trail).target);
  if (!parsed.ok) return routeOf(trail).target;
  const { host, port } = parsed.address;
  return port === undefined ? host : `'[${host}]:${port}'`;
}

function withPort(trail: Trail, port: number): string {
  const { target } = routeOf(trail);
  const parsed = parseSshAddress(target);
  const place = parsed.ok ? formatSshAddress(parsed.address) : target;
  return `${goTo(trail, place)} --remote-port ${port}`;
}
