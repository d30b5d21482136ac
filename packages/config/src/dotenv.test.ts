import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadDotEnv, parseDotEnv } from "./dotenv.ts";

async function createDirectories(files: { cwd?: string; state?: string }) {
  const root = await mkdtemp(join(tmpdir(), "dotenv-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const cwd = join(root, "cwd");
  const stateDir = join(root, "state");
  await mkdir(cwd);
  await mkdir(stateDir);
  if (files.cwd !== undefined) await writeFile(join(cwd, ".env"), files.cwd);
  if (files.state !== undefined) await writeFile(join(stateDir, ".env"), files.state);
  return { cwd, stateDir };
}

test("lines with export, quotes, escapes and comments are understood", () => {
  const text = [
    "# comment",
    "A=1",
    "export B = two words  # note",
    "C='raw \\n $x' # note",
    'D="line\\nbreak \\" quote"',
    String.raw`G='C:\dir\' # note`,
    "E=a#b",
    "F=",
    "not a line",
    "1X=no",
  ].join("\r\n");
  expect(parseDotEnv(text)).toEqual({
    A: "1",
    B: "two words",
    C: "raw \\n $x",
    D: 'line\nbreak " quote',
    E: "a#b",
    F: "",
    G: "C:\\dir\\",
  });
});

test("the process wins over the working directory, and that over the state directory", async () => {
  const places = await createDirectories({ cwd: "A=cwd\nB=cwd\n", state: "A=s\nB=s\nC=s\n" });
  const { env, files, warnings } = await loadDotEnv({ env: { A: "" }, ...places });
  expect(env).toEqual({ A: "", B: "cwd", C: "s" });
  expect(files).toHaveLength(2);
  expect(warnings).toEqual([]);
});

test("a working directory cannot steer this program or what it starts", async () => {
  const names = [
    ...["OPENCLAW_GATEWAY_URL", "CLAWDBOT_A", "PATH", "NODE_OPTIONS", "LD_PRELOAD"],
    ...["NODE_TLS_REJECT_UNAUTHORIZED", "NODE_EXTRA_CA_CERTS", "SSH_ASKPASS", "https_proxy"],
    ...["SHELL", "HOME", "BASH_ENV", "SSL_CERT_FILE", "XDG_CONFIG_HOME"],
  ];
  const text = [...names.map((name) => `${name}=x`), "OK=1"].join("\n");
  const places = await createDirectories({ cwd: text, state: "OPENCLAW_GATEWAY_TOKEN=t\n" });
  const { env } = await loadDotEnv({ env: {}, ...places });
  expect(env).toEqual({ OK: "1", OPENCLAW_GATEWAY_TOKEN: "t" });
});

test("missing files are fine; one that cannot be read is a warning", async () => {
  const places = await createDirectories({});
  expect(await loadDotEnv({ env: {}, ...places })).toEqual({ env: {}, files: [], warnings: [] });
  await mkdir(join(places.stateDir, ".env"));
  expect((await loadDotEnv({ env: {}, ...places })).warnings).toHaveLength(1);
});
