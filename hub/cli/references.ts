import { text, type Answer } from "./answer.ts";
import type { ApiClient } from "./client.ts";
import { CliFailure, exitCodes, usage } from "./exit-codes.ts";
import { kindCalled, type Kind } from "./kinds.ts";

/** `app/web@eu-1`, `cluster/eu-1`, `set/web`, or a bare name whose kind is to be found out. */
export type Reference = {
  readonly kind: Kind | undefined;
  readonly name: string;
  /** After the `@`: an application by its short name and its cluster. */
  readonly cluster: string | undefined;
};

export function parseReference(word: string): Reference {
  const slash = word.indexOf("/");
  const kind = slash === -1 ? undefined : kindCalled(word.slice(0, slash));
  if (slash !== -1 && kind?.onePath === undefined)
    throw usage(
      `${JSON.stringify(word)} is not a reference`,
      "like app/web-eu-1, app/web@eu-1, cluster/eu-1 or set/web",
    );
  const rest = word.slice(slash + 1);
  // Repository URLs may hold an @; nothing else about them does.
  const place = kind?.names[0] === "repos" ? -1 : rest.lastIndexOf("@");
  const name = place === -1 ? rest : rest.slice(0, place);
  const cluster = place === -1 ? undefined : rest.slice(place + 1);
  if (name === "" || cluster === "") throw usage(`${JSON.stringify(word)} names nothing`);
  if (cluster !== undefined && kind !== undefined && kind.kind !== "apps")
    throw usage(`${JSON.stringify(word)}: only applications are in a cluster`);
  return { kind, name, cluster };
}

export type Found = { readonly kind: Kind; readonly name: string; readonly answer: Answer };

/** Reads what a word refers to. A bare name is looked for among applications, clusters and sets. */
export async function findReferred(client: ApiClient, word: string): Promise<Found> {
  const reference = parseReference(word);
  if (reference.cluster !== undefined)
    return findApplicationIn(client, reference.name, reference.cluster);
  if (reference.kind !== undefined) return readOne(client, reference.kind, reference.name);
  const places = ["app", "cluster", "set"].map(kindCalled).filter((kind) => kind !== undefined);
  const tried = await Promise.all(
    places.map((kind) => readOne(client, kind, reference.name).catch(nothingIfAbsent)),
  );
  const found = tried.filter((one) => one !== undefined);
  const [only] = found;
  if (only === undefined)
    throw new CliFailure(
      exitCodes.notFound,
      `no application, cluster or set is called ${JSON.stringify(reference.name)}`,
    );
  if (found.length > 1)
    throw usage(
      `${JSON.stringify(word)} may be ${found.map(({ kind, answer }) => kind.referenceOf(answer)).join(" or ")}`,
      "say which one",
    );
  return only;
}

/** The name of the application a word refers to. */
export async function findApplicationName(client: ApiClient, word: string): Promise<string> {
  const { kind, name, cluster } = parseReference(word);
  if (kind !== undefined && kind.kind !== "apps")
    throw usage(`${JSON.stringify(word)} is not an application`);
  if (cluster === undefined) return name;
  return (await findApplicationIn(client, name, cluster)).name;
}

async function readOne(client: ApiClient, kind: Kind, name: string): Promise<Found> {
  if (kind.onePath === undefined) throw usage(`${kind.kind} have no names`);
  const { path, query } = kind.onePath(name);
  return { kind, name, answer: await client.get(path, query) };
}

function nothingIfAbsent(error: unknown): undefined {
  if (error instanceof CliFailure && error.exitCode === exitCodes.notFound) return undefined;
  throw error;
}

/**
 * `web@eu-1`: the application of cluster eu-1 that is called `web`, or `web-eu-1` or `eu-1-web` as templates
 * usually name them, or else the only one whose name holds `web`.
 */
async function findApplicationIn(client: ApiClient, name: string, cluster: string): Promise<Found> {
  const kind = kindCalled("app");
  if (kind === undefined) throw new TypeError("applications are a kind");
  const { items } = await client.list(kind.path, { cluster, text: name }, 0);
  const names = items.map((item) => text(item, "name"));
  const exact = [name, `${name}-${cluster}`, `${cluster}-${name}`].find((likely) =>
    names.includes(likely),
  );
  const chosen = exact ?? (names.length === 1 ? names[0] : undefined);
  if (chosen !== undefined) return readOne(client, kind, chosen);
  if (names.length === 0)
    throw new CliFailure(
      exitCodes.notFound,
      `no application of cluster ${cluster} is called ${JSON.stringify(name)}`,
    );
  throw usage(
    `${name}@${cluster} may be ${names.map((one) => `app/${one}`).join(" or ")}`,
    "say which one",
  );
}
