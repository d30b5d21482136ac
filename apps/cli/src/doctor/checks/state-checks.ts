import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, lstat, open, readdir, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { asObject, hasCode, isObject, messageOf, runTokenPath } from "@openclaw/app-kit";
import { isEnvSwitchOn, migrateState, stateFiles } from "@openclaw/config";
import { instancePath } from "@openclaw/gateway/inspect";
import { isAlive } from "@openclaw/gateway/instance-file";
import { shellWord } from "../../config/shell-word.ts";
import type { AuditFiles, FileFacts } from "../../security/audit-facts.ts";
import { gatherFacts } from "../../security/gather-facts.ts";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";
import { putAside } from "../keep-file.ts";

const DISK_ERROR_BYTES = 50 * 1024 * 1024;
const DISK_WARN_BYTES = 500 * 1024 * 1024;
/** A config file under a former name, and copies of it. */
const FORMER_CONFIG = /^(?:clawdbot|moltbot|moldbot)\.json(?:\.|$)/u;
/** What every database of SQLite begins with. */
const SQLITE_HEAD = Buffer.from("SQLite format 3\0");
/** Bits of everybody but the owner. */
const FOREIGN_BITS = 0o077;
const FOREIGN_WRITE = 0o022;

/** What is kept on the disk: where, by whom it can be read, and whether it is whole. */
export const stateChecks: readonly Check[] = [
  {
    group: "State",
    codes: ["state.legacy_location", "state.second_location"],
    isFoundation: true,
    run: legacyLocations,
  },
  { group: "State", codes: ["state.mode"], run: fileModes },
  { group: "State", codes: ["state.owner"], run: fileOwners },
  { group: "State", codes: ["state.identity_unreadable"], run: identityFile },
  { group: "State", codes: ["state.tokens_unreadable"], run: tokenStore },
  { group: "State", codes: ["state.file_unreadable"], run: otherFiles },
  { group: "State", codes: ["state.store_unreadable"], run: gatewayStore },
  { group: "State", codes: ["state.stale_file"], run: staleFiles },
  { group: "State", codes: ["state.disk_full"], run: diskSpace },
];

async function legacyLocations({ context, env }: DoctorFacts): Promise<DoctorFinding[]> {
  const { paths, io } = context;
  if (isEnvSwitchOn(env, "OPENCLAW_NIX_MODE")) return [];
  // The environment as it came: a profile's own folder is no override of anybody's.
  const options = { env: context.env, home: paths.home, programName: io.programName };
  const planned = await migrateState({ ...options, isDryRun: true });
  const findings: DoctorFinding[] = planned.warnings.map((warning) => ({
    code: "state.second_location",
    severity: "warn",
    title: "State of an earlier release is still somewhere else",
    evidence: [warning],
    fix: `Look at both, and remove the one that you do not need.`,
  }));
  // A fresh machine gets its links when a Gateway starts; nothing is wrong with it.
  const isMove = planned.lines.some((line) => line.startsWith("moves"));
  if (!isMove) return findings;
  return [
    {
      code: "state.legacy_location",
      severity: "warn",
      title: "State is where an earlier release kept it",
      evidence: planned.lines,
      fix: context.commandLine("doctor --fix --only state.legacy_location"),
      repair: {
        question: `Move it to where this release looks? The former places stay as links.`,
        async apply() {
          const { lines, warnings, recordPath } = await migrateState(options);
          if (recordPath === undefined) throw new Error(warnings.join(" "));
          return {
            did: `${lines.join("; ")}.`,
            undo: context.commandLine("doctor --undo-migration"),
          };
        },
      },
    },
    ...findings,
  ];
}

async function fileModes({ context, machine }: DoctorFacts): Promise<DoctorFinding[]> {
  if (machine.platform === "win32") return [];
  const { files } = await gatherFacts(context);
  const known = [...privateFolders(files), ...privateFiles(files)];
  const more = await Promise.all(
    (await furtherFiles(context.paths)).map(async ([path, wanted]) => {
      const found = await factsOf(path);
      return found === undefined ? [] : [{ file: found, wanted }];
    }),
  );
  return [...known, ...more.flat()].flatMap(({ file, wanted }) => looseMode(file, wanted));
}

interface WantedMode {
  readonly file: FileFacts;
  readonly wanted: number;
}

function privateFolders({ stateDir, credentialsDir, agentDirs }: AuditFiles): WantedMode[] {
  const folders = [stateDir, credentialsDir, ...agentDirs].filter((file) => file !== undefined);
  return folders.map((file) => ({ file, wanted: 0o700 }));
}

