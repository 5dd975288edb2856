import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import { toolPath } from "./control-plane/binaries.ts";

export type Rendered = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

export type ChartName = "wheelhouse-hub" | "wheelhouse-spoke";

export type RenderOptions = {
  readonly namespace?: string;
  /** Kinds the cluster is said to serve, as `group/version/Kind`. */
  readonly serves?: readonly string[];
};

export const chartFolder = (chart: ChartName): string =>
  join(import.meta.dirname, "../../charts", chart);

/** Runs the real helm with `input` on its standard input. Throws with what it said on standard error. */
export async function helm(words: readonly string[], input = ""): Promise<string> {
  const ran = promisify(execFile)(toolPath("helm"), words, {
    maxBuffer: 16 * 1024 * 1024,
    // Nothing of this machine's configuration, caches or clusters.
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", KUBECONFIG: "/nonexistent" },
  });
  ran.child.stdin?.end(input);
  const { stdout } = await ran;
  return stdout;
}

/** What `helm install` with these values would apply, as text. */
export const renderText = async (
  chart: ChartName,
  values: unknown,
  { namespace = "wheelhouse", serves = [] }: RenderOptions = {},
): Promise<string> =>
  helm(
    [
      "template",
      chart,
      chartFolder(chart),
      "--namespace",
      namespace,
      "--values",
      "-",
      ...serves.flatMap((kind) => ["--api-versions", kind]),
    ],
    JSON.stringify(values),
  );

/** The same as objects. */
export async function render(
  chart: ChartName,
  values: unknown,
  options: RenderOptions = {},
): Promise<readonly Rendered[]> {
  const documents: unknown[] = loadAll(await renderText(chart, values, options));
  return documents.filter((document) => document !== null && document !== undefined) as Rendered[];
}

export const objectNameOf = ({ kind, metadata }: Rendered): string =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
