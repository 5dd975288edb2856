import { text, type Answer } from "../answer.ts";
import type { ApiClient } from "../client.ts";
import { CliFailure, exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { commandPrintable } from "../kinds.ts";
import { printRows } from "../output.ts";
import { findApplicationName } from "../references.ts";
import type { Session } from "../session.ts";
import { shortDuration } from "../terminal.ts";

export type SyncOptions = { readonly prune?: boolean; readonly wait?: boolean };

const waitMsUsual = 300_000;
const pollMs = 500;

/** `sync REF…`: orders syncs, and with --wait stays until they are done and the applications healthy. */
export async function sync(
  session: Session,
  words: readonly string[],
  options: SyncOptions,
): Promise<ExitCode> {
  const client = await session.client();
  const names = await chosenApplications(session, client, words);
  const body = options.prune === true ? { prune: true } : {};
  const ordered = await orderEach(session, names, (name) =>
    client.send("POST", `/v1/applications/${encodeURIComponent(name)}/sync`, body),
  );
  if (options.wait !== true) return finish(session, ordered, exitCodes.done);
  return finish(session, ordered, await waitForAll(session, client, ordered));
}

/** `refresh REF…`: has repositories looked at and clusters compared, without syncing anything. */
export async function refresh(session: Session, words: readonly string[]): Promise<ExitCode> {
  const client = await session.client();
  const urls = words.flatMap((word) => /^repo\/(.+)$/.exec(word)?.[1] ?? []);
  for (const url of urls) {
    await client.send("POST", "/v1/repositories/refresh", { url });
    session.say(`repo/${url} will be looked at`);
  }
  const others = words.filter((word) => !word.startsWith("repo/"));
  if (others.length === 0 && urls.length > 0) return exitCodes.done;
  const names = await chosenApplications(session, client, others);
  const ordered = await orderEach(session, names, async (name) => {
    const answer = await client.send(
      "POST",
      `/v1/applications/${encodeURIComponent(name)}/refresh`,
    );
    const command = answer["command"];
    return { application: name, order: "refresh", state: "", ...(command as Answer | undefined) };
  });
  return finish(session, ordered, exitCodes.done);
}

async function chosenApplications(
  session: Session,
  client: ApiClient,
  words: readonly string[],
): Promise<readonly string[]> {
  const { selector } = session.options;
  if (words.length === 0 && selector === undefined)
    throw usage("which application?", "name some, or choose them with -l");
  const named: string[] = [];
  for (const word of words) named.push(await findApplicationName(client, word));
  if (selector === undefined) return named;
  const { items } = await client.list("/v1/applications", { selector, fields: "name" }, 0);
  const selected = items.map((item) => text(item, "name"));
  if (selected.length === 0 && named.length === 0)
    throw new CliFailure(exitCodes.notFound, `no application has the labels ${selector}`);
  return [...new Set([...named, ...selected])];
}

type Ordered = {
  readonly rows: Answer[];
  readonly failures: readonly CliFailure[];
};

/** One after the other; a refusal of one keeps the others from nothing. */
async function orderEach(
  session: Session,
  names: readonly string[],
  order: (name: string) => Promise<Answer>,
): Promise<Ordered> {
  const rows: Answer[] = [];
  const failures: CliFailure[] = [];
  for (const name of names) {
    try {
      rows.push(await order(name));
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error;
      // A hub that is away or forbids will do so for the rest as well.
      if (error.exitCode === exitCodes.unreachable || error.exitCode === exitCodes.forbidden)
        throw error;
      failures.push(error);
      session.world.stderr.write(
        `app/${name}: ${error.message}${error.problemCode === undefined || error.problemCode === "" ? "" : ` (${error.problemCode})`}\n`,
      );
    }
  }
  return { rows, failures };
}

async function finish(
  session: Session,
  { rows, failures }: Ordered,
  code: ExitCode,
): Promise<ExitCode> {
  await printRows(session.world, commandPrintable, rows, session.format, session.manner());
  const [first] = failures;
  if (first === undefined) return code;
  return rows.length === 0 ? first.exitCode : exitCodes.partly;
}

/** Replaces each command by its end. The code says whether all of them ended well, and in time. */
async function waitForAll(
  session: Session,
  client: ApiClient,
  ordered: Ordered,
): Promise<ExitCode> {
  const { clock } = session.world;
  const limitMs = session.timeoutMs ?? waitMsUsual;
  const endsAtMs = clock.nowMs() + limitMs;
  let failed = 0;
  for (const [index, row] of ordered.rows.entries()) {
    const ended = await waitForCommand(session, client, row, endsAtMs);
    ordered.rows[index] = ended;
    const state = text(ended, "state");
    if (state === "waiting") return late(session, row, limitMs);
    if (state !== "succeeded") failed += 1;
    else if (!(await waitForHealth(session, client, text(row, "application"), endsAtMs)))
      return late(session, row, limitMs);
  }
  if (failed === 0) return exitCodes.done;
  return failed === ordered.rows.length ? exitCodes.different : exitCodes.partly;
}

function late(session: Session, row: Answer, limitMs: number): ExitCode {
  session.say(`app/${text(row, "application")} is not there yet after ${shortDuration(limitMs)}`);
  return exitCodes.timeout;
}

async function waitForCommand(
  session: Session,
  client: ApiClient,
  row: Answer,
  endsAtMs: number,
): Promise<Answer> {
  for (;;) {
    const command = await client.get(`/v1/commands/${encodeURIComponent(text(row, "id"))}`);
    if (text(command, "state") !== "waiting" || session.world.clock.nowMs() >= endsAtMs)
      return command;
    await session.world.clock.sleep(pollMs, session.signal);
  }
}

async function waitForHealth(
  session: Session,
  client: ApiClient,
  name: string,
  endsAtMs: number,
): Promise<boolean> {
  for (;;) {
    const app = await client.get(`/v1/applications/${encodeURIComponent(name)}`);
    const isSynced = text(app, "status", "syncStatus") === "Synced";
    if (isSynced && text(app, "status", "health", "state") === "Healthy") return true;
    if (session.world.clock.nowMs() >= endsAtMs) return false;
    await session.world.clock.sleep(pollMs, session.signal);
  }
}
