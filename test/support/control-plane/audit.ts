import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One request that an API server answered, or the opening of a watch. */
export type AuditedRequest = {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` … */
  readonly verb: string;
  /** With its query. */
  readonly uri: string;
  readonly userAgent: string;
  readonly status: number;
  readonly receivedAtMs: number;
};

/** What an API server says it was asked, by its own audit log: the count that no client can get wrong. */
export type AuditLog = {
  /** Flags that make an API server keep it. */
  readonly flags: Readonly<Record<string, string>>;
  /** What came since the last call, each request once. */
  readonly read: () => readonly AuditedRequest[];
};

const policy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

export function auditLog(folder: string): AuditLog {
  const file = join(folder, "audit.log");
  const policyFile = join(folder, "audit-policy.json");
  writeFileSync(policyFile, JSON.stringify(policy));
  writeFileSync(file, "");
  // A watch has two events, one when it opens and one when it ends.
  const open = new Set<string>();
  let offset = 0;
  return {
    flags: {
      "audit-policy-file": policyFile,
      "audit-log-path": file,
      // Written as the answer is, not in batches some time later.
      "audit-log-mode": "blocking",
    },
    read: () => {
      const text = textFrom(file, offset);
      const end = text.lastIndexOf("\n") + 1;
      offset += Buffer.byteLength(text.slice(0, end));
      return text
        .slice(0, end)
        .split("\n")
        .flatMap((line) => (line === "" ? [] : requestIn(line, open)));
    },
  };
}

export const ofSpoke = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(({ userAgent }) => userAgent.startsWith("wheelhouse-spoke/"));

export const writesIn = (requests: readonly AuditedRequest[]): readonly AuditedRequest[] =>
  requests.filter(
    ({ verb, uri }) => !["get", "list", "watch"].includes(verb) && !uri.includes("dryRun="),
  );

function requestIn(line: string, open: Set<string>): readonly AuditedRequest[] {
  const event = JSON.parse(line) as {
    readonly auditID: string;
    readonly stage: string;
    readonly verb: string;
    readonly requestURI: string;
    readonly userAgent?: string;
    readonly requestReceivedTimestamp: string;
    readonly responseStatus?: { readonly code?: number };
  };
  if (open.delete(event.auditID)) return [];
  if (event.stage === "ResponseStarted") open.add(event.auditID);
  return [
    {
      verb: event.verb,
      uri: event.requestURI,
      userAgent: event.userAgent ?? "",
      status: event.responseStatus?.code ?? 0,
      receivedAtMs: Date.parse(event.requestReceivedTimestamp),
    },
  ];
}

function textFrom(file: string, offset: number): string {
  const handle = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - offset));
    return bytes.toString("utf8", 0, readSync(handle, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(handle);
  }
}
