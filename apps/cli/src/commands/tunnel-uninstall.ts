import type { CommandContext } from "../program/command-context.ts";
import { assertManageable } from "../service/manage-service.ts";
import { answerService, asServiceAnswer, factsOf } from "../service/service-answer.ts";
import { findTunnels } from "../tunnel/find-tunnels.ts";
import { pickOne } from "../tunnel/pick-one.ts";
import { removeFailure } from "../tunnel/record-files.ts";
import { tunnelService } from "../tunnel/tunnel-service.ts";

/** `openclaw tunnel uninstall [name]` */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "uninstall", async () => {
    const { tunnels } = await findTunnels(context);
    const installed = tunnels.filter(({ service }) => service !== undefined);
    const { name, service: found } = pickOne(context, installed);
    const service = tunnelService(context, name);
    assertManageable(context, service);
    const { manager, ref } = service;
    const outcome = await manager.uninstall(found?.ref ?? ref);
    removeFailure(context.paths.stateDir, name);
    return answerService(context, {
      ok: true,
      action: "uninstall",
      result: outcome.result,
      service: factsOf(await manager.status(ref)),
      lines: [
        `Uninstalled ${outcome.label}.`,
        ...(outcome.movedTo === undefined ? [] : [`Its file is in the Trash: ${outcome.movedTo}`]),
        `Undo: ${context.commandLine(installAgain(found?.status.command?.programArguments ?? []))}`,
      ],
      more: { name },
    });
  });
}

/** The words of `tunnel open`, which are those of `tunnel install`. */
function installAgain(words: readonly string[]): string {
  const at = words.findIndex((word, index) => word === "open" && words[index - 1] === "tunnel");
  const given = at === -1 ? ["<target>"] : words.slice(at + 1);
  return ["tunnel install", ...given.map(quoted)].join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./<>~[\]-]+$/u.test(word)
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
