import { readFileSync } from "node:fs";

const MAX_INT = 2_147_483_647;

const SECONDS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/** `90`, `2m`, `1h30m`; undefined for anything else. */
export function readSeconds(text: string): number | undefined {
  if (!/^(?:\d+[smhdw])*\d*$/iu.test(text) || text === "") return undefined;
  let seconds = 0;
  for (const [, digits, unit = ""] of text.matchAll(/(\d+)([a-z]?)/giu)) {
    seconds += Number(digits) * (SECONDS[unit.toLowerCase()] ?? 1);
  }
  return seconds <= MAX_INT ? seconds : undefined;
}

export function readCount(text: string): number | undefined {
  const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_INT ? value : undefined;
}

/** A number or the name of a service. */
export function readPort(text: string): number | undefined {
  const value = /^\d+$/u.test(text) ? Number(text) : serviceNamed(text);
  return value !== undefined && value >= 1 && value <= 65_535 ? value : undefined;
}

export function isFlag(text: string): boolean {
  return /^(?:yes|no|true|false)$/iu.test(text);
}

function serviceNamed(name: string): number | undefined {
  if (name === "ssh") return 22;
  if (!/^[\w.+-]+$/u.test(name)) return undefined;
  try {
    for (const line of readFileSync("/etc/services", "utf8").split("\n")) {
      const [service, port = "", ...aliases] = line.replace(/#.*/u, "").trim().split(/\s+/u);
      if (port.endsWith("/tcp") && [service, ...aliases].includes(name)) return parseInt(port, 10);
    }
  } catch {
    // A system without the file: then only numbers count.
  }
  return undefined;
}