function privateFiles({ config, includes, authProfiles, sessionStores }: AuditFiles): WantedMode[] {
  const files = [config, ...includes, ...authProfiles, ...sessionStores];
  return files.filter((file) => file !== undefined).map((file) => ({ file, wanted: 0o600 }));
}

/** What the security audit does not ask about: keys, tokens, and copies of the config. */
async function furtherFiles({
  stateDir,
  configPath,
}: DoctorFacts["context"]["paths"]): Promise<(readonly [path: string, wanted: number])[]> {
  const files = stateFiles(stateDir);
  const copies = (await names(dirname(configPath))).filter(
    (name) => name.startsWith(`${basename(configPath)}.`) || FORMER_CONFIG.test(name),
  );
  return [
    [dirname(files.deviceIdentity), 0o700],
    [join(stateDir, "gateway"), 0o700],
    ...Object.values(files).map((path) => [path, 0o600] as const),
    ...copies.map((name) => [join(dirname(configPath), name), 0o600] as const),
    [join(stateDir, "gateway", "tls", "gateway-key.pem"), 0o600],
    [join(stateDir, "service", "gateway.env"), 0o600],
  ];
}

function looseMode({ path, mode, isLink }: FileFacts, wanted: number): DoctorFinding[] {
  // What a link leads to may be shared on purpose.
  if (mode === undefined || isLink || (mode & FOREIGN_BITS) === 0) return [];
  const isWritable = (mode & FOREIGN_WRITE) !== 0;
  const command = `chmod ${wanted.toString(8)} ${shellWord(path)}`;
  return [
    {
      code: "state.mode",
      severity: isWritable ? "error" : "warn",
      title: isWritable ? "Others can change a private file" : "Others can read a private file",
      evidence: [`${path} has mode ${mode.toString(8)}`],
      fix: command,
      repair: {
        question: `${command}?`,
        async apply() {
          await chmod(path, wanted);
          return {
            did: `Set the mode of ${path} to ${wanted.toString(8)}.`,
            undo: `chmod ${mode.toString(8)} ${shellWord(path)}`,
          };
        },
      },
    },
  ];
}

