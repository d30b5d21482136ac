import { writeFile } from "node:fs/promises";
import { generateSshKey, hasSshd, startOpenSshServer, temporaryDirectory } from "@openclaw/testkit";
import type { SshServer, TemporaryDirectory } from "@openclaw/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownHostsName } from "../../src/host-keys/known-hosts-name.ts";
import { readKnownHosts } from "../../src/host-keys/known-hosts.ts";
import type { KnownHost } from "../../src/host-keys/known-hosts.ts";
import { orderHostKeyAlgorithms } from "../../src/host-keys/preferred-algorithms.ts";
import { recordHostKey } from "../../src/host-keys/record-host-key.ts";
import { readShownKey } from "../../src/host-keys/shown-key.ts";
import { decideHostKey } from "../../src/host-keys/verify-host-key.ts";
import { keyFromText } from "./support/test-keys.ts";
import type { TestKey } from "./support/test-keys.ts";
import { sshVerdict } from "./support/ssh-verdict.ts";

type Kind = "accept" | "accept-and-record" | "refuse";

/** What a known_hosts file leads to, under `yes`, `accept-new` and `no`. */
interface Case {
  readonly title: string;
  /** `HOST`, `OTHER`, `RSA` stand for keys, `PORT` for the server's port. */
  readonly lines: readonly string[];
  readonly alias?: string;
  readonly openssh: readonly [yes: Kind, acceptNew: Kind, no: Kind];
  /** Where this is stricter than OpenSSH. */
  readonly here?: readonly [yes: Kind, acceptNew: Kind, no: Kind];
}

const KNOWN = ["accept", "accept", "accept"] as const;
const UNKNOWN = ["refuse", "accept-and-record", "accept-and-record"] as const;
const CHANGED = ["refuse", "refuse", "accept"] as const;
const REFUSED = ["refuse", "refuse", "refuse"] as const;

const CASES: readonly Case[] = [
  { title: "an empty file", lines: [], alias: "box", openssh: UNKNOWN },
  { title: "the right key", lines: ["box HOST"], alias: "box", openssh: KNOWN },
  { title: "another key", lines: ["box OTHER"], alias: "box", openssh: CHANGED, here: REFUSED },
  {
    title: "a key of another type alone",
    lines: ["box RSA"],
    alias: "box",
    openssh: CHANGED,
    here: REFUSED,
  },
  {
    title: "another key and the right one",
    lines: ["box OTHER", "box HOST"],
    alias: "box",
    openssh: KNOWN,
  },
  {
    title: "malformed lines around the right key",
    lines: ["box", "box ssh-ed25519", "@odd box HOST", "|1|a|b HOST", "BOX HOST me\r"],
    alias: "box",
    openssh: KNOWN,
  },
  {
    title: "the right key behind a tab, a list and a pattern",
    lines: ["\ta,B?X,c\tHOST"],
    alias: "box",
    openssh: KNOWN,
  },
  { title: "a negated name", lines: ["*,!box HOST"], alias: "box", openssh: UNKNOWN },
  {
    title: "a revoked key that is known too",
    lines: ["@revoked * HOST", "box HOST"],
    alias: "box",
    openssh: CHANGED,
    here: REFUSED,
  },
  {
    title: "a mark of revocation with a tab behind it",
    lines: ["@revoked\t* HOST", "box HOST"],
    alias: "box",
    openssh: KNOWN,
    here: REFUSED,
  },
  {
    title: "the revocation of another key",
    lines: ["@revoked * OTHER", "box HOST"],
    alias: "box",
    openssh: KNOWN,
  },
  {
    title: "an alias that is known with a port alone",
    lines: ["[box]:PORT HOST"],
    alias: "box",
    openssh: UNKNOWN,
  },
  {
    title: "an alias that is unknown, of a host that is known",
    lines: ["[127.0.0.1]:PORT HOST", "127.0.0.1 HOST"],
    alias: "box",
    openssh: UNKNOWN,
  },
  { title: "the right key with the port", lines: ["[127.0.0.1]:PORT HOST"], openssh: KNOWN },
  { title: "the right key under the bare name", lines: ["127.0.0.1 HOST"], openssh: KNOWN },
  { title: "another key under the bare name", lines: ["127.0.0.1 OTHER"], openssh: UNKNOWN },
  { title: "the right key under another port", lines: ["[127.0.0.1]:1 HOST"], openssh: UNKNOWN },
  {
    title: "another key with the port, the right one under the bare name",
    lines: ["[127.0.0.1]:PORT OTHER", "127.0.0.1 HOST"],
    openssh: CHANGED,
    here: REFUSED,
  },
  {
    title: "the right key with the port, another under the bare name",
    lines: ["[127.0.0.1]:PORT HOST", "127.0.0.1 OTHER"],
    openssh: KNOWN,
  },
  {
    title: "a key that is revoked under the bare name",
    lines: ["@revoked 127.0.0.1 HOST"],
    openssh: ["refuse", "accept-and-record", "accept"],
    here: REFUSED,
  },
  {
    title: "an authority, while the host shows a plain key",
    lines: ["@cert-authority * OTHER"],
    openssh: UNKNOWN,
  },
];

