import { usage } from "./exit-codes.ts";
import type { Session } from "./session.ts";
import type { CliWorld } from "./world.ts";

/**
 * Has the user type `word` before something that cannot be taken back.
 *
 * Passes at once with --yes. Without a terminal nobody can answer, so it is refused instead.
 */
export async function confirm(session: Session, what: string, word: string): Promise<void> {
  const { world, options } = session;
  if (options.yes === true) return;
  if (world.stdin.isTTY !== true)
    throw usage("this needs to be confirmed and nobody can be asked", "add --yes");
  world.stderr.write(`${what}\nType ${word} to go on: `);
  const answer = await readLine(world);
  if (answer.trim() !== word) throw usage("not confirmed; nothing was changed");
}

async function readLine(world: CliWorld): Promise<string> {
  let line = "";
  for await (const chunk of world.stdin) {
    line += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    const end = line.indexOf("\n");
    if (end !== -1) return line.slice(0, end);
  }
  return line;
}

/** All of standard input, trimmed: how a secret is handed over without showing in a process list. */
export async function readAll(world: CliWorld): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of world.stdin)
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return text.trim();
}
