import { join } from "node:path";
import { expect, test } from "vitest";
import {
  editConfigFile,
  findSecrets,
  formerSecrets,
  REDACTED,
  redactConfig,
  redactConfigText,
  restoreSecrets,
  restoreConfigText,
} from "../src/index.ts";
import { createFolder } from "./support/config-folder.ts";

const isSecret = (path: readonly (string | number)[]): boolean =>
  path.includes("headers") || /token|password/u.test(String(path.at(-1)));

const CONFIG = {
  gateway: { auth: { token: "s3cret", password: "${PASSWORD}" }, port: 1 },
  list: [{ token: "other" }, { headers: { a: "b" } }],
  token: "",
};

test("secrets that are written as such are found, references and what is empty are not", () => {
  expect(findSecrets(CONFIG, isSecret)).toEqual([
    ["gateway", "auth", "token"],
    ["list", 0, "token"],
    ["list", 1, "headers", "a"],
  ]);
});

test("a redacted config tells no secret, and everything else", () => {
  expect(redactConfig(CONFIG, isSecret)).toEqual({
    gateway: { auth: { token: REDACTED, password: "${PASSWORD}" }, port: 1 },
    list: [{ token: REDACTED }, { headers: { a: REDACTED } }],
    token: "",
  });
});

test("a URL that somebody wrote a credential into is hidden whole", () => {
  const url = "wss://gw.example/?token=s3cret";
  const config = { url, proxy: "http://me:s3cret@proxy.example", plain: "wss://gw.example/?a=b" };
  expect(redactConfig(config, isSecret)).toEqual({ ...config, url: REDACTED, proxy: REDACTED });
  expect(findSecrets(config, isSecret)).toEqual([["url"], ["proxy"]]);
});

test("a value below a secret is known by where it stands", () => {
  expect(redactConfig("b", isSecret, ["headers", "a"])).toBe(REDACTED);
});

test("a text keeps its comments when its secrets are hidden, and gets them back", async () => {
  const text =
    "{\n  // mine\n  gateway: { auth: { token: 's3cret' } }, // here\n  a: [{ token: 'x' }],\n}";
  const hidden = await redactConfigText(text, isSecret);
  expect(hidden).toBe(text.replace("'s3cret'", `"${REDACTED}"`).replace("'x'", `"${REDACTED}"`));
  const former = { gateway: { auth: { token: "s3cret" } }, a: [{ token: "x" }] };
  expect(await restoreConfigText(hidden ?? "", former)).toBe(
    text.replace("'s3cret'", '"s3cret"').replace("'x'", '"x"'),
  );
});

test("a text that cannot be read is not shown, since nobody knows what is secret in it", async () => {
  expect(await redactConfigText("{ token: 's3cret'", isSecret)).toBeNull();
});

test("a secret that a later member of the same name hides is not shown either", async () => {
  const text = '{a: {token: "one", token: "two"}, a: {token: "three"}, list: [{token: "four"}]}';
  const hidden = (await redactConfigText(text, isSecret)) ?? "";
  for (const secret of ["one", "two", "three", "four"]) expect(hidden).not.toContain(secret);
  expect(hidden.replaceAll(`"${REDACTED}"`, "0")).toBe(
    "{a: {token: 0, token: 0}, a: {token: 0}, list: [{token: 0}]}",
  );
});

const A = { id: "a", token: "of a" };
const B = { id: "b", token: "of b" };
const U = { url: "u", token: "of u" };
const V = { url: "v", token: "of v" };
const hide = (item: object): object => ({ ...item, token: REDACTED });

test.each<[string, object[], object[], object[]]>([
  ["turned round", [A, B], [hide(B), hide(A)], [B, A]],
  ["shorter", [A, B], [hide(B)], [B]],
  [
    "longer",
    [U, V],
    [hide(U), hide(V), { url: "w", token: "new" }],
    [U, V, { url: "w", token: "new" }],
  ],
  ["turned round without ids", [U, V], [hide(V), hide(U)], [V, U]],
  [
    "changed beside the secret",
    [U, V],
    [hide(U), hide({ ...V, url: "x" })],
    [U, { ...V, url: "x" }],
  ],
  ["changed beside the secret, with an id", [A, B], [{ ...hide(B), more: 1 }], [{ ...B, more: 1 }]],
])("secrets follow the items of a list that is %s", (_title, former, list, expected) => {
  expect(restoreSecrets({ list }, { list: former })).toEqual({ list: expected });
});

test.each<[string, unknown[], unknown[]]>([
  ["another id", [A], [hide({ id: "c" })]],
  ["one of two that look alike", [{ token: "x" }, { token: "y" }], [{ token: REDACTED }]],
  ["several items that changed", [U, V], [hide({ url: "x" }), hide({ url: "y" })]],
])("a secret is not given to %s", (_title, former, list) => {
  expect(() => restoreSecrets({ list }, { list: former })).toThrow(/no former value/u);
});

test("the mark where nothing was before is refused", () => {
  expect(() => formerSecrets({ gateway: { auth: { token: REDACTED } } }, {})).toThrow(
    "gateway.auth.token is __OPENCLAW_REDACTED__",
  );
});

test("a config gets its secrets back, in lists too", () => {
  expect(restoreSecrets(redactConfig(CONFIG, isSecret), CONFIG)).toEqual(CONFIG);
});

test.each(["gateway.auth.token", "gateway.remote.tlsFingerprint", "env.vars.A"])(
  "the mark itself is never written as a value: %s",
  async (key) => {
    const path = join(await createFolder(), "openclaw.json");
    await expect(editConfigFile(path, [{ path: key, value: REDACTED }])).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      issues: [{ path: key, message: expect.stringContaining("mark of a hidden secret") }],
    });
  },
);
