import { existsSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { askForCluster } from "./control.ts";

/** What a visitor does to the running demo: break something by hand, or bring another cluster. */

export type ClusterAccess = {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
};

const demoFolder = (): string =>
  process.env["WHEELHOUSE_DEMO_FOLDER"] ?? join(process.cwd(), ".demo");

/** `demo break CLUSTER`: scales the shop's Deployment by hand, behind Git's back, and shows what happens to it. */
export async function breakDeployment(words: readonly string[]): Promise<number> {
  const [cluster] = words;
  const file = join(demoFolder(), "clusters", cluster ?? "", "access.json");
  if (cluster === undefined || words.length !== 1 || !existsSync(file)) {
    console.error(
      "usage: wh demo break CLUSTER (a cluster of the running demo; see wh get clusters)",
    );
    return 2;
  }
  const access = JSON.parse(readFileSync(file, "utf8")) as ClusterAccess;
  const path = "/apis/apps/v1/namespaces/shop/deployments/web";
  const before = replicasOf(await ask(access, "GET", path));
  const wrong = before + 5;
  await ask(access, "PATCH", `${path}?fieldManager=visitor`, { spec: { replicas: wrong } });
  const startedAtMs = performance.now();
  console.log(`${cluster}: Deployment shop/web scaled by hand from ${before} to ${wrong} replicas`);
  for (const patienceMs = 30_000; performance.now() - startedAtMs < patienceMs;) {
    const now = replicasOf(await ask(access, "GET", path));
    if (now === before) {
      const ms = Math.round(performance.now() - startedAtMs);
      console.log(`${cluster}: healed: ${now} replicas again after ${ms} ms`);
      return 0;
    }
    await pause(20);
  }
  console.error(`${cluster}: still ${wrong} replicas after 30 s`);
  return 1;
}

/** `demo add-cluster NAME --label k=v …`: one more simulated cluster with its spoke. */
export async function addCluster(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  const labels = readLabels(rest);
  if (name === undefined || name.startsWith("-") || labels === undefined) {
    console.error("usage: wh demo add-cluster NAME --label env=dev [--label k=v …]");
    return 2;
  }
  try {
    await askForCluster(demoFolder(), name, labels);
  } catch (error) {
    console.error(`the demo refused: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  console.log(`cluster ${name} joined the demo; its applications are on their way`);
  return 0;
}

function readLabels(words: readonly string[]): Readonly<Record<string, string>> | undefined {
  const labels: [string, string][] = [];
  for (let index = 0; index < words.length; index += 2) {
    const pair = /^([^=]+)=(.*)$/.exec(words[index + 1] ?? "");
    if (words[index] !== "--label" || pair === null) return undefined;
    labels.push([pair[1] ?? "", pair[2] ?? ""]);
  }
  return Object.fromEntries(labels);
}

function replicasOf(deployment: unknown): number {
  const spec = (deployment as { readonly spec?: { readonly replicas?: number } }).spec;
  return spec?.replicas ?? 1;
}

async function ask(
  access: ClusterAccess,
  method: "GET" | "PATCH",
  path: string,
  body?: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${access.url}${path}`,
      {
        method,
        ca: access.caPem,
        headers: {
          authorization: `Bearer ${access.token}`,
          ...(body === undefined ? {} : { "content-type": "application/merge-patch+json" }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
