import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { type Answer, isAnswer, part, text } from "./answer.ts";
import { CliFailure, exitCodes, unreadable, usage } from "./exit-codes.ts";
import type { CliWorld } from "./world.ts";

/** One hub the user may talk to. */
export type CliContext = {
  readonly server: string;
  readonly token: string;
  /** PEM file of the authority that signs the hub's HTTPS certificate; empty: those the system trusts. */
  readonly caFile: string;
};

export type CliConfig = {
  /** Empty: none chosen. */
  readonly current: string;
  readonly contexts: Readonly<Record<string, CliContext>>;
};

export function configFile({ environment, homeFolder }: CliWorld): string {
  const given = environment["WH_CONFIG"] ?? "";
  if (given !== "") return given;
  const base = environment["XDG_CONFIG_HOME"] ?? "";
  return join(base === "" ? join(homeFolder, ".config") : base, "wheelhouse", "config.json");
}

export async function readConfig(world: CliWorld): Promise<CliConfig> {
  const file = configFile(world);
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return { current: "", contexts: {} };
    throw unreadable(file, error);
  }
  const read = parsed(content, file);
  const contexts = part(read, "contexts");
  return {
    current: text(read, "current"),
    contexts: Object.fromEntries(
      Object.keys(contexts).map((name) => {
        const context = part(contexts, name);
        return [
          name,
          {
            server: text(context, "server"),
            token: text(context, "token"),
            caFile: text(context, "caFile"),
          },
        ];
      }),
    ),
  };
}

function parsed(content: string, file: string): Answer {
  try {
    const value: unknown = JSON.parse(content);
    if (isAnswer(value)) return value;
  } catch {
    // Said below, together with JSON that is no object.
  }
  throw usage(`${file} is not a JSON object`, "repair it, or remove it and log in again");
}

/** Replaces the file whole, readable by its owner only: it holds tokens. */
export async function writeConfig(world: CliWorld, config: CliConfig): Promise<void> {
  const file = configFile(world);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(config, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A draft left by somebody else keeps its old mode through `open`.
  await chmod(draft, 0o600);
  await rename(draft, file);
}

/** Which hub to talk to, and as whom: WH_SERVER and WH_TOKEN, or the context that was asked for. */
export async function chooseContext(
  world: CliWorld,
  asked: string | undefined,
): Promise<CliContext> {
  const { environment } = world;
  const server = environment["WH_SERVER"] ?? "";
  const token = environment["WH_TOKEN"] ?? "";
  const caFile = environment["WH_CA_FILE"] ?? "";
  // A context's token belongs to that context's server and goes nowhere else.
  if (server !== "") return { server, token, caFile };
  const config = await readConfig(world);
  const wanted = asked ?? environment["WH_CONTEXT"] ?? "";
  const name = wanted === "" ? config.current : wanted;
  const found = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined;
  if (found === undefined && wanted !== "")
    throw new CliFailure(exitCodes.notFound, `there is no context ${JSON.stringify(wanted)}`, {
      hint: "`wheelhouse context list` lists them",
    });
  if (found === undefined)
    throw new CliFailure(exitCodes.forbidden, "not logged in to a hub", {
      hint: "wheelhouse login URL --token-file FILE, or set WH_SERVER and WH_TOKEN",
    });
  return token === "" ? found : { ...found, token };
}
