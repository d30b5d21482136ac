import { expect, test } from "vitest";
import {
  findSecrets,
  formerSecrets,
  REDACTED,
  redactConfig,
  redactConfigText,
  restoreSecrets,
  restoreConfigText,
} from "../src/index.ts";

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

test("the mark where nothing was before is refused", () => {
  expect(() => formerSecrets({ gateway: { auth: { token: REDACTED } } }, {})).toThrow(
    "gateway.auth.token is __OPENCLAW_REDACTED__",
  );
});

test("a config gets its secrets back, in lists too", () => {
  expect(restoreSecrets(redactConfig(CONFIG, isSecret), CONFIG)).toEqual(CONFIG);
});
