import type { ConnectErrorDetailCode } from "@openclaw/protocol";
import type { PeerUser } from "./peer-user.ts";

/** Whether somebody we trust has vouched for a person; `reason` is a word of the protocol. */
export type IdentityVerdict =
  | { ok: true; user: PeerUser }
  | { ok: false; reason: string; detailCode: ConnectErrorDetailCode; message: string };
