import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import { chainCommand, type HopCommand, targetArguments } from "./ssh-arguments.ts";

const using = { program: "/usr/bin/ssh", sshConfig: undefined };

function hop(host: string, change: Partial<SshSettings> = {}): HopCommand {
  const settings = { target: { host }, hostName: `${host}.example`, port: 22, ...change };
  return {
    settings: settings as SshSettings,
    options: [["BatchMode", "yes"]],
    logFile: `/tmp/x/${host}.log`,
  };
}

test("the target comes last, behind the end of the options", () => {
  const target = { host: "box", user: "me", port: 2222 };
  expect(targetArguments(using, { target }, [["BatchMode", "yes"]], ["/home/me/id"])).toEqual([
    ...["-N", "-T", "-a", "-x", "-o", "BatchMode=yes", "-i", "/home/me/id"],
    ...["-p", "2222", "-l", "me", "--", "box"],
  ]);
});

test("without a port or a user in the target, the ssh config decides", () => {
  const words = targetArguments(using, { target: { host: "box" } }, [], []);
  expect(words).toEqual(["-N", "-T", "-a", "-x", "--", "box"]);
});

test("a config file is named, and none is none", () => {
  const target = { host: "box" };
  const withFile = { ...using, sshConfig: "/my config" };
  expect(targetArguments(withFile, { target }, [], []).slice(0, 2)).toEqual(["-F", "/my config"]);
  const without = { ...using, sshConfig: false } as const;
  expect(targetArguments(without, { target }, [], []).slice(0, 2)).toEqual(["-F", "none"]);
});

/** The words that a shell makes of a command, after ssh has replaced its tokens. */
function wordsOf(command: string): string[] {
  const program = `printf '%s\\0' ${command.replaceAll("%%", "%")}`;
  return execFileSync("/bin/sh", ["-c", program], { encoding: "utf8" }).split("\0").slice(0, -1);
}

function optionOf(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

test("each host of a chain passes on to the next, whatever is in its name", () => {
  const odd = { host: "b", user: "o'neil $(x) %h", port: 2200 };
  const hops = [hop("a"), hop("b", { target: odd }), hop("c", { hostName: "fe80::1%eth0" })];
  const command = chainCommand(using, hops, { hostName: "target.example", port: 22 }) ?? "";
  const third = wordsOf(command);
  expect(third.slice(-4)).toEqual(["-W", "target.example:22", "--", "c"]);
  const second = wordsOf(optionOf(third, "ProxyCommand") ?? "");
  expect(second.slice(-8)).toEqual([
    ...["-W", "[fe80::1%eth0]:22", "-p", "2200"],
    ...["-l", "o'neil $(x) %h", "--", "b"],
  ]);
  const first = wordsOf(optionOf(second, "ProxyCommand") ?? "");
  expect(first.slice(-4)).toEqual(["-W", "b.example:22", "--", "a"]);
  expect(optionOf(first, "ProxyCommand")).toBeUndefined();
  for (const words of [first, second, third]) expect(optionOf(words, "BatchMode")).toBe("yes");
});

test("without hosts on the way there is no command", () => {
  expect(chainCommand(using, [], { hostName: "target.example", port: 22 })).toBeUndefined();
});
