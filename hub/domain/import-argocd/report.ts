import type { SetComparison } from "./compare.ts";
import { withoutUserInfo, type Finding } from "./finding.ts";
import type { ImportPlan } from "./plan-import.ts";

/** What an import came to, for programs; `reportText` says the same to people. */
export type ImportReport = {
  readonly carriedOver: {
    readonly applicationSets: readonly string[];
    readonly applications: readonly string[];
    readonly projects: readonly string[];
    readonly clusters: readonly string[];
  };
  /** Whether every set generates here what Argo CD has of it, and nothing was left out or differs. */
  readonly same: boolean;
  readonly comparisons: readonly SetComparison[];
  readonly findings: readonly Finding[];
};

export function reportOf(plan: ImportPlan, comparisons: readonly SetComparison[]): ImportReport {
  const findings = plan.findings.map((finding) => ({
    ...finding,
    name: withoutUserInfo(finding.name),
    reason: withoutUserInfo(finding.reason),
  }));
  return {
    carriedOver: {
      applicationSets: plan.files.flatMap(({ path }) => nameIn(path, "fleet/sets/")),
      applications: plan.standalone,
      projects: plan.projects,
      clusters: plan.clusters.map(({ name }) => name),
    },
    same:
      comparisons.every(({ verdict }) => verdict === "same") &&
      !findings.some(({ verdict }) => verdict === "differs" || verdict === "left-out"),
    comparisons,
    findings,
  };
}

const nameIn = (path: string, folder: string): readonly string[] =>
  path.startsWith(folder) ? [path.slice(folder.length, -".yaml".length)] : [];

/** The commands that register the clusters, one a line, quoted for a shell. */
export const clusterCommands = ({ clusters }: ImportPlan): readonly string[] =>
  clusters.map(({ name, server, labels, annotations }) =>
    [
      "wheelhouse cluster add",
      name,
      "--server",
      quoted(server),
      ...options("--label", labels),
      ...options("--annotation", annotations),
    ].join(" "),
  );

const options = (option: string, map: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(map)
    .toSorted()
    .flatMap((key) => [option, quoted(`${key}=${map[key] ?? ""}`)]);

const quoted = (word: string): string =>
  /^[A-Za-z0-9_.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** REPORT.md. */
export function reportText(report: ImportReport): string {
  const { carriedOver, comparisons, findings } = report;
  const of = (verdict: Finding["verdict"]): readonly string[] => {
    // Many things have the same said of them.
    const names = new Map<string, string[]>();
    for (const finding of findings) {
      if (finding.verdict !== verdict) continue;
      const about = `${finding.kind}\n${finding.reason}`;
      names.set(about, [...(names.get(about) ?? []), finding.name]);
    }
    return [...names].map(([about, all]) => {
      const [kind = "", reason = ""] = about.split(/\n(.*)/s);
      return `- **${kind} ${inline(listed(all.toSorted()))}**: ${inline(reason)}`;
    });
  };
  return [
    "# What came over from Argo CD",
    "",
    ...carried("ApplicationSets", carriedOver.applicationSets),
    ...carried("Applications of their own", carriedOver.applications),
    ...carried("AppProjects", carriedOver.projects),
    ...carried("Clusters", carriedOver.clusters),
    ...section(
      "What the sets generate here",
      comparisons.flatMap(comparisonLines),
      "There are no sets to compare.",
    ),
    ...section("What differs", of("differs"), "Nothing that is known."),
    ...section("What was left out", of("left-out"), "Nothing."),
    ...section("What you must do", of("to-do"), "Nothing."),
    ...section("Good to know", of("note"), "Nothing."),
    "",
  ].join("\n");
}

const carried = (what: string, names: readonly string[]): readonly string[] => [
  `- ${what}: ${names.length === 0 ? "none" : `${names.length} (${listed(names)})`}`,
];

const namesMost = 20;

const listed = (names: readonly string[]): string =>
  names.length <= namesMost
    ? names.join(", ")
    : `${names.slice(0, namesMost).join(", ")} and ${names.length - namesMost} more`;

const section = (title: string, lines: readonly string[], otherwise: string): readonly string[] => [
  "",
  `## ${title}`,
  "",
  ...(lines.length === 0 ? [otherwise] : lines),
];

// Names and values come from elsewhere: they must not become markup of the page, or drive a terminal.
const inline = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ").replaceAll("<", "&lt;");

const differencesMost = 50;

function comparisonLines(comparison: SetComparison): readonly string[] {
  if (comparison.verdict === "not-compared")
    return [`- **${comparison.set}**: not compared: ${inline(comparison.reason)}`];
  const { set, applications, missing, extra, differences, flaws } = comparison;
  const counted = `${applications} ${applications === 1 ? "Application" : "Applications"}`;
  if (comparison.verdict === "same") return [`- **${set}**: ${counted}, the same as in Argo CD`];
  const shown = differences.slice(0, differencesMost);
  return [
    `- **${set}**: ${counted}, not the same as in Argo CD`,
    ...missing.map((name) => `  - ${name} is in Argo CD and not generated here`),
    ...extra.map((name) => `  - ${name} is generated here and not in Argo CD`),
    ...shown.map(
      ({ application, path, exported, generated }) =>
        `  - ${application}, ${path}: ${code(exported)} in Argo CD, ${code(generated)} here`,
    ),
    ...(differences.length > shown.length
      ? [`  - and ${differences.length - shown.length} more`]
      : []),
    ...flaws.map((flaw) => `  - ${inline(flaw)}`),
  ];
}

const code = (json: string): string =>
  json === "" ? "nothing" : `\`${json.replaceAll("`", "'").replaceAll(/\p{Cc}+/gu, " ")}\``;
