import { startProcess } from "@openclaw/testkit";

export interface NpmOptions {
  /** An empty one proves that nothing but the arguments is needed: no cache, no registry. */
  home: string;
  cwd: string;
}

/** `npm install --offline`, as a user would call it. @throws with npm's output when it fails */
export async function npmInstall(
  args: readonly string[],
  { home, cwd }: NpmOptions,
): Promise<void> {
  const flags = ["--offline", "--no-audit", "--no-fund", "--no-update-notifier"];
  await using npm = startProcess("npm", ["install", ...flags, ...args], {
    cwd,
    env: { HOME: home },
  });
  const { code } = await npm.exited;
  if (code !== 0) throw new Error(`npm install ended with ${code}:\n${npm.stdout}${npm.stderr}`);
}
