import { execFile } from "node:child_process";
import type { ExportedDocument } from "../../domain/import-argocd/exported.ts";
import { CliFailure, exitCodes } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { documentsIn } from "./documents.ts";

/** Where Argo CD runs, in kubectl's words. */
export type ArgoPlace = {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string;
};

/**
 * What Argo CD holds in its namespace, asked with the user's own kubectl.
 *
 * Credentials of clusters never get here: of a cluster Secret kubectl prints its name, labels, annotations
 * and three keys of its data. The annotation in which kubectl keeps a copy of the whole Secret is not printed.
 */
export async function readLive(
  session: Session,
  place: ArgoPlace,
): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for (const kind of ["applicationsets", "applications", "appprojects"]) {
    const text = await kubectl(session, place, ["get", `${kind}.argoproj.io`, "-o", "json"]);
    documents.push(...documentsIn(`${kind} of namespace ${place.namespace}`, text));
  }
  const secrets = await kubectl(session, place, [
    "get",
    "secrets",
    "--selector",
    "argocd.argoproj.io/secret-type=cluster",
    "-o",
    `go-template=${secretTemplate}`,
  ]);
  return [...documents, ...secrets.split("\n").flatMap(secretDocument)];
}

const entries = (map: string): string =>
  `{{range $key, $value := ${map}}}{{if ne $key "kubectl.kubernetes.io/last-applied-configuration"}}` +
  "{{urlquery $key}}={{urlquery $value}}&{{end}}{{end}}";

/** A line per Secret: words with a space between, each made safe by `urlquery`. */
const secretTemplate = [
  "{{range .items}}",
  "{{urlquery .metadata.name}} ",
  `{{if .metadata.labels}}${entries(".metadata.labels")}{{end}} `,
  `{{if .metadata.annotations}}${entries(".metadata.annotations")}{{end}} `,
  ...["name", "server", "project"].map(
    (key) => `{{if .data}}{{if .data.${key}}}{{urlquery .data.${key}}}{{end}}{{end}} `,
  ),
  '{{"\\n"}}',
  "{{end}}",
].join("");

function secretDocument(line: string): readonly ExportedDocument[] {
  if (line.trim() === "") return [];
  const [name = "", labels = "", annotations = "", ...data] = line.split(" ");
  const [clusterName = "", server = "", project = ""] = data;
  const value = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: plain(name), labels: pairs(labels), annotations: pairs(annotations) },
    data: { name: plain(clusterName), server: plain(server), project: plain(project) },
  };
  return [{ place: `secret ${plain(name)}`, value }];
}

const plain = (word: string): string => decodeURIComponent(word.replaceAll("+", " "));

const pairs = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const [key = "", value = ""] = pair.split("=");
        return [plain(key), plain(value)];
      }),
  );

function kubectl(
  session: Session,
  { kubeconfig, context, namespace }: ArgoPlace,
  words: readonly string[],
): Promise<string> {
  const all = [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(context === undefined ? [] : ["--context", context]),
    "--namespace",
    namespace,
    ...words,
  ];
  return new Promise((resolve, reject) => {
    execFile(
      "kubectl",
      all,
      {
        env: { ...session.world.environment },
        signal: session.signal,
        timeout: session.timeoutMs ?? 120_000,
        maxBuffer: 512 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(failure(error, stderr, words));
      },
    );
  });
}

function failure(
  error: Error & { readonly code?: unknown; readonly killed?: boolean },
  stderr: string,
  words: readonly string[],
): CliFailure {
  if (error.code === "ENOENT")
    return new CliFailure(exitCodes.usage, "there is no kubectl on the PATH to ask Argo CD with", {
      hint: "export elsewhere, and give the files with --from",
    });
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const what = `kubectl ${words.slice(0, 2).join(" ")}`;
  if (error.killed === true)
    return new CliFailure(exitCodes.timeout, `${what} took too long`, {
      hint: "a longer --timeout may do",
    });
  return new CliFailure(
    /forbidden|unauthorized/i.test(last) ? exitCodes.forbidden : exitCodes.unreachable,
    `${what} failed: ${last}`,
  );
}