describe.skipIf(!hasSshd)("beside OpenSSH (Debian package openssh-server)", () => {
  let server: SshServer;
  let directory: TemporaryDirectory;
  let keys: { HOST: TestKey; OTHER: TestKey; RSA: TestKey };

  beforeAll(async () => {
    directory = await temporaryDirectory();
    server = await startOpenSshServer({ hostKeyTypes: ["ed25519", "rsa"] });
    const other = await generateSshKey({ directory: directory.path });
    const [host, rsa] = server.hostKeys;
    keys = {
      HOST: keyFromText(host?.publicKey ?? ""),
      OTHER: keyFromText(other.publicKey),
      RSA: keyFromText(rsa?.publicKey ?? ""),
    };
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test.each(CASES)("$title", async ({ lines, alias, openssh, here = openssh }) => {
    const knownHosts = lines.map((line) => `${filled(line)}\n`).join("");
    const verdicts = await Promise.all(
      ["yes", "accept-new", "no"].map((strictHostKeyChecking) =>
        sshVerdict({
          directory: directory.path,
          port: server.port,
          knownHosts,
          strictHostKeyChecking,
          options: [
            "HostKeyAlgorithms=ssh-ed25519",
            ...(alias === undefined ? [] : [`HostKeyAlias=${alias}`]),
          ],
        }),
      ),
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(openssh);

    const known = await lookup(knownHosts, alias);
    const shown = readShownKey(known.name.display, keys.HOST.blob);
    const ours = (["yes", "accept-new", "no"] as const).map((strictHostKeyChecking) =>
      decideHostKey({ shown, known, policy: "openssh", strictHostKeyChecking }),
    );
    expect(ours.map(({ kind }) => kind)).toEqual(here);
    const recorded = verdicts.find(({ kind }) => kind === "accept-and-record");
    if (recorded !== undefined) {
      expect(recorded.added).toBe(`${known.name.display} ${keys.HOST.text}\n`);
    }
  });

  test("the address of a host is no second name of it", async () => {
    const knownHosts = `${filled("127.0.0.1,[127.0.0.1]:PORT OTHER")}\n${filled("[localhost]:PORT HOST")}\n`;
    const verdict = await sshVerdict({
      directory: directory.path,
      host: "localhost",
      port: server.port,
      knownHosts,
      strictHostKeyChecking: "yes",
      options: ["AddressFamily=inet", "HostKeyAlgorithms=ssh-ed25519"],
    });
    expect(verdict.kind).toBe("accept");
    const known = await lookup(knownHosts, undefined, "localhost");
    const shown = readShownKey(known.name.display, keys.HOST.blob);
    expect(
      decideHostKey({ shown, known, policy: "strict", strictHostKeyChecking: "yes" }).kind,
    ).toBe("accept");
  });

  test.each([
    ["the RSA key", ["[127.0.0.1]:PORT RSA"]],
    ["the ed25519 key", ["[127.0.0.1]:PORT HOST"]],
    ["both", ["[127.0.0.1]:PORT RSA", "[127.0.0.1]:PORT HOST"]],
    ["an authority", ["@cert-authority * OTHER"]],
    ["an authority and the RSA key", ["@cert-authority * OTHER", "* RSA"]],
    ["nothing", []],
  ])("a host of which %s is known is asked for the same algorithms", async (_what, lines) => {
    const knownHosts = lines.map((line) => `${filled(line)}\n`).join("");
    const question = { directory: directory.path, port: server.port, strictHostKeyChecking: "yes" };
    const { log: defaultLog } = await sshVerdict({ ...question, knownHosts: "" });
    const { log } = await sshVerdict({ ...question, knownHosts });
    const known = await lookup(knownHosts);
    expect(orderHostKeyAlgorithms(known, proposed(defaultLog))).toEqual(proposed(log));
  });

  test.each([false, true])("ssh knows a key that was recorded here, hashed: %s", async (hash) => {
    const file = directory.file(`recorded_${hash}`);
    const { display: name } = knownHostsName({
      hostName: server.host,
      port: server.port,
      hostKeyAlias: undefined,
    });
    const { type, blob } = keys.HOST;
    expect(await recordHostKey({ file, name, type, blob, hash })).toBe(true);
    const { kind, log } = await sshVerdict({
      directory: directory.path,
      port: server.port,
      knownHosts: "",
      strictHostKeyChecking: "yes",
      options: [`GlobalKnownHostsFile=${file}`, "HostKeyAlgorithms=ssh-ed25519"],
    });
    expect(log).toContain(`${file}:1`);
    expect(kind).toBe("accept");
  });

  function filled(line: string): string {
    return line
      .replaceAll("PORT", String(server.port))
      .replace("HOST", keys.HOST.text)
      .replace("OTHER", keys.OTHER.text)
      .replace("RSA", keys.RSA.text);
  }

  async function lookup(
    knownHosts: string,
    alias?: string,
    hostName: string = server.host,
  ): Promise<KnownHost> {
    await using own = await temporaryDirectory();
    await writeFile(own.file("known_hosts"), knownHosts);
    const hosts = await readKnownHosts([own.file("known_hosts")]);
    return hosts.lookup(knownHostsName({ hostName, port: server.port, hostKeyAlias: alias }));
  }
});

/** The host key algorithms that ssh has proposed, in its order. */
function proposed(log: string): readonly string[] {
  const list = /debug2: host key algorithms: (\S+)/u.exec(log)?.[1];
  if (list === undefined) throw new Error(`ssh has told no proposal: ${log}`);
  return list.split(",");
}
