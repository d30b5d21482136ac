import { expect, test } from "vitest";
import { createAddressList } from "../listener/address-list.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import { type TrustedProxyAuth, scopeCaps, verifyTrustedProxy } from "./trusted-proxy.ts";

const PROXY = "10.0.0.2";
const auth: TrustedProxyAuth = { mode: "trusted-proxy", userHeader: "X-Forwarded-User" };

const from = (
  headers: Record<string, string[]>,
  { socketAddress = PROXY, via = "proxy" }: Partial<Pick<PeerOrigin, "socketAddress" | "via">> = {},
): PeerOrigin => ({
  address: "203.0.113.9",
  socketAddress,
  via,
  isLocal: false,
  host: "claw.example",
  browserOrigin: undefined,
  isBrowser: false,
  userAgent: undefined,
  proxyHeaders: headers,
});

function reason(
  origin: PeerOrigin,
  more: Partial<TrustedProxyAuth> = {},
  ownAddresses: () => Iterable<string> = () => [],
): string {
  const trustedProxies = createAddressList("trustedProxies", ["10.0.0.0/8", "127.0.0.1"]);
  const verdict = verifyTrustedProxy(
    origin,
    { ...auth, ...more },
    { trustedProxies, ownAddresses },
  );
  return verdict.ok ? `ok ${verdict.user.login}` : verdict.reason.replace("trusted_proxy_", "");
}

const ada = { "x-forwarded-user": ["ada"] };

test("a proxy that is trusted names the user", () => {
  expect(reason(from(ada))).toBe("ok ada");
  expect(reason(from({ "x-forwarded-user": [" ada "] }))).toBe("ok ada");
});

test("whoever does not come through one is refused, whatever it says", () => {
  expect(reason(from(ada, { via: "direct" }))).toBe("untrusted_source");
  expect(reason(from(ada, { via: "serve" }))).toBe("untrusted_source");
  expect(reason(from(ada, { socketAddress: "192.0.2.7" }))).toBe("untrusted_source");
});

test("this machine is no proxy, by any of its addresses, unless it is said of loopback", () => {
  expect(reason(from(ada, { socketAddress: "127.0.0.1" }))).toBe("loopback_source");
  expect(reason(from(ada, { socketAddress: "127.0.0.1" }), { allowLoopback: true })).toBe("ok ada");
  const own = (): string[] => ["192.168.1.1", "::ffff:10.0.0.2"];
  expect(reason(from(ada), {}, own)).toBe("local_interface_source");
  expect(reason(from(ada), { allowLoopback: true }, own)).toBe("local_interface_source");
  const unknown = (): never => {
    throw new Error("EPERM");
  };
  expect(reason(from(ada), {}, unknown)).toBe("local_interface_check_failed");
});

test("every required header has to be there, once", () => {
  const required = { requiredHeaders: ["X-Auth-By", "X-Auth-Level"] };
  const all = { ...ada, "x-auth-by": ["sso"], "x-auth-level": ["2"] };
  expect(reason(from(all), required)).toBe("ok ada");
  expect(reason(from({ ...all, "x-auth-level": [] }), required)).toBe(
    "missing_header_x-auth-level",
  );
  expect(reason(from({ ...all, "x-auth-by": ["sso", "me"] }), required)).toBe(
    "missing_header_x-auth-by",
  );
});

test("a user that is missing, empty or named twice is nobody", () => {
  for (const values of [undefined, [], [""], ["  "], ["ada", "root"]])
    expect(reason(from(values === undefined ? {} : { "x-forwarded-user": values }))).toBe(
      "user_missing",
    );
});

test("only the users that are listed come in, exactly as they are listed", () => {
  const allowUsers = ["ada", "bob"];
  expect(reason(from(ada), { allowUsers })).toBe("ok ada");
  for (const user of ["Ada", "ad", "ada,bob", "eve"])
    expect(reason(from({ "x-forwarded-user": [user] }), { allowUsers })).toBe("user_not_allowed");
  expect(reason(from(ada), { allowUsers: [] })).toBe("ok ada");
});

test("each cap on scopes counts, whoever has set it", () => {
  expect(scopeCaps(from({}))).toEqual([]);
  expect(
    scopeCaps(from({ "x-openclaw-scopes": ["operator.read, operator.talk", "operator.admin"] })),
  ).toEqual([["operator.read", "operator.talk"], ["operator.admin"]]);
  expect(scopeCaps(from({ "x-openclaw-scopes": [""] }))).toEqual([[]]);
});
