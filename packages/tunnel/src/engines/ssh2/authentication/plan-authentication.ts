import type { AnyAuthMethod, AuthHandlerMiddleware, Client } from "ssh2";
import { TunnelError } from "../../../errors.ts";
import type { Logger } from "../../../logger.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import type { AuthenticationCallbacks } from "../../engine.ts";
import { type Agent, type AgentLimits, openAgent } from "./agent.ts";
import { createAsking } from "./asking.ts";
import { authenticationFailure } from "./authentication-failure.ts";
import { orderCandidates, sourceOf } from "./candidates.ts";
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
  /** The error when everything was refused. The methods that the server offers are known from before. */
  failure(methodsOffered?: readonly string[]): TunnelError;
  /** Lets go of the agent and of private keys. What still waits for an answer is dropped. */
  dispose(): void;
}

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
  const needsSystemSsh = securityKeyWithoutAgent();

  let wire: AuthenticationWire | undefined;
  let proceed: ((method: AnyAuthMethod | false) => void) | undefined;
  let offered: readonly string[] | undefined;
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
      const next = await interactive.next(method, () => void advance());
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

  function securityKeyWithoutAgent(): string | undefined {
    const key = identities.find(
      (identity) =>
        identity.isSecurityKey &&
        identity.publicKey !== undefined &&
        sourceOf(identity.publicKey.blob, sources) === undefined,
    );
    if (key === undefined || (!hasOwnIdentity && !publicKey.isExhausted)) return undefined;
    return `${key.label} is a security key, which only an agent or the ssh program can use`;
  }

  /** Identities that cannot sign, neither by themselves nor through the agent. */
  const orphans = identities.filter(
    ({ publicKey: key, privateText }) =>
      privateText === undefined && (!key || sourceOf(key.blob, sources) === undefined),
  );

  function namedFaults(): FileFault[] {
    const ofIdentities = orphans.flatMap(({ fault }) => fault ?? []);
    return [
      ...(hasOwnIdentity ? [...ofIdentities, ...publicKey.evidence.faults] : []),
      ...certificates.flatMap((file) =>
        isFileFault(file) ? file : (certificateFault(file) ?? []),
      ),
    ];
  }

  function certificateFault({ path, certificate }: CertificateFile): FileFault | undefined {
    if (!certificate.isForUsers) {
      return { file: path, message: "certifies a host and no user", hint: undefined };
    }
    if (sourceOf(certificate.keyBlob, sources) !== undefined) return undefined;
    return { file: path, message: "certifies a key that is not here", hint: undefined };
  }

  /** Default files may well be missing. */
  function otherFaults(): FileFault[] {
    if (hasOwnIdentity) return [];
    const present = orphans.filter(({ isMissing }) => !isMissing);
    return [...present.flatMap(({ fault }) => fault ?? []), ...publicKey.evidence.faults];
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
          wire?.abandonMethod();
          void advance();
        },
      });
    },
    failure(methodsOffered) {
      if (bug !== undefined) {
        return new TunnelError("AUTHENTICATION_REFUSED", `could not authenticate at ${host}.`, {
          cause: bug,
          details: { stage: "authentication", tried },
        });
      }
      const { evidence } = publicKey;
      return authenticationFailure({
        user,
        host,
        tried,
        skipped: evidence.skipped,
        offered: methodsOffered ?? offered,
        unsigned: evidence.unsigned,
        locked: evidence.locked,
        unopened: evidence.unopened,
        namedFaults: namedFaults(),
        otherFaults: otherFaults(),
        awaitsAgent: orphans.some(({ isPublicOnly }) => isPublicOnly),
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
