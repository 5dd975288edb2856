import type { FileDialect, Facts } from "../../domain/facts.ts";
import { compareSet } from "../../domain/import-argocd/compare.ts";
import { readExport, type ExportedDocument } from "../../domain/import-argocd/exported.ts";
import { planImport } from "../../domain/import-argocd/plan-import.ts";
import { reportOf, reportText } from "../../domain/import-argocd/report.ts";
import { parseOne } from "../../git/yaml.ts";
import { transliterate } from "../../transliterate.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { isWhole, printValue, shapeVersion } from "../output.ts";
import type { Session } from "../session.ts";
import { manyLines } from "../terminal.ts";
import { checkoutsOf, gatherFacts } from "./checkouts.ts";
import { readExported } from "./documents.ts";
import { readLive } from "./live.ts";
import { prepareFolder, writeImport } from "./write.ts";

export type ImportOptions = {
  readonly from: readonly string[];
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
  readonly namespace: string;
  readonly to: string;
  readonly checkout: readonly string[];
  readonly gitFileDialect: FileDialect;
  readonly force?: boolean;
};

/**
 * `import argocd`: writes a fleet repository out of what Argo CD holds, generates every set of it with the
 * hub's own engine, and says what is not the same. Talks to no hub.
 */
export async function importArgoCd(session: Session, options: ImportOptions): Promise<ExitCode> {
  const checkouts = checkoutsOf(options.checkout);
  const fileDialect = options.gitFileDialect;
  const documents = await documentsOf(session, options);
  const exported = readExport(documents);
  const { sets, applications, projects, clusters } = exported;
  if ([sets, applications, projects, clusters].every((list) => list.length === 0))
    throw usage(
      "there is no ApplicationSet, Application, AppProject or cluster in it",
      "kubectl get applicationsets,applications,appprojects -n argocd -o yaml",
    );
  prepareFolder(options.to, options.force === true);
  const plan = planImport(exported);
  const known: Facts = { clusters: plan.clusters, repositories: new Map(), fileDialect };
  const comparisons = plan.sets.map(({ set, applications: made }) =>
    compareSet(set, made, gatherFacts(set, known, checkouts), {
      decodeYaml: parseOne,
      transliterate,
    }),
  );
  const report = reportOf(plan, comparisons);
  const files = writeImport(options.to, plan, report);
  const { world, format } = session;
  if (isWhole(format))
    await printValue(world, { apiVersion: shapeVersion, kind: "import", files, ...report }, format);
  else if (format === "name") for (const file of files) world.stdout.write(`${file}\n`);
  else world.stdout.write(manyLines(reportText(report)));
  session.say(`${files.length} files are in ${options.to}; REPORT.md says what differs`);
  return report.same ? exitCodes.done : exitCodes.different;
}

async function documentsOf(
  session: Session,
  { from, kubeconfig, kubeContext, namespace }: ImportOptions,
): Promise<readonly ExportedDocument[]> {
  const isLive = kubeconfig !== undefined || kubeContext !== undefined;
  if (isLive && from.length > 0)
    throw usage("--from reads files and --kubeconfig a cluster: give one of them");
  if (isLive) return readLive(session, { kubeconfig, context: kubeContext, namespace });
  if (from.length > 0) return readExported(session.world, from);
  throw usage(
    "say what to read",
    "--from FILE, or --kubeconfig FILE, or --kube-context NAME of your own kubeconfig",
  );
}
