import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "../answer.ts";
import { apiClient } from "../client.ts";
import { configFile, readConfig, writeConfig, type CliConfig } from "../config.ts";
import { CliFailure, exitCodes, unreadable, usage, type ExitCode } from "../exit-codes.ts";
import { isWhole, printValue, shapeVersion } from "../output.ts";
import { readAll } from "../prompt.ts";
import type { Session } from "../session.ts";
import { tablePrinter } from "../table.ts";

export type LoginOptions = {
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly name?: string;
  readonly caFile?: string;
};

/** `login URL`: tries the token, and keeps both under a name. */
export async function login(
  session: Session,
  server: string,
  options: LoginOptions,
): Promise<ExitCode> {
  const { world } = session;
  const token = await givenToken(session, options);
  const caFile = options.caFile === undefined ? "" : resolve(options.caFile);
  const manner = {
    requestMs: session.timeoutMs ?? 30_000,
    clock: world.clock,
    random: world.random,
    userAgent: `wheelhouse/${world.version}`,
  };
  const client = apiClient({ server, token, caFile }, manner, session.signal);
  const version = await client.get("/v1/version").finally(client.close);
  const name = options.name ?? session.options.context ?? contextNameFor(client.server);
  const config = await readConfig(world);
  const contexts = { ...config.contexts, [name]: { server: client.server, token, caFile } };
  await writeConfig(world, { current: name, contexts });
  if (sendsInTheClear(client.server))
    session.say("note: this hub is spoken to without TLS; the token travels readable");
  session.say(
    `logged in to ${client.server} (hub ${text(version, "version")}) as context ${name}, kept in ${configFile(world)}`,
  );
  return exitCodes.done;
}

async function givenToken(session: Session, options: LoginOptions): Promise<string> {
  const { world } = session;
  if (options.tokenFile !== undefined && options.tokenStdin === true)
    throw usage("--token-file and --token-stdin exclude each other");
  if (options.tokenFile !== undefined) {
    try {
      return (await readFile(options.tokenFile, "utf8")).trim();
    } catch (error) {
      throw unreadable("the token file", error);
    }
  }
  if (options.tokenStdin === true) return readAll(world);
  const token = world.environment["WH_TOKEN"] ?? "";
  if (token === "")
    throw usage(
      "a token is needed",
      "--token-file FILE, --token-stdin, or WH_TOKEN; the hub's first one is in its data folder",
    );
  return token;
}

const contextNameFor = (server: string): string => new URL(server).host;

function sendsInTheClear(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === "http:" && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
}

/** `context list`: which hubs there are, and which one is talked to. */
export async function listContexts(session: Session): Promise<ExitCode> {
  const config = await readConfig(session.world);
  const rows = Object.entries(config.contexts).map(([name, { server }]) => ({
    name,
    server,
    current: name === config.current,
  }));
  if (isWhole(session.format)) {
    await printValue(
      session.world,
      { apiVersion: shapeVersion, kind: "contexts", items: rows },
      session.format,
    );
  } else if (session.format === "name") {
    for (const { name } of rows) session.world.stdout.write(`${name}\n`);
  } else {
    const columns = [
      {
        header: "CURRENT",
        cell: (row: { current?: unknown }) => (row.current === true ? "*" : " "),
      },
      { header: "NAME", cell: (row: Readonly<Record<string, unknown>>) => text(row, "name") },
      { header: "SERVER", cell: (row: Readonly<Record<string, unknown>>) => text(row, "server") },
    ];
    session.world.stdout.write(tablePrinter(columns, session.manner()).print(rows));
  }
  return exitCodes.done;
}

/** `context current`: its name. */
export async function currentContext(session: Session): Promise<ExitCode> {
  const { current } = await readConfig(session.world);
  if (current === "") throw new CliFailure(exitCodes.notFound, "no context is chosen");
  session.world.stdout.write(`${current}\n`);
  return exitCodes.done;
}

/** `context use NAME`. */
export async function useContext(session: Session, name: string): Promise<ExitCode> {
  const config = await knownContext(session, name);
  await writeConfig(session.world, { ...config, current: name });
  session.say(`context ${name}`);
  return exitCodes.done;
}

/** `context remove NAME`: forgets its token too. */
export async function removeContext(session: Session, name: string): Promise<ExitCode> {
  const config = await knownContext(session, name);
  const { [name]: _, ...contexts } = config.contexts;
  const current = config.current === name ? "" : config.current;
  await writeConfig(session.world, { current, contexts });
  session.say(`context ${name} is removed`);
  return exitCodes.done;
}

async function knownContext(session: Session, name: string): Promise<CliConfig> {
  const config = await readConfig(session.world);
  if (!Object.hasOwn(config.contexts, name))
    throw new CliFailure(exitCodes.notFound, `there is no context ${JSON.stringify(name)}`);
  return config;
}
