import type { AnyAuthMethod, AuthHandlerMiddleware, Client } from "ssh2";
import { TunnelError } from "../../../errors.ts";
import type { Logger } from "../../../logger.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import type { AuthenticationCallbacks } from "../../engine.ts";
import { type Agent, type AgentLimits, openAgent } from "./agent.ts";
import { createAsking } from "./asking.ts";
import { authenticationFailure } from "./authentication-failure.ts";
import { orderCandidates } from "./candidates.ts";
import {
  type CertificateFile,
  type FileFault,
  type IdentityFile,
  isFileFault,
  readCertificateFile,
  readIdentityFile,
} from "./identity-file.ts";
import { createIdentityOpener } from "./identity-opener.ts";
import { createInteractiveMethods } from "./interactive-methods.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { createPublicKeyMethod } from "./publickey-method.ts";
import { findShortcomings } from "./shortcomings.ts";
import { type AuthenticationWire, takeHoldOf } from "./ssh2-internals.ts";

export interface PlanAuthenticationOptions {
  readonly settings: SshSettings;
  readonly callbacks: AuthenticationCallbacks;
  readonly logger: Logger;
  /** The host, as prompts and errors name it. */
  readonly host: string;
  /** Where opened keys are kept. @default a new one, which goes with the plan */
  readonly keyring?: Keyring | undefined;
  /** Told when {@link AuthenticationPlan.isWaiting} changes. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined;
  readonly limits?: Partial<AgentLimits> | undefined;
}

/** 3 s for the agent's list; 60 s for a signature, since somebody may have to touch a key. */
export const defaultAgentLimits: AgentLimits = { listTimeoutMs: 3000, signTimeoutMs: 60_000 };

/** How one connection will authenticate. */
export interface AuthenticationPlan {
  /** For `Client.connect`. */
  readonly handler: AuthHandlerMiddleware;
  /** What was offered to the server so far, for people. */
  readonly tried: readonly string[];
  /**
   * A person is being asked, or the agent may be waiting for one: a connect timeout should stand
   * still.
   */
  readonly isWaiting: boolean;
  /**
   * What only the system's ssh could offer, for people; undefined when this plan has all there is.
   * Set for a security key that no agent holds, if the user has named it or there is no other key.
   */
  readonly needsSystemSsh: string | undefined;
  /**
   * Call it right after `connect()`.
   *
   * @throws TunnelError `UNSUPPORTED_SETTING` when ssh2 is not the version that was tested
   */
  install(client: Client): void;
  /**
   * Whether a connection that ended meanwhile ended because of what was offered: ssh2 has nothing
   * left to try, or the server hung up after too many attempts.
   *
   * @param error of ssh2; none when the server just closed the connection
   */
  isRefusal(error?: Error): boolean;
  /** The error when everything was refused. The methods that the server offers are known from before. */
  failure(methodsOffered?: readonly string[]): TunnelError;
  /** Lets go of the agent and of private keys. What still waits for an answer is dropped. */
  dispose(): void;
}

/** A server that hangs up after so many wrong attempts does so because of them. */
const MANY_REFUSALS = 5;
const DEFAULT_METHODS = ["publickey", "keyboard-interactive", "password"];

/**
 * Reads the keys of a host's settings and those of the agent, and plans in which order they are
 * offered. Meant for one connection. Nothing is asked of anybody before the server wants it.
 */
export async function planAuthentication(
  options: PlanAuthenticationOptions,
): Promise<AuthenticationPlan> {
  const { settings, limits } = options;
  const [agent, identities, certificates] = await Promise.all([
    settings.identityAgent === undefined
      ? undefined
      : openAgent(settings.identityAgent, { ...defaultAgentLimits, ...limits }),
    Promise.all(settings.identityFiles.map(readIdentityFile)),
    Promise.all(settings.certificateFiles.map(readCertificateFile)),
  ]);
  return createPlan(options, { agent, identities, certificates });
}

interface Found {
  readonly agent: Agent | undefined;
  readonly identities: readonly IdentityFile[];
  readonly certificates: readonly (CertificateFile | FileFault)[];
}

function createPlan(
  {
    settings,
    callbacks,
    logger,
    host,
    keyring = createKeyring(),
    onWaiting,
  }: PlanAuthenticationOptions,
  { agent, identities, certificates }: Found,
): AuthenticationPlan {
  const { user, hasOwnIdentity, identitiesOnly } = settings;
  const order = settings.preferredAuthentications ?? DEFAULT_METHODS;
  const sources = {
    identities,
    certificates: certificates.filter((file): file is CertificateFile => !isFileFault(file)),
    agentKeys: agent?.keys ?? [],
    identitiesOnly,
    hasOwnIdentity,
  };
  const tried: string[] = [];
  const asking = createAsking(logger, onWaiting);
  const interactive = createInteractiveMethods({ user, host }, callbacks, asking);
  const publicKey = createPublicKeyMethod({
    user,
    candidates: orderCandidates(sources),
    agent,
    opener: createIdentityOpener(callbacks.passphrase, keyring, asking),
    acceptedAlgorithms: settings.algorithms.pubkeyAcceptedAlgorithms,
    asking,
    logger,
    trying,
  });
  const shortcomings = findShortcomings(sources, certificates);
  const { securityKey } = shortcomings;
  const needsSystemSsh =
    securityKey && (hasOwnIdentity || publicKey.isExhausted)
      ? `${securityKey.label} is a security key, which only an agent or the ssh program can use`
      : undefined;

  let wire: AuthenticationWire | undefined;
  let proceed: ((method: AnyAuthMethod | false) => void) | undefined;
  let offered: readonly string[] | undefined;
  let refusals = 0;
  let hasAskedForNone = false;
  let isPasswordExpired = false;
  let isDisposed = false;
  let request: Buffer | undefined;
  let bug: unknown;

  function trying(label: string): void {
    if (!tried.includes(label)) tried.push(label);
    logger.debug({ host, offered: label }, "authenticating");
  }

  /** Sends the next request, or tells ssh2 that there is none. */
  async function advance(): Promise<void> {
    const next = await chooseNext().catch(stumble);
    whileConnected(() => proceed?.(next ?? false));
  }

  /** The server would accept the key it was asked about. */
  async function signAccepted(): Promise<void> {
    const signed = await publicKey.sign(held()).catch(stumble);
    if (signed === undefined) return advance();
    whileConnected(() => held().send(signed));
  }

  /** Goes on without an answer to what the server has asked. */
  function abandon(): void {
    wire?.abandonMethod();
    void advance();
  }

  function stumble(error: unknown): undefined {
    bug ??= error;
  }

  function whileConnected(send: () => void): void {
    if (isDisposed) return;
    try {
      send();
    } catch (error) {
      // The connection ended in the meantime; its owner hears that from ssh2.
      logger.debug({ host, reason: String(error) }, "an authentication was cut short");
    }
  }

  async function chooseNext(): Promise<AnyAuthMethod | false> {
    const none = { type: "none", username: user } as const;
    for (const method of order) {
      if (offered && !offered.includes(method)) continue;
      if (method === "publickey") {
        // oxlint-disable-next-line no-await-in-loop
        request = await publicKey.next(held());
        // It goes out in the place of the `none`.
        if (request) return none;
        continue;
      }
      if (mayNeedNothing()) break;
      // oxlint-disable-next-line no-await-in-loop
      const next = await interactive.next(method, abandon);
      if (next) {
        trying(method);
        return next;
      }
    }
    if (!mayNeedNothing()) return false;
    hasAskedForNone = true;
    return none;
  }

  /** Whether `none` tells something: what the server accepts, or that it wants nothing at all. */
  function mayNeedNothing(): boolean {
    return !hasAskedForNone && (offered === undefined || !offered.includes("publickey"));
  }

  function held(): AuthenticationWire {
    if (wire === undefined) throw new Error("install() was not called");
    return wire;
  }

  return {
    tried,
    needsSystemSsh,
    get isWaiting() {
      return asking.isWaiting;
    },
    handler(methodsLeft: string[] | null, isPartialSuccess, next) {
      proceed = next as (method: AnyAuthMethod | false) => void;
      if (methodsLeft) offered = methodsLeft;
      if (methodsLeft && !isPartialSuccess) refusals += 1;
      if (isPartialSuccess) {
        hasAskedForNone = true;
        publicKey.startAgain();
      }
      void advance();
    },
    install(client) {
      wire = takeHoldOf(client, {
        takeRequest() {
          const taken = request;
          request = undefined;
          return taken;
        },
        keyAccepted: () => void signAccepted(),
        passwordExpired() {
          isPasswordExpired = true;
          interactive.giveUp("password");
          abandon();
        },
      });
    },
    isRefusal(error) {
      if (error && "level" in error && error.level === "client-authentication") return true;
      if (error) return /too many authentication failures/iu.test(error.message);
      return refusals >= MANY_REFUSALS;
    },
    failure(methodsOffered) {
      if (bug !== undefined) {
        return new TunnelError("AUTHENTICATION_REFUSED", `could not authenticate at ${host}.`, {
          cause: bug,
          details: { stage: "authentication", tried },
        });
      }
      const { faults, ...evidence } = publicKey.evidence;
      const unusable = shortcomings.identities;
      // Defaults may well be missing.
      const reported = unusable.filter(({ isMissing }) => hasOwnIdentity || !isMissing);
      const identityFaults = [...reported.flatMap(({ fault }) => fault ?? []), ...faults];
      const { certificateFaults } = shortcomings;
      return authenticationFailure({
        user,
        host,
        tried,
        ...evidence,
        offered: methodsOffered ?? offered,
        namedFaults: [...(hasOwnIdentity ? identityFaults : []), ...certificateFaults],
        otherFaults: hasOwnIdentity ? [] : identityFaults,
        awaitsAgent: unusable.some(({ isPublicOnly }) => isPublicOnly),
        agentFailure: agent?.failure,
        isAgentMaybeLocked: agent?.isMaybeLocked === true,
        needsSystemSsh,
        isPasswordExpired,
        hasIdentity: identities.some(({ isMissing }) => !isMissing),
      });
    },
    dispose() {
      isDisposed = true;
      agent?.close();
      for (const { privateText } of identities) privateText?.fill(0);
    },
  };
}