/** One `sudo` is enough for files that this user cannot change any more. */
async function fileOwners({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const own = process.getuid?.();
  if (own === undefined) return [];
  const { stateDir, configPath } = context.paths;
  const paths = [stateDir, configPath, join(stateDir, "identity"), join(stateDir, "gateway")];
  const owners = await Promise.all(
    paths.map(async (path) => ({ path, uid: (await stat(path).catch(() => undefined))?.uid })),
  );
  const foreign = owners.filter(({ uid }) => uid !== undefined && uid !== own);
  if (foreign.length === 0) return [];
  return [
    {
      code: "state.owner",
      severity: own === 0 ? "warn" : "error",
      title: "State belongs to another user",
      evidence: foreign.map(
        ({ path, uid }) => `${path} belongs to user ${uid}, and you are ${own}`,
      ),
      fix:
        own === 0
          ? "Run commands as that user, without sudo."
          : `sudo chown -R ${own} ${shellWord(stateDir)}`,
    },
  ];
}

/** Read here and never by what would make a new one: the device would be another, unasked. */
function identityFile({ context }: DoctorFacts): DoctorFinding[] {
  const path = stateFiles(context.paths.stateDir).deviceIdentity;
  if (!existsSync(path)) return [];
  const why = unreadableJson(path) ?? wrongIdentity(path);
  if (why === undefined) return [];
  return [
    {
      code: "state.identity_unreadable",
      severity: "error",
      title: "The key of this device cannot be read",
      evidence: [`${path}: ${why}`],
      fix: `Put it back from a backup; else start as a new device, to be paired again: mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
    },
  ];
}

/** The file is an object by now. */
function wrongIdentity(path: string): string | undefined {
  const { version, deviceId, privateKeyPem } = asObject(JSON.parse(readFileSync(path, "utf8")));
  if (version !== 1) return "its version is not 1";
  try {
    const key = createPrivateKey(String(privateKeyPem));
    if (key.asymmetricKeyType !== "ed25519") return "its key is not an Ed25519 key";
    // The last 32 bytes of such a document are the raw key.
    const raw = createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);
    const id = createHash("sha256").update(raw).digest("hex");
    return id === deviceId ? undefined : "its deviceId is not that of its key";
  } catch {
    // The message might quote the key.
    return "its privateKeyPem is no private key";
  }
}

async function tokenStore({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const path = stateFiles(context.paths.stateDir).deviceTokens;
  if (!existsSync(path)) return [];
  const why = await failureOf(async () => {
    const { fileTokenStore } = await import("@openclaw/client");
    await fileTokenStore(path).get({ endpoint: "", role: "", deviceId: "" });
  });
  if (why === undefined) return [];
  return [
    {
      code: "state.tokens_unreadable",
      severity: "error",
      title: "The tokens of this device cannot be read",
      evidence: [why],
      // The key proves who this device is, so that the next connection brings a new token.
      fix: `mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
      repair: {
        question: `Move ${path} aside? Gateways give new tokens to the key of this device.`,
        apply: () => putAside(path),
      },
    },
  ];
}

async function otherFiles({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const { node, execApprovals } = stateFiles(context.paths.stateDir);
  return [node, execApprovals].flatMap((path): DoctorFinding[] => {
    const why = unreadableJson(path);
    if (why === undefined) return [];
    return [
      {
        code: "state.file_unreadable",
        severity: "error",
        title: "A file of this program cannot be read",
        evidence: [`${path}: ${why}`],
        fix: `Put it back from a backup; else begin anew: mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
      },
    ];
  });
}

function unreadableJson(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return hasCode(error, "ENOENT") ? undefined : messageOf(error);
  }
  try {
    return isObject(JSON.parse(text)) ? undefined : "it is not an object";
  } catch {
    // The parser's message quotes the text.
    return "it is not JSON";
  }
}

/** Who is paired stands there; a Gateway refuses to start with it rather than begin anew. */
async function gatewayStore({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const path = join(context.paths.stateDir, "gateway", "gateway.sqlite");
  const head = await firstBytes(path, SQLITE_HEAD.length);
  if (head === undefined || head.equals(SQLITE_HEAD)) return [];
  return [
    {
      code: "state.store_unreadable",
      severity: "error",
      title: "The file of what is paired is no database",
      evidence: [`${path} ${head.length === 0 ? "is empty" : "begins with something else"}`],
      fix: `Put it back from a backup; else every device has to be paired again: mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
    },
  ];
}

async function firstBytes(path: string, count: number): Promise<Buffer | undefined> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What a process that is gone has left: told so that nobody takes it for something that runs. */
async function staleFiles({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const { stateDir, configPath } = context.paths;
  const records = (await names(join(stateDir, "tunnels")))
    .filter((name) => /^[^.]+\.json$/u.test(name))
    .map((name) => join(stateDir, "tunnels", name));
  const candidates = [
    instancePath(stateDir),
    runTokenPath(stateDir),
    `${configPath}.lock`,
    ...records,
  ];
  return candidates.flatMap((path): DoctorFinding[] => {
    const pid = pidIn(path);
    if (pid === undefined || isAlive(pid)) return [];
    return [
      {
        code: "state.stale_file",
        severity: "info",
        title: "A process that is gone has left a file",
        evidence: [`${path} is of process ${pid}, which does not run`],
        fix: `mv ${shellWord(path)} ${shellWord(`${path}.bak`)}`,
        repair: { question: `Move ${path} aside?`, apply: () => putAside(path) },
      },
    ];
  });
}

function pidIn(path: string): number | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    const pid = isObject(value) ? value["pid"] : undefined;
    return typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function diskSpace({ context }: DoctorFacts): Promise<DoctorFinding[]> {
  const folder = [context.paths.stateDir, context.paths.home].find((path) => existsSync(path));
  if (folder === undefined) return [];
  const { bavail, bsize } = await statfs(folder);
  return lowDisk(folder, bavail * bsize);
}

/** What to say about so much room. */
export function lowDisk(folder: string, freeBytes: number): DoctorFinding[] {
  if (freeBytes >= DISK_WARN_BYTES) return [];
  const isFull = freeBytes < DISK_ERROR_BYTES;
  return [
    {
      code: "state.disk_full",
      severity: isFull ? "error" : "warn",
      title: isFull ? "The disk is full" : "The disk is nearly full",
      evidence: [`${Math.floor(freeBytes / 1024 / 1024)} MiB are free for ${folder}`],
      fix: `Make room; the largest first: du -xh ${shellWord(folder)} | sort -h | tail`,
    },
  ];
}

async function failureOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function factsOf(path: string): Promise<FileFacts | undefined> {
  try {
    const [link, { mode }] = await Promise.all([lstat(path), stat(path)]);
    return { path, mode: mode & 0o777, isLink: link.isSymbolicLink() };
  } catch {
    // What is not there has no mode.
    return undefined;
  }
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}
