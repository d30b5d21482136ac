import fc from "fast-check";
import { expect, test } from "vitest";
import { beaconOf, mergeBeacons, readSeenService, type SeenService } from "./beacon.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

const seen: SeenService = {
  name: "Studio (OpenClaw)",
  host: "openclaw.local",
  port: 18_789,
  addresses: ["192.0.2.7"],
  txt: {},
};

test("a bare answer is a beacon with what can be known of it", () => {
  expect(beaconOf(seen)).toEqual({
    instanceName: "Studio (OpenClaw)",
    displayName: "Studio",
    domain: "local.",
    host: "openclaw.local",
    port: 18_789,
    addresses: ["192.0.2.7"],
    gatewayTls: false,
    txt: {},
    wsUrl: "ws://openclaw.local:18789",
  });
});

test("the URL prefers the tailnet name, then the LAN name, and is wss where TLS is said to be on", () => {
  const txt = { lanHost: "studio.local", gatewayPort: "19001", gatewayTls: "1" };
  expect(beaconOf({ ...seen, txt }).wsUrl).toBe("wss://studio.local:19001");
  const tailnetDns = "studio.tail.ts.net";
  expect(beaconOf({ ...seen, txt: { ...txt, tailnetDns } }).wsUrl).toBe(
    "wss://studio.tail.ts.net:19001",
  );
  expect(beaconOf({ ...seen, host: undefined }).wsUrl).toBeUndefined();
});

test.each([
  [{ lanHost: "evil.example/x?token=" }, { wsUrl: "ws://openclaw.local:18789" }],
  [{ lanHost: "me@evil.example" }, { wsUrl: "ws://openclaw.local:18789" }],
  [{ tailnetDns: "-oProxyCommand=reboot" }, { wsUrl: "ws://openclaw.local:18789" }],
  [{ gatewayPort: "70000" }, { wsUrl: "ws://openclaw.local:18789" }],
  [{ gatewayPort: "1e3" }, { wsUrl: "ws://openclaw.local:18789" }],
  [{ gatewayTls: "yes" }, { gatewayTls: false }],
])("a TXT record with %j changes nothing that is used", (txt, expected) => {
  const beacon = beaconOf({ ...seen, txt });
  expect(beacon).toMatchObject(expected);
  expect(beacon).not.toHaveProperty("tailnetDns");
  expect(beacon).not.toHaveProperty("lanHost");
});

test("a fingerprint is shown only when it is one", () => {
  const fingerprint = "ab".repeat(32);
  const beacon = beaconOf({ ...seen, txt: { gatewayTlsSha256: fingerprint } });
  expect(beacon.gatewayTlsFingerprintSha256).toBe(fingerprint);
  const other = beaconOf({ ...seen, txt: { gatewayTlsSha256: "trust me" } });
  expect(other).not.toHaveProperty("gatewayTlsFingerprintSha256");
});

test("the same instance is one entry, to which later answers only add", () => {
  const first = beaconOf(seen);
  const later = beaconOf({
    ...seen,
    addresses: ["192.0.2.8"],
    txt: { displayName: "Mine now", sshPort: "2222" },
  });
  const [merged, ...others] = mergeBeacons([first, later, first]);
  expect(others).toEqual([]);
  expect(merged).toMatchObject({
    displayName: "Studio",
    sshPort: 2222,
    addresses: ["192.0.2.7", "192.0.2.8"],
  });
});

test("the same name at another place is another entry, and entries are sorted by name", () => {
  const names = mergeBeacons([
    beaconOf({ ...seen, host: "rogue.local" }),
    beaconOf({ ...seen, name: "attic (OpenClaw)" }),
    beaconOf(seen),
  ]).map(({ displayName, host }) => `${displayName} ${host}`);
  expect(names).toEqual(["attic openclaw.local", "Studio openclaw.local", "Studio rogue.local"]);
});

test.each(["A.0", "0", "box.0x7f", "1.2.3"])(
  "%j is no name, since a URL takes it for an address",
  (host) => {
    const beacon = beaconOf({ ...seen, host, txt: {} });
    expect([beacon.host, beacon.wsUrl]).toEqual([undefined, undefined]);
  },
);

test("whatever a helper reports is a service or nothing, and a service is always a beacon", () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.record({
      name: fc.oneof(fc.string({ unit: "binary" }), fc.anything()),
      host: fc.anything(),
      port: fc.anything(),
      addresses: fc.anything(),
      txt: fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.string({ unit: "binary" }))),
    }),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const service = readSeenService(value);
      if (service === undefined) return;
      const beacon = beaconOf(service);
      if (beacon.wsUrl !== undefined) expect(URL.canParse(beacon.wsUrl)).toBe(true);
      expect(mergeBeacons([beacon, beacon])).toHaveLength(1);
    }),
    { numRuns },
  );
});
