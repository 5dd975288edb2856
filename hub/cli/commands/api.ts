import { text } from "../answer.ts";
import type { Method } from "../client.ts";
import { CliFailure, exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { printValue } from "../output.ts";
import { readAll } from "../prompt.ts";
import type { Session } from "../session.ts";
import { manyLines, safeJson } from "../terminal.ts";

const methods: readonly Method[] = ["GET", "POST", "PATCH", "PUT", "DELETE"];

/** `api GET /v1/…`: the API itself, with the login of the context. */
export async function callApi(
  session: Session,
  word: string,
  path: string,
  options: { readonly data?: string },
): Promise<ExitCode> {
  const method = methods.find((known) => known === word.toUpperCase());
  if (method === undefined) throw usage(`${JSON.stringify(word)} is none of ${methods.join(", ")}`);
  if (!path.startsWith("/")) throw usage(`the path ${JSON.stringify(path)} must begin with /`);
  const body = options.data === "-" ? await readAll(session.world) : options.data;
  const client = await session.client();
  const received = await client.raw(method, path, body);
  let value: unknown;
  try {
    value = received === "" ? undefined : JSON.parse(received);
  } catch {
    session.world.stdout.write(manyLines(received));
    return exitCodes.done;
  }
  if (value === undefined) return exitCodes.done;
  if (session.format === "yaml") await printValue(session.world, value, "yaml");
  else session.world.stdout.write(`${safeJson(value, session.format === "jsonl" ? 0 : 2)}\n`);
  return exitCodes.done;
}

/** `version`: ours, and the hub's when there is one to ask. */
export async function showVersion(session: Session): Promise<ExitCode> {
  const { world } = session;
  world.stdout.write(`wheelhouse ${world.version}\n`);
  try {
    const client = await session.client();
    const hub = await client.get("/v1/version");
    world.stdout.write(
      `hub ${text(hub, "version")} at ${client.server}, id ${text(hub, "hubId")}\n`,
    );
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    session.say(error.message);
    return error.message === "not logged in to a hub" ? exitCodes.done : error.exitCode;
  }
}
