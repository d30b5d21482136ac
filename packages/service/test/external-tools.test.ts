import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  launchdPlist,
  parseLaunchdPlist,
  type ServiceDefinition,
  serviceNames,
  systemdUnit,
} from "../src/index.ts";
import { skipReason } from "./skip-reason.ts";

const PLISTUTIL = "/usr/bin/plistutil";
const PYTHON = "/usr/bin/python3";
const ANALYZE = "/usr/bin/systemd-analyze";

const KINDS = ["gateway", "node", "tunnel"] as const;

const ODD: ServiceDefinition = {
  kind: "node",
  description: "100% <odd> & 'strange'",
  programArguments: [
    "/bin/true",
    "/opt/a & b/<node>",
    `"quoted"`,
    "it's",
    "100%",
    "$HOME",
    "${HOME}",
    "",
    ";",
    "é 漢 🚀",
    "two\nlines",
    String.raw`back\slash`,
  ],
  workingDirectory: "/tmp",
  environment: { A: `"x" 'y' %h $B \\`, EMPTY: "" },
};

function tool(path: string, debianPackage: string): boolean {
  return existsSync(path) || skipReason(`${path} is missing; apt-get install ${debianPackage}`);
}

/** `systemd-analyze verify` of a unit, as a user's manager would load it. */
async function verify(unit: string, name: string) {
  await using home = await temporaryDirectory();
  const path = home.file(name);
  await writeFile(path, unit);
  await mkdir(home.file("run"), { mode: 0o700 });
  const { status, stdout, stderr } = spawnSync(ANALYZE, ["verify", "--user", path], {
    encoding: "utf8",
    env: { HOME: home.path, XDG_RUNTIME_DIR: home.file("run"), LC_ALL: "C", PATH: "/usr/bin:/bin" },
  });
  return { status, output: `${stdout}${stderr}` };
}

test.runIf(tool(ANALYZE, "systemd"))(
  "systemd-analyze verify finds nothing to say about a unit of any kind",
  async () => {
    for (const kind of KINDS) {
      const unit = systemdUnit({
        kind,
        description: `OpenClaw ${kind}`,
        programArguments: [process.execPath, "/opt/openclaw.js", kind, "run", "--port", "18789"],
        workingDirectory: "/tmp",
        environment: { OPENCLAW_SERVICE_MARKER: "openclaw", PATH: "/usr/bin:/bin" },
        environmentFile: "/tmp/openclaw-test.env",
      });
      // oxlint-disable-next-line no-await-in-loop
      expect(await verify(unit, serviceNames(kind, "work").systemdUnit)).toEqual({
        status: 0,
        output: "",
      });
    }
  },
);

test.runIf(tool(ANALYZE, "systemd"))(
  "systemd-analyze verify takes the strangest words",
  async () => {
    expect(await verify(systemdUnit(ODD), "openclaw-node.service")).toEqual({
      status: 0,
      output: "",
    });
  },
);

test.runIf(tool(ANALYZE, "systemd"))("and it does notice what is wrong", async () => {
  const broken = systemdUnit(ODD).replace("ExecStart=", "ExecStart=not-absolute\nExecStart=");
  expect((await verify(`${broken}\nBogus=1\n`, "openclaw-node.service")).output).not.toBe("");
});

test.runIf(tool(PLISTUTIL, "libplist-utils"))(
  "a property list survives plistutil's way to the binary form and back",
  async () => {
    await using folder = await temporaryDirectory();
    const [xml, binary, again] = [
      folder.file("a.plist"),
      folder.file("b.plist"),
      folder.file("c.plist"),
    ];
    await writeFile(xml, launchdPlist(ODD));
    for (const [from, to] of [
      [xml, binary],
      [binary, again],
    ] as const) {
      const { status, stderr } = spawnSync(PLISTUTIL, ["-i", from, "-o", to], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    }
    expect((await readFile(binary)).subarray(0, 6).toString()).toBe("bplist");
    const parsed = parseLaunchdPlist(await readFile(again, "utf8"));
    expect(parsed).toEqual(parseLaunchdPlist(launchdPlist(ODD)));
    expect(parsed.programArguments).toEqual(ODD.programArguments);
  },
);

test.runIf(tool(PYTHON, "python3"))("Python's plistlib reads what is written", () => {
  const script =
    "import json,plistlib,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
  const result = spawnSync(PYTHON, ["-c", script], { input: launchdPlist(ODD), encoding: "utf8" });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(result.stdout)).toEqual({
    Label: "ai.openclaw.node",
    Comment: ODD.description,
    RunAtLoad: true,
    KeepAlive: true,
    ProgramArguments: ODD.programArguments,
    WorkingDirectory: "/tmp",
    EnvironmentVariables: ODD.environment,
    ExitTimeOut: 30,
  });
});
