import { number, part, parts, text, type Answer } from "../answer.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { kindCalled } from "../kinds.ts";
import { isWhole, printRows, printValue, shapeVersion, yamlOf } from "../output.ts";
import { confirm } from "../prompt.ts";
import type { Session } from "../session.ts";
import { oneLine, parseDuration, shortDuration } from "../terminal.ts";

export type ClusterAddOptions = {
  readonly label?: readonly string[];
  readonly annotation?: readonly string[];
  readonly server?: string;
  readonly life?: string;
  readonly namespaces?: string;
  readonly secrets?: boolean;
  readonly customResources?: string;
  readonly manifest?: boolean;
  readonly helm?: boolean;
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
    role: roleOf(options),
  };
  const client = await session.client();
  const answer = await client.send("POST", "/v1/clusters", body);
  session.say(`cluster/${name} is registered`);
  return printJoin(session, name, part(answer, "join"), answer, options);
}

/** `cluster join NAME`: another join token for a cluster that is registered. */
export async function joinCluster(
  session: Session,
  name: string,
  options: ClusterAddOptions,
): Promise<ExitCode> {
  const body = invitationOf(options);
  const client = await session.client();
  const path = `/v1/clusters/${encodeURIComponent(name)}/join-token`;
  const join = await client.send("POST", path, body);
  return printJoin(session, name, join, { join }, options);
}

/** `cluster rejoin NAME`: makes every identity so far void, and prints what the spoke needs to come back. */
export async function rejoinCluster(
  session: Session,
  name: string,
  options: ClusterAddOptions,
): Promise<ExitCode> {
  const client = await session.client();
  await client.get(`/v1/clusters/${encodeURIComponent(name)}`);
  await confirm(
    session,
    `Every certificate and join token of cluster ${name} becomes void. Its spoke stays out until it gets the new token; what runs there goes on.`,
    name,
  );
  const body = invitationOf(options);
  const path = `/v1/clusters/${encodeURIComponent(name)}/rejoin`;
  const join = await client.send("POST", path, body);
  session.say(`cluster/${name} is cut off until its spoke joins again`);
  return printJoin(session, name, join, { join }, options);
}

/** `cluster lock NAME`: lets nobody in as this cluster, until it is unlocked or joined anew. */
export async function lockCluster(
  session: Session,
  name: string,
  options: { readonly reason?: string },
): Promise<ExitCode> {
  const client = await session.client();
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const path = `/v1/clusters/${encodeURIComponent(name)}/lock`;
  const cluster = await client.send("POST", path, body);
  session.say(
    `cluster/${name} is locked: ${oneLine(text(cluster, "locked", "why"))}; cluster rejoin or cluster unlock lets its spoke in again`,
  );
  return printCluster(session, cluster);
}

/** `cluster unlock NAME`: for a lock that turned out to be needless. */
export async function unlockCluster(session: Session, name: string): Promise<ExitCode> {
  const client = await session.client();
  const path = `/v1/clusters/${encodeURIComponent(name)}/unlock`;
  const cluster = await client.send("POST", path);
  session.say(`cluster/${name} is unlocked; its spoke comes back by itself`);
  return printCluster(session, cluster);
}

/** The cluster itself, for programs; people have been told. */
async function printCluster(session: Session, cluster: Answer): Promise<ExitCode> {
  const kind = kindCalled("cluster");
  if (kind !== undefined && session.format !== "table")
    await printRows(session.world, kind, [cluster], session.format, session.manner());
  return exitCodes.done;
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
  } else if (options.helm === true) {
    world.stdout.write(`${text(join, "helmCommand")}\n`);
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
      `# Inside the cluster, with Helm:

${text(join, "helmCommand")}

# Or the same objects with kubectl:

kubectl apply -f - <<'EOF'
${manifest}EOF

# Or beside the cluster, with a kubeconfig:

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
  return printCluster(session, cluster);
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

const invitationOf = (options: ClusterAddOptions) => ({
  ...(options.life === undefined ? {} : { lifeMs: lifeOf(options.life) }),
  role: roleOf(options),
});

/** What the spoke is to be allowed in its cluster. */
const roleOf = ({ namespaces, secrets, customResources }: ClusterAddOptions) => ({
  ...(namespaces === undefined ? {} : { namespaces: listOf(namespaces) }),
  ...(secrets === undefined ? {} : { secrets }),
  ...(customResources === undefined ? {} : { customResourceGroups: listOf(customResources) }),
});

const listOf = (words: string): readonly string[] =>
  words
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

function pairsOf(words: readonly string[]): Readonly<Record<string, string>> {
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
