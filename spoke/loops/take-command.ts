import type { Bell } from "../../proto/kit/bell.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Epoch } from "../../proto/words/ids.ts";
import type { Command } from "../../proto/words/link-messages.ts";
import { judgeCommand, withEpoch, withExecuted } from "../domain/held-set.ts";
import type { HeldKeeper } from "./held-keeper.ts";
import type { Outbox } from "./outbox.ts";

export type CommandNeeds = {
  readonly held: HeldKeeper;
  readonly outbox: Outbox;
  /** Rung when the outbox has something new. */
  readonly bell: Bell;
  /** Called at most once for a command, whatever crashes and repeats there are, after its id is on disk. */
  readonly onCommand: (command: Command) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** Has a command executed, or answers why it is not. One at a time: a repeat is known by what is on disk. */
export async function takeCommand(
  command: Command,
  epoch: Epoch,
  { held, outbox, bell, onCommand, clock, log }: CommandNeeds,
  signal: AbortSignal,
): Promise<void> {
  const verdict = judgeCommand(held.current(), command, clock.nowMs());
  switch (verdict.kind) {
    case "execute":
      // On disk first: a command that a crash interrupts is not run a second time.
      await held.update((set) => withExecuted(withEpoch(set, epoch), command.id), signal);
      outbox.begin(command.id);
      log.info("command taken", { command: command.id, application: command.application });
      return onCommand(command);
    case "executed-before":
      if (!outbox.repeatResult(command.id))
        outbox.addResult(failed(command, "the spoke restarted while the command ran"));
      break;
    case "void":
      outbox.addResult(failed(command, verdict.problem));
      break;
    default:
      return unreachable(verdict, "verdict on a command");
  }
  bell.ring();
}

const failed = (command: Command, message: string) =>
  ({ kind: "command-result", id: command.id, succeeded: false, message }) as const;
