import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publishedRelease, temporaryDirectory, trackPublishedLocks } from "@openclaw/testkit";
import type { PublishedRelease } from "@openclaw/testkit";
import { createProgram } from "./program.ts";
import type { Program } from "./program.ts";

/** Whose program it is. */
export type Maker = "own" | "published";

export interface ProgramPlace {
  /** Its home directory; programs that name the same one share it. */
  home: string;
  /** Port of the Gateway that it talks to, or is. */
  port: number;
  /** Settings below `gateway` of its config file. */
  gateway?: Readonly<Record<string, unknown>>;
  /** Which secret its environment has. @default "token" */
  secret?: "token" | "password" | "none";
}

/** Where programs of both makers run side by side, each in a home of its own. */
export interface Lab {
  /** The shared secret of every Gateway here. */
  readonly token: string;
  /** Path of a file, by its folders, that goes away with the lab. */
  file(...parts: string[]): string;
  /** The home directory that a program has or gets. */
  homeOf(maker: Maker, home: string): string;
  program(maker: Maker, place: ProgramPlace): Promise<Program>;
  /** Takes over what has to end before the lab does. */
  keep<T extends AsyncDisposable>(thing: T): T;
  /** Ends everything and removes all files; the second call returns the first promise. */
  end(): Promise<void>;
}

export interface LabOptions {
  /** Version of the published `openclaw`. */
  release: string;
  /** Entry of our command line. */
  cliPath: string;
}

export async function openLab({ release: version, cliPath }: LabOptions): Promise<Lab> {
  const release = await publishedRelease(version);
  const locks = await trackPublishedLocks();
  const folder = await temporaryDirectory("openclaw-interop-");
  // Caches of compiled code are shared, or every command would begin from nothing.
  await mkdir(folder.file("tmp"));
  const token = randomBytes(16).toString("hex");
  const kept: AsyncDisposable[] = [];
  let ending: Promise<void> | undefined;

  async function end(): Promise<void> {
    for (const thing of kept.toReversed()) await thing[Symbol.asyncDispose]();
    await locks[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  }

  const homeOf = (maker: Maker, home: string): string => folder.file(`${maker}-${home}`);

  return {
    token,
    file: (...parts) => folder.file(...parts),
    homeOf,
    async program(maker, { home: homeName, port, gateway = {}, secret = "token" }) {
      const home = homeOf(maker, homeName);
      if (maker === "published") await release.prepareHome(home, gateway);
      else await prepareOwnHome(home, gateway);
      return createProgram({
        name: maker === "own" ? "openclaw" : `openclaw@${version}`,
        entry: maker === "own" ? cliPath : release.entry,
        isPublished: maker === "published",
        cwd: home,
        env: {
          ...environmentOf(maker, release),
          HOME: home,
          TMPDIR: folder.file("tmp"),
          NO_COLOR: "1",
          OPENCLAW_GATEWAY_PORT: String(port),
          ...(secret === "token" ? { OPENCLAW_GATEWAY_TOKEN: token } : {}),
          ...(secret === "password" ? { OPENCLAW_GATEWAY_PASSWORD: token } : {}),
        },
      });
    },
    keep(thing) {
      kept.push(thing);
      return thing;
    },
    end: () => (ending ??= end()),
  };
}

function environmentOf(maker: Maker, release: PublishedRelease): Readonly<Record<string, string>> {
  return maker === "published" ? release.env : {};
}

async function prepareOwnHome(
  home: string,
  gateway: Readonly<Record<string, unknown>>,
): Promise<void> {
  const state = join(home, ".openclaw");
  await mkdir(state, { recursive: true, mode: 0o700 });
  const config = JSON.stringify({ gateway: { mode: "local", ...gateway } });
  await writeFile(join(state, "openclaw.json"), config, { mode: 0o600 });
}
