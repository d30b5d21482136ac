import { buildConnectParams } from "./connect-params.ts";
import { mayRenegotiate, planConnect } from "./connect-plan.ts";
import { decideRefusal, refusalError } from "./refusal.ts";
import type { HelloOk } from "@openclaw/protocol";
import type { ResolvedGatewayClientOptions } from "../client-options.ts";
import type { GatewayError, RemoteErrorShape } from "../errors.ts";
import type { CheckedGatewayUrl } from "../gateway-url.ts";
import type { StoredDeviceToken } from "../identity/device-token-store.ts";
import type { ConnectChallenge } from "./connect-params.ts";
import type { ConnectPlan, PeerMemory, PlanInput } from "./connect-plan.ts";
import type { Lesson } from "./refusal.ts";

/** Attempts that may follow each other at once because the Gateway taught something new. */
const MAX_LESSONS_IN_A_ROW = 4;

/** Shakes hands with one Gateway, and remembers between attempts what it accepts. */
export interface Negotiator {
  /** Params of `connect` for this challenge. */
  prepare(challenge: ConnectChallenge): Promise<object>;
  /** Why the refusal ends the attempt, or `undefined` when another should follow at once. */
  refused(refusal: RemoteErrorShape): Promise<GatewayError | undefined>;
  /** What a refusal says, without drawing a lesson from it. */
  explain(refusal: RemoteErrorShape): GatewayError;
  /** Keeps what the hello issued. */
  welcomed(hello: HelloOk): void;
  /** Resolves when nothing is being written any more. */
  idle(): Promise<void>;
}

export function createNegotiator(
  options: ResolvedGatewayClientOptions,
  address: CheckedGatewayUrl,
): Negotiator {
  const { deviceStore, identity, logger, role } = options;
  const { endpoint } = address;
  const memory: PeerMemory = {
    onlyProtocol3: false,
    onlyV2: false,
    speaks4: false,
    tryDeviceToken: false,
    bootstrapIsOver: false,
  };
  let stored: StoredDeviceToken | undefined;
  let attempt: { input: PlanInput; plan: ConnectPlan } | undefined;
  let lessons = 0;
  let writing = Promise.resolve();

  async function readStoredToken(): Promise<StoredDeviceToken | undefined> {
    // Without its key a device token is worth nothing.
    if (!identity) return undefined;
    await writing;
    try {
      return await deviceStore.get({ endpoint, role, deviceId: identity.deviceId });
    } catch (error) {
      // The Gateway issues another one to the same key, so this costs at most one attempt.
      logger.warn({ err: error, endpoint }, "cannot read the device token");
      return undefined;
    }
  }

  /** Writes follow each other, and a failed one is reported here: nobody waits for it. */
  function write(change: () => Promise<void>): void {
    writing = writing.then(change).catch((error: unknown) => {
      logger.warn({ err: error, endpoint }, "cannot store the device token");
    });
  }

  function learn(lesson: Lesson): void {
    if (lesson === "only-protocol-3") memory.onlyProtocol3 = true;
    else if (lesson === "not-only-protocol-3") memory.onlyProtocol3 = false;
    else if (lesson === "only-v2-signature") memory.onlyV2 = true;
    else if (lesson === "try-device-token") memory.tryDeviceToken = true;
    else if (lesson === "setup-code-is-over") memory.bootstrapIsOver = true;
    else forgetToken();
  }

  function forgetToken(): void {
    memory.tryDeviceToken = false;
    stored = undefined;
    if (identity) write(() => deviceStore.remove({ endpoint, role, deviceId: identity.deviceId }));
  }

  function keep(token: string, tokenRole: string, scopes: readonly string[]): void {
    if (!identity) return;
    const record = { token, scopes: [...scopes], updatedAtMs: Date.now() };
    const isOwn = tokenRole === role;
    const isKnown = isOwn && stored?.token === token && sameItems(stored.scopes, scopes);
    if (isOwn) stored = record;
    if (isKnown) return;
    const key = { endpoint, role: tokenRole, deviceId: identity.deviceId };
    write(() => deviceStore.set(key, record));
  }

  return {
    async prepare(challenge) {
      stored = await readStoredToken();
      const input: PlanInput = {
        role,
        mode: options.client.mode,
        minProtocol: options.minProtocol,
        maxProtocol: options.maxProtocol,
        token: options.token,
        password: options.password,
        bootstrapToken: options.bootstrapToken,
        deviceToken: identity ? (options.deviceToken ?? stored?.token) : undefined,
        memory,
      };
      const plan = planConnect(input);
      attempt = { input, plan };
      return buildConnectParams(options, plan, challenge, hostOf(endpoint));
    },

    refused(refusal) {
      // A refusal answers a request, so there was an attempt.
      const { input, plan } = attempt!;
      const decision = decideRefusal(refusal, {
        endpoint,
        plan,
        mayRenegotiate: mayRenegotiate(input),
        hasOtherCredential:
          input.deviceToken !== undefined ||
          options.token !== undefined ||
          options.password !== undefined,
        hasUnusedDeviceToken: input.deviceToken !== undefined && !plan.credential.usesDeviceToken,
        deviceTokenIsStored: options.deviceToken === undefined,
        isTrustedPath: address.isLoopback || address.isTls,
        mayRetry: lessons < MAX_LESSONS_IN_A_ROW,
      });
      if (decision.learn) learn(decision.learn);
      lessons = decision.error ? 0 : lessons + 1;
      return writing.then(() => decision.error);
    },

    explain: (refusal) => refusalError(refusal, { endpoint }),

    welcomed(hello) {
      lessons = 0;
      memory.speaks4 = hello.protocol >= 4;
      const auth: Partial<HelloOk["auth"]> | undefined = hello.auth;
      if (!auth) return;
      // From here on the device has a token of its own; without one the code has to serve again.
      if (auth.deviceToken) memory.bootstrapIsOver = true;
      if (auth.deviceToken) keep(auth.deviceToken, auth.role ?? role, auth.scopes ?? []);
      for (const issued of auth.deviceTokens ?? []) {
        keep(issued.deviceToken, issued.role, issued.scopes);
      }
    },

    idle: () => writing,
  };
}

/** The host of `host:port`, without brackets. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
}

function sameItems(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
