import type { Figure } from "../figure.ts";
import type { GatewayLauncher } from "../subjects.ts";

/** What a suite is given. */
export interface SuiteContext {
  launcher: GatewayLauncher;
  isQuick: boolean;
  /** Folder for CPU profiles of the Gateway; none when not asked for. */
  profileDirectory: string | undefined;
  /** Says what is going on. */
  progress: (text: string) => void;
  /** Whether the targets apply: they are ours, not a published Gateway's. */
  hasTargets: boolean;
}

/** Measures a group of figures. */
export type Suite = (context: SuiteContext) => Promise<Figure[]>;

/** Runs `round` again and again, so that what is compared is measured next to each other. */
export async function repeat(
  rounds: number,
  round: (index: number) => Promise<void>,
): Promise<void> {
  for (let index = 0; index < rounds; index += 1) await round(index);
}

/** Arguments that make Node write a CPU profile when it ends. */
export function profileArgs({ profileDirectory }: SuiteContext, name: string): string[] {
  if (profileDirectory === undefined) return [];
  return [
    "--cpu-prof",
    `--cpu-prof-dir=${profileDirectory}`,
    `--cpu-prof-name=${name}.cpuprofile`,
    "--cpu-prof-interval=250",
  ];
}
