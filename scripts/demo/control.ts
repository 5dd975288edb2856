import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { environments, type DemoCluster } from "./sample.ts";
import type { DemoWorld } from "./world.ts";

/** How `wheelhouse demo add-cluster` reaches the demo that runs: loopback, with a secret from the demo's folder. */

type ControlFile = { readonly url: string; readonly secret: string };

const bodyBytesMost = 64 * 1024;

export async function startControl(
  folder: string,
  world: DemoWorld,
): Promise<{ readonly stop: () => Promise<void> }> {
  const secret = randomBytes(24).toString("hex");
  const server = createServer((request, response) => {
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain" }).end(text);
    };
    if (!isSecret(request.headers.authorization, `Bearer ${secret}`)) {
      answer(401, "the demo's secret is needed");
      return;
    }
    readBody(request)
      .then(async (body) => {
        await world.addCluster(JSON.parse(body) as DemoCluster);
        answer(201, "added");
      })
      .catch((error: unknown) => answer(409, error instanceof Error ? error.message : "failed"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const file: ControlFile = { url: `http://127.0.0.1:${port}`, secret };
  writeFileSync(join(folder, "control.json"), JSON.stringify(file), { mode: 0o600 });
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Asks the running demo for one more cluster. Throws with its reason when it refuses. */
export async function askForCluster(
  folder: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const { url, secret } = JSON.parse(
    readFileSync(join(folder, "control.json"), "utf8"),
  ) as ControlFile;
  const environment = environments.find((one) => one === labels["env"]) ?? "dev";
  const cluster: DemoCluster = { name, environment, labels };
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(cluster),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

function isSecret(given: string | undefined, wanted: string): boolean {
  const a = Buffer.from(given ?? "");
  const b = Buffer.from(wanted);
  return a.length === b.length && timingSafeEqual(a, b);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMost) throw new Error("the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
