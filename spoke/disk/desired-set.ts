import type { Log } from "../../proto/kit/log.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { emptyHeldSet, type HeldSet } from "../domain/held-set.ts";
import { durableFolder } from "./durable-folder.ts";
import { parseHeldSet, printHeldSet } from "./held-set-json.ts";

export type DesiredSetFile = {
  /** The empty set when there is none. A damaged file is set aside, logged, and read as none. */
  readonly read: (signal: AbortSignal) => Promise<HeldSet>;
  /** Durable when it resolves; when it throws, what was written before is still there. */
  readonly write: (held: HeldSet, signal: AbortSignal) => Promise<void>;
};

const fileName = "desired-set";
const damagedName = "desired-set.damaged";

/** First line: a mark, the format's number, and the digest of all that follows. */
const header = /^wheelhouse-desired-set (\d+) ([0-9a-f]{64})\n/;
const format = "1";

/** What the hub wants of this cluster, in one file with its own checksum. */
export function openDesiredSet(folder: string, log: Log): DesiredSetFile {
  const files = durableFolder(folder);
  return {
    read: async (signal) => {
      const bytes = await files.read(fileName, signal);
      if (bytes === undefined) return emptyHeldSet;
      const parsed = parseFile(bytes.toString("utf8"));
      if (typeof parsed !== "string") return parsed;
      log.error("damaged desired set set aside", { file: damagedName, problem: parsed });
      await files.rename(fileName, damagedName, signal);
      return emptyHeldSet;
    },
    write: async (held, signal) => {
      const body = printHeldSet(held);
      const text = `wheelhouse-desired-set ${format} ${digestOfText(body)}\n${body}`;
      await files.replace(fileName, Buffer.from(text, "utf8"), signal);
    },
  };
}

/** The set, or what is wrong with the file. */
function parseFile(text: string): HeldSet | string {
  const head = header.exec(text);
  if (head === null) return "it does not begin like a desired set";
  if (head[1] !== format) return `its format is ${head[1] ?? ""}, expected ${format}`;
  const body = text.slice(head[0].length);
  if (digestOfText(body) !== head[2]) return "its checksum does not match";
  const held = parseHeldSet(body);
  return held.ok ? held.value : held.problem;
}
