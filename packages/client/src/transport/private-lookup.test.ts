import { expect, test } from "vitest";
import { privateLookup } from "./private-lookup.ts";
import { PUBLIC_ADDRESS_CODE } from "./transport.ts";
import type { LookupAddress } from "node:dns";

function resolve(answer: string | LookupAddress[]): Promise<string | LookupAddress[]> {
  const lookup = privateLookup((_, __, callback) => callback(null, answer, 4));
  return new Promise((done, fail) => {
    lookup("workshop.local", {}, (error, address) => (error ? fail(error) : done(address)));
  });
}

test("a name that stays in the private network is dialled", async () => {
  await expect(resolve("192.168.1.9")).resolves.toBe("192.168.1.9");
  const both = [
    { address: "FE80::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ];
  await expect(resolve(both)).resolves.toBe(both);
});

test("a name with one public address is not", async () => {
  await expect(resolve("8.8.8.8")).rejects.toMatchObject({ code: PUBLIC_ADDRESS_CODE });
  const mixed = [
    { address: "10.0.0.1", family: 4 },
    { address: "2001:db8::1", family: 6 },
  ];
  await expect(resolve(mixed)).rejects.toThrow("2001:db8::1");
});
