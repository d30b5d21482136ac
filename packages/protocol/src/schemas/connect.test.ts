import { describe, expect, expectTypeOf, test } from "vitest";
import { CLIENT_IDS, CLIENT_MODES } from "../client-info.ts";
import { validateParams } from "../validate.ts";
import {
  type ConnectParams,
  type HelloOk,
  connectChallengeSchema,
  connectParamsSchema,
  helloOkSchema,
} from "./connect.ts";

const client = { id: "cli", version: "dev", platform: "linux", mode: "cli" };
const device = { id: "d", publicKey: "p", signature: "s", signedAt: 1_700_000_000_000 };

const expectAccepted = (params: object): void => {
  expect(validateParams(connectParamsSchema, params)).toEqual({ ok: true, value: params });
};

describe("connect", () => {
  test("a protocol 3 client may sign without a nonce", () => {
    expectAccepted({
      minProtocol: 3,
      maxProtocol: 3,
      client,
      role: "operator",
      scopes: ["operator.admin"],
      device,
      auth: { token: "t", password: "" },
      locale: "",
      userAgent: "",
    });
  });

  test("a protocol 4 node may declare all it has", () => {
    expectAccepted({
      minProtocol: 4,
      maxProtocol: 4,
      client: {
        id: "node-host",
        displayName: "Workshop Pi",
        version: "2026.9.6",
        buildId: "b",
        platform: "linux",
        deviceFamily: "Linux",
        modelIdentifier: "m",
        timeZone: "Europe/Berlin",
        mode: "node",
        instanceId: "i",
      },
      caps: ["system"],
      commands: ["system.run"],
      computerUse: { any: [1] },
      workerRuns: { bundleHash: "h" },
      permissions: { screenRecording: false },
      pathEnv: "",
      role: "node",
      scopes: [],
      device: { ...device, nonce: "n" },
      auth: {
        bootstrapToken: "",
        deviceToken: "",
        approvalRuntimeToken: "",
        agentRuntimeIdentityToken: "",
      },
    });
  });

  test("a control UI may ask for a model catalogue", () => {
    expectAccepted({ minProtocol: 4, maxProtocol: 4, client, modelCatalog: { agentId: "main" } });
    expectAccepted({
      minProtocol: 4,
      maxProtocol: 4,
      client,
      modelCatalog: { shortId: "x", slugHint: "y" },
    });
  });

  test("every client id and mode of published peers may connect", () => {
    for (const id of CLIENT_IDS) {
      expectAccepted({ minProtocol: 3, maxProtocol: 4, client: { ...client, id } });
    }
    for (const mode of CLIENT_MODES) {
      expectAccepted({ minProtocol: 3, maxProtocol: 4, client: { ...client, mode } });
    }
  });

  test("the caps of an operator and of this project are free strings", () => {
    expectAccepted({
      minProtocol: 4,
      maxProtocol: 4,
      client,
      caps: ["tool-events", "invoke-progress"],
    });
  });

  test("the object is closed at every level", () => {
    const hello = { minProtocol: 4, maxProtocol: 4, client };
    for (const params of [
      { ...hello, x: 1 },
      { ...hello, client: { ...client, x: 1 } },
      { ...hello, device: { ...device, x: 1 } },
      { ...hello, auth: { x: 1 } },
      { ...hello, modelCatalog: { x: 1 } },
    ]) {
      expect(validateParams(connectParamsSchema, params)).toMatchObject({
        ok: false,
        detail: expect.stringContaining("unexpected property 'x'"),
      });
    }
  });

  test("the type knows the roles of its members", () => {
    expectTypeOf<ConnectParams["client"]["mode"]>().toEqualTypeOf<(typeof CLIENT_MODES)[number]>();
    expectTypeOf<ConnectParams["permissions"]>().toEqualTypeOf<
      Record<string, boolean> | undefined
    >();
  });
});

describe("hello-ok", () => {
  const hello = {
    type: "hello-ok",
    protocol: 4,
    server: { version: "0.3.0", connId: "c-81" },
    features: { methods: ["health", "node.list"], events: ["tick", "presence"], capabilities: [] },
    snapshot: {
      presence: [{ ts: 1, host: "gw", reason: "self", roles: ["operator"] }],
      health: {},
      stateVersion: { presence: 3, health: 9 },
      uptimeMs: 120_345,
      sessionDefaults: {
        defaultAgentId: "main",
        mainKey: "main",
        mainSessionKey: "agent:main:main",
        scope: "per-sender",
      },
    },
    auth: { method: "token", role: "operator", scopes: ["operator.read"] },
    policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
  };

  test("is read as a protocol 4 server sends it", () => {
    expect(helloOkSchema.parse(hello)).toEqual(hello);
  });

  test("is read without auth, as a protocol 3 server may send it", () => {
    const { auth: _auth, ...older } = { ...hello, protocol: 3 };
    expect(helloOkSchema.parse(older)).toEqual(older);
  });

  test("keeps what a newer server adds", () => {
    const newer = { ...hello, x: 1, server: { ...hello.server, y: 2 } };
    expect(helloOkSchema.parse(newer)).toEqual(newer);
  });

  test("is refused where a member is missing that native clients need", () => {
    const { snapshot: _snapshot, ...bare } = hello;
    expect(validateParams(helloOkSchema, bare)).toEqual({
      ok: false,
      detail: "must have required property 'snapshot'",
    });
  });

  test("does not let a misspelt member compile", () => {
    expectTypeOf<HelloOk>().not.toHaveProperty("polcy");
    expectTypeOf<keyof HelloOk["policy"]>().not.toEqualTypeOf<string>();
  });
});

test("a challenge needs a nonce and a time", () => {
  expect(connectChallengeSchema.safeParse({ nonce: "n", ts: 1, capabilities: ["c"] }).success).toBe(
    true,
  );
  expect(connectChallengeSchema.safeParse({ nonce: "", ts: 1 }).success).toBe(false);
  expect(connectChallengeSchema.safeParse({ nonce: "n", ts: -1 }).success).toBe(false);
});
