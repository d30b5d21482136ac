import { lookup } from "node:dns";
import { isPrivateHost } from "../gateway-url.ts";
import { PUBLIC_ADDRESS_CODE } from "./transport.ts";
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

/**
 * Resolves a name for a plaintext connection, and fails when any of its addresses is public: the
 * rule for plaintext is about where the bytes go, and a name such as `x.local` may lead anywhere.
 */
export function privateLookup(resolve: LookupFunction = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      if (error) return callback(error, address, family);
      const stranger = addressesOf(address).find((one) => !isPrivateHost(one.toLowerCase()));
      if (stranger === undefined) return callback(null, address, family);
      const refusal = new Error(`${hostname} resolves to the public address ${stranger}`);
      callback(Object.assign(refusal, { code: PUBLIC_ADDRESS_CODE }), "", 0);
    });
  };
}

function addressesOf(address: string | LookupAddress[]): readonly string[] {
  return typeof address === "string" ? [address] : address.map((one) => one.address);
}
