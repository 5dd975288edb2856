import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The sample fleet repository, and which clusters the demo makes. */

export const environments = ["dev", "staging", "prod"] as const;

export type Environment = (typeof environments)[number];

/** How many of the sample's sets select a cluster of each environment. */
export const applicationsPerCluster: Readonly<Record<Environment, number>> = {
  dev: 3,
  staging: 4,
  prod: 4,
};

export type DemoCluster = {
  readonly name: string;
  readonly environment: Environment;
  readonly labels: Readonly<Record<string, string>>;
};

const regions = ["eu-west", "us-east"] as const;

/** `count` clusters, spread evenly: dev-1, staging-1, prod-1, dev-2, … in two regions. */
export function demoClusters(count: number): readonly DemoCluster[] {
  return Array.from({ length: count }, (_, index) => {
    const environment = environments[index % environments.length] ?? "dev";
    const number = Math.floor(index / environments.length) + 1;
    const region = regions[(number - 1) % regions.length] ?? "eu-west";
    return {
      name: `${environment}-${number}`,
      environment,
      labels: { env: environment, region },
    };
  }).toSorted((a, b) => environmentRank(a) - environmentRank(b));
}

const environmentRank = (cluster: DemoCluster): number => environments.indexOf(cluster.environment);

/** Every file of the sample, by path, with the address it is served at filled in. */
export function sampleFiles(repositoryUrl: string): Readonly<Record<string, string>> {
  const folder = sampleFolder();
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((file) => [
        file.slice(folder.length + 1).replaceAll("\\", "/"),
        readFileSync(file, "utf8").replaceAll("@REPOSITORY@", repositoryUrl),
      ]),
  );
}

/** Beside this file in a checkout, above the chunk in the bundle. */
function sampleFolder(): string {
  const beside = join(import.meta.dirname, "fleet");
  return existsSync(beside) ? beside : join(import.meta.dirname, "../fleet");
}
