/** Which protocol versions to offer, how to sign and what to authenticate with. */
export interface ConnectPlan {
  readonly minProtocol: number;
  readonly maxProtocol: number;
  readonly signature: "v2" | "v3";
  readonly credential: Credential;
}

/** The `auth` member of the handshake, and whether it carries a device token. */
export interface Credential {
  readonly auth: ConnectAuth | undefined;
  readonly usesDeviceToken: boolean;
}

export interface ConnectAuth {
  readonly token?: string;
  readonly password?: string;
  readonly deviceToken?: string;
  readonly bootstrapToken?: string;
}

/** What earlier attempts taught about this Gateway. */
export interface PeerMemory {
  /** The Gateway asked for protocol 3. */
  onlyProtocol3: boolean;
  /** The Gateway did not accept a v3 signature. */
  onlyV2: boolean;
  /** A hello of protocol 4 has been seen. */
  speaks4: boolean;
  /** The shared secret was refused, and the Gateway offered to try the device token. */
  tryDeviceToken: boolean;
  /** The setup code has done its work, or will never do it. */
  bootstrapIsOver: boolean;
}

export interface PlanInput {
  readonly role: "operator" | "node";
  readonly mode: string;
  readonly minProtocol: number | undefined;
  readonly maxProtocol: number | undefined;
  readonly token: string | undefined;
  readonly password: string | undefined;
  /** Given by hand or kept from an earlier hello. */
  readonly deviceToken: string | undefined;
  /** Of a setup code. */
  readonly bootstrapToken: string | undefined;
  readonly memory: PeerMemory;
}

/**
 * Decides the next attempt. Nodes and probes offer 3 to 4 with a v2 signature, which both
 * generations accept. Operators offer 4 alone, and 3 alone once they were told so, because each
 * generation accepts an operator only so.
 */
export function planConnect(input: PlanInput): ConnectPlan {
  const { memory } = input;
  const acceptsRange = input.role === "node" || input.mode === "probe";
  // Setup codes came with protocol 4, and the closed schema of 3 knows no field for them.
  const usesCode = input.bootstrapToken !== undefined && !memory.bootstrapIsOver;
  const oldest = (memory.onlyProtocol3 || acceptsRange) && !usesCode ? 3 : 4;
  const newest = memory.onlyProtocol3 && !usesCode ? 3 : 4;
  const maxProtocol = input.maxProtocol ?? Math.max(newest, input.minProtocol ?? 0);
  const minProtocol = input.minProtocol ?? Math.min(oldest, maxProtocol);
  // A peer that only knows 3 refuses an offer of 4 alone before it looks at the signature.
  const knows4 = minProtocol >= 4 || (memory.speaks4 && maxProtocol >= 4);
  return {
    minProtocol,
    maxProtocol,
    signature: knows4 && !memory.onlyV2 ? "v3" : "v2",
    credential: chooseCredential(input),
  };
}

/** True when the plan follows from the defaults and may change with what the Gateway answers. */
export function mayRenegotiate(input: PlanInput): boolean {
  return input.minProtocol === undefined && input.maxProtocol === undefined;
}

/** A setup code alone while it is good; then the explicit secret; the device token beside it only when the Gateway offered to take it. */
function chooseCredential(input: PlanInput): Credential {
  const { token, password, deviceToken, bootstrapToken, memory } = input;
  if (bootstrapToken !== undefined && !memory.bootstrapIsOver)
    return { auth: { bootstrapToken }, usesDeviceToken: false };
  if (token !== undefined || password !== undefined) {
    const secret = {
      ...(token === undefined ? {} : { token }),
      ...(password === undefined ? {} : { password }),
    };
    if (!memory.tryDeviceToken || deviceToken === undefined) {
      return { auth: secret, usesDeviceToken: false };
    }
    return { auth: { ...secret, deviceToken }, usesDeviceToken: true };
  }
  if (deviceToken === undefined) return { auth: undefined, usesDeviceToken: false };
  // Every generation looks for a device token in `token`; a closed schema of 3 knows no `deviceToken`.
  const auth = memory.speaks4 ? { deviceToken } : { token: deviceToken };
  return { auth, usesDeviceToken: true };
}
