import { expect, test } from "vitest";
import { createStyle } from "../output/style.ts";
import { commandTree } from "./command-tree.ts";
import { findCommand } from "./find-command.ts";
import { renderHelp } from "./help.ts";

function help(...words: string[]): string {
  const { spec, path } = findCommand(commandTree, [...words, "--help"]);
  return renderHelp({
    spec,
    path,
    programName: "openclaw",
    style: createStyle(false),
    columns: 80,
  });
}

test("the first help names every command and the global flags", () => {
  expect(help()).toMatchInlineSnapshot(`
    "openclaw: run a Gateway, pair devices, run commands on nodes

    Examples
      # a Gateway on this machine
      openclaw gateway run --token <token>
      # this machine as a node of it
      openclaw node run
      # let the node in
      openclaw devices approve
      # run something on it
      openclaw nodes run --node <name> -- uname -a

    Usage
      openclaw <command>

    Commands
      onboard     set up a Gateway here, or the way to one elsewhere
      setup       make a config file and a workspace
      configure   answer some questions of onboarding again
      config      read and change the config file, comments kept
      gateway     run a Gateway, look at one, call its methods
      node        make this machine a node
      nodes       see nodes, pair them, run things on them
      devices     see devices, pair them, handle their tokens
      qr          make a setup code that lets one device in
      connect     pair this machine with a setup code, and run as a node
      remote      choose the Gateway that commands go to, and test the way there
      tunnel      forward ports through SSH, and keep them forwarded
      doctor      find out what is wrong, and what to type
      security    look for what a stranger could use
      health      check that the Gateway answers and lets you in
      status      show this machine, its Gateway and its nodes at a glance
      logs        show the Gateway's log, also of a Gateway elsewhere
      dashboard   show where the Gateway's page is, and open it
      completion  print a completion script for your shell

    Options
          --profile <name>     Another state directory and config; stands first
          --dev                The profile dev, with port 19001; stands first
          --log-level <level>  silent, error, warn, info or debug
          --no-color           No colours
      -V, --version            Print the version
      -h, --help               Show this help

    Run "openclaw <command> --help" for examples and options of a command.
    "
  `);
});

test("the help of a command shows examples before options, with defaults", () => {
  const text = help("nodes", "invoke");
  expect(text.indexOf("Examples")).toBeLessThan(text.indexOf("Usage"));
  expect(text.indexOf("Usage")).toBeLessThan(text.indexOf("Options"));
  expect(text).toContain("--invoke-timeout <ms>");
  expect(text).toContain("default 15000");
  expect(text).toContain("openclaw nodes invoke --status nightly-1");
});

test("no line is wider than the terminal, but for an example", () => {
  for (const words of [[], ["gateway"], ["gateway", "run"], ["nodes", "run"], ["status"]]) {
    const lines = help(...words)
      .split("\n")
      .filter((line) => !line.includes("openclaw "));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  }
});
