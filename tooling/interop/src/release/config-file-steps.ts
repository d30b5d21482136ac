import { partialDeepStrictEqual as contains } from "node:assert";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Lab, Maker } from "./lab.ts";
import type { TakeStep } from "./operator-steps.ts";

/** What {@link takeConfigFileSteps} has both command lines write: a Gateway here, and one elsewhere. */
const ONBOARDINGS = [
  ["local mode", ["--mode", "local", "--gateway-port", "19600", "--auth-choice", "skip"]],
  ["remote mode", ["--mode", "remote", "--remote-url", "ws://127.0.0.1:19600"]],
] as const;

const QUIET = ["--non-interactive", "--accept-risk", "--skip-channels", "--skip-health"];

const MAKERS = [
  ["published", "own", "published CLI", "our CLI"],
  ["own", "published", "our CLI", "published CLI"],
] as const;

/** The config file that `onboard` of either maker writes is right for the other, also once edited there. */
export async function takeConfigFileSteps(step: TakeStep, lab: Lab): Promise<void> {
  for (const [writer, reader, writerWho, readerWho] of MAKERS) {
    for (const [index, [mode, args]] of ONBOARDINGS.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await step(
        `${readerWho}: config validate takes what ${writerWho} onboards in ${mode}, and gives it back edited`,
        () =>
          validateOnboarded(lab, { writer, reader, home: `onboarded-${writer}-${index}`, args }),
      );
    }
  }
}

async function validateOnboarded(
  lab: Lab,
  { writer, reader, home, args }: OnboardPlan,
): Promise<void> {
  const place = { home, port: 19_600, secret: "none" } as const;
  const from = await lab.program(writer, place);
  // A home as it is before the first command.
  const written = join(lab.homeOf(writer, home), ".openclaw", "openclaw.json");
  await rm(written);
  const alone = writer === "published" ? ["--skip-skills", "--skip-ui"] : [];
  await from.ok("onboard", ...QUIET, ...alone, "--no-install-daemon", ...args);

  const to = await lab.program(reader, place);
  const read = join(lab.homeOf(reader, home), ".openclaw", "openclaw.json");
  await mkdir(join(lab.homeOf(reader, home), ".openclaw"), { recursive: true, mode: 0o700 });
  await copyFile(written, read);
  contains((await to.ok("config", "validate", "--json")).json(), { valid: true });

  await to.ok("config", "set", "gateway.port", "19601");
  await copyFile(read, written);
  contains((await from.ok("config", "validate", "--json")).json(), { valid: true });
}

interface OnboardPlan {
  writer: Maker;
  reader: Maker;
  home: string;
  args: readonly string[];
}
