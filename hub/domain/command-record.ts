import type { ApplicationName, ClusterName, Generation } from "../../proto/words/ids.ts";
import type { CommandKind } from "../../proto/words/link-messages.ts";

/** An order of a person to a spoke, and what became of it. */
export type CommandRecord = {
  readonly id: string;
  readonly order: CommandKind;
  readonly application: ApplicationName;
  readonly cluster: ClusterName;
  readonly generation: Generation;
  readonly prune: boolean;
  readonly actor: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly state: "waiting" | "succeeded" | "failed" | "expired";
  readonly message: string;
  readonly finishedAtMs: number | undefined;
};
