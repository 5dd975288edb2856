import { number, part, parts, text, type Answer } from "../answer.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { kindCalled } from "../kinds.ts";
import { isWhole, printRows, printValue, shapeVersion, yamlOf } from "../output.ts";
import { confirm } from "../prompt.ts";
import type { Session } from "../session.ts";
import { parseDuration, shortDuration } from "../terminal.ts";

export type ClusterAddOptions = {
  readonly label?: readonly string[];
  readonly annotation?: readonly string[];
  readonly server?: string;
  readonly life?: string;
  readonly manifest?: boolean;
  readonly command?: boolean;
};

/** `cluster add NAME`: registers a cluster, and prints what to run so that its spoke joins. */
export async function addCluster(
  session: Session,
  name: string,
  options: ClusterAddOptions,
): Promise<ExitCode> {
  const body = {
    name,
    labels: pairsOf(options.label ?? []),
    annotations: pairsOf(options.annotation ?? []),
    ...(options.server === undefined ? {} : { server: options.server }),
    ...(options.life === undefined ? {} : { joinTokenLifeMs: lifeOf(options.life) }),
  };
  const client = await session.client();
  const answer = await client.send("POST", "/v1/clusters", body);
  session.say(`cluster/${name} is registered`);
  return printJoin(session, name, part(answer, "join"), answer, options);
}

/** `cluster join NAME`: another join token for a cluster that is registered. */
export async function rejoinCluster(
  session: Session,
  name: string,
  options: ClusterAddOptions,
): Promise<ExitCode> {
  const body = options.life === undefined ? {} : { lifeMs: lifeOf(options.life) };
  const client = await session.client();
  const path = `/v1/clusters/${encodeURIComponent(name)}/join-token`;
  const join = await client.send("POST", path, body);
  return printJoin(session, name, join, { join }, options);
}

async function printJoin(
  session: Session,
  name: string,
  join: Answer,
  answer: Answer,
  options: ClusterAddOptions,
): Promise<ExitCode> {
  const { world, format } = session;
  if (options.manifest === true) {
    world.stdout.write(await manifestText(join));
  } else if (options.command === true) {
    world.stdout.write(`${text(join, "spokeCommand")}\n`);
  } else if (isWhole(format)) {
    await printValue(world, { apiVersion: shapeVersion, kind: "join", ...answer }, format);
  } else if (format === "name") {
    world.stdout.write(`cluster/${name}\n`);
  } else {
    const life = shortDuration(number(join, "expiresAtMs") - world.clock.nowMs());
    session.say(`the token in what follows lets it join once, within ${life}`);
    const manifest = await manifestText(join);
    world.stdout.write(
      `# Either inside the cluster, with kubectl pointed at it:

kubectl apply -f - <<'EOF'
${manifest}EOF

# Or beside it, with a kubeconfig:

${text(join, "spokeCommand")}
`,
    );
  }
  return exitCodes.done;
}

/** The objects as YAML documents, for people to read before they apply them. */
async function manifestText(join: Answer): Promise<string> {
  const documents: string[] = [];
  for (const item of parts(join, "manifest", "items")) documents.push(await yamlOf(item));
  return documents.join("---\n");
}

/** `cluster label NAME k=v k-`: sets and removes labels. */
export async function labelCluster(
  session: Session,
  name: string,
  words: readonly string[],
): Promise<ExitCode> {
  const labels: Record<string, string | null> = {};
  for (const word of words) {
    if (word.endsWith("-") && !word.includes("=")) labels[word.slice(0, -1)] = null;
    else Object.assign(labels, pairsOf([word]));
  }
  const client = await session.client();
  const path = `/v1/clusters/${encodeURIComponent(name)}`;
  const cluster = await client.send("PATCH", path, { labels });
  session.say(`cluster/${name} is labelled; sets that select by label generate anew`);
  const kind = kindCalled("cluster");
  if (kind !== undefined && session.format !== "table")
    await printRows(session.world, kind, [cluster], session.format, session.manner());
  return exitCodes.done;
}

/** `cluster remove NAME`: asks first, on a terminal; elsewhere it wants --yes. */
export async function removeCluster(session: Session, name: string): Promise<ExitCode> {
  const client = await session.client();
  const path = `/v1/clusters/${encodeURIComponent(name)}`;
  const cluster = await client.get(path);
  const apps = number(cluster, "applications", "total");
  await confirm(
    session,
    `The hub forgets cluster ${name}, which runs ${apps} application${apps === 1 ? "" : "s"}. What runs there stays, unmanaged.`,
    name,
  );
  await client.send("DELETE", path);
  session.say(`cluster/${name} is removed; stop its spoke: it is not let in any more`);
  return exitCodes.done;
}

export function pairsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 1) throw usage(`${JSON.stringify(word)} is not of the form key=value`);
    pairs[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return pairs;
}

function lifeOf(words: string): number {
  const lifeMs = parseDuration(words);
  if (lifeMs === undefined)
    throw usage(`--life ${JSON.stringify(words)} is not a duration`, "like 30m, 1h or 24h");
  return lifeMs;
}
