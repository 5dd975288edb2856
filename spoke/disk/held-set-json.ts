import { fail, ok, type Result } from "../../proto/kit/result.ts";
import {
  tombstoneCauses,
  type DesiredApplication,
  type SyncPolicy,
  type Tombstone,
} from "../../proto/words/desired.ts";
import { parseDigest } from "../../proto/words/digest.ts";
import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import { parseServiceAccount, type ServiceAccount } from "../../proto/words/service-account.ts";
import type { HeldSet } from "../domain/held-set.ts";

/** A held set as JSON text; maps become lists. */
export function printHeldSet(held: HeldSet): string {
  return JSON.stringify({
    ...held,
    applications: [...held.applications.values()],
    tombstones: [...held.tombstones.values()],
    strays: [...held.strays],
  });
}

/** Reads what `printHeldSet` wrote. Fails with the first thing that is not as it should be. */
export function parseHeldSet(text: string): Result<HeldSet, string> {
  try {
    const fields = recordAt(JSON.parse(text), "the file");
    const applications = listAt(fields, "applications").map(readApplication);
    const tombstones = listAt(fields, "tombstones").map(readTombstone);
    return ok({
      hubId: textAt(fields, "hubId"),
      version: numberAt(fields, "version"),
      epochSeen: numberAt(fields, "epochSeen"),
      applications: new Map(applications.map((entry) => [entry.application, entry])),
      tombstones: new Map(tombstones.map((entry) => [entry.application, entry])),
      strays: new Set(listAt(fields, "strays").map(readName)),
      executedCommands: listAt(fields, "executedCommands").map((id) => readText(id, "a command")),
    });
  } catch (error) {
    // Only what the readers below throw, and JSON's own complaint.
    if (error instanceof NotAsWritten || error instanceof SyntaxError) return fail(error.message);
    throw error;
  }
}

function readApplication(input: unknown): DesiredApplication {
  const fields = recordAt(input, "an application");
  return {
    application: readName(fields["application"]),
    generation: numberAt(fields, "generation"),
    revision: textAt(fields, "revision"),
    bundle: checked(parseDigest(fields["bundle"])),
    project: textAt(fields, "project"),
    destinationNamespace: textAt(fields, "destinationNamespace"),
    policy: readPolicy(fields["policy"]),
    trace: textAt(fields, "trace"),
    ...serviceAccountIn(fields),
  };
}

/** Files of before know of none. */
function serviceAccountIn(fields: JsonRecord): { readonly serviceAccount?: ServiceAccount } {
  const value = fields["serviceAccount"];
  return value === undefined ? {} : { serviceAccount: checked(parseServiceAccount(value)) };
}

function readPolicy(input: unknown): SyncPolicy {
  const fields = recordAt(input, "a policy");
  const conflicts = textAt(fields, "conflicts");
  if (conflicts !== "override" && conflicts !== "report")
    throw new NotAsWritten(`conflicts is ${JSON.stringify(conflicts)}`);
  return {
    automated: flagAt(fields, "automated"),
    prune: flagAt(fields, "prune"),
    selfHeal: flagAt(fields, "selfHeal"),
    allowEmpty: flagAt(fields, "allowEmpty"),
    createNamespace: flagAt(fields, "createNamespace"),
    conflicts,
  };
}

function readTombstone(input: unknown): Tombstone {
  const fields = recordAt(input, "a tombstone");
  const cause = tombstoneCauses.find((known) => known === fields["cause"]);
  if (cause === undefined)
    throw new NotAsWritten(`cause is ${JSON.stringify(fields["cause"] ?? null)}`);
  return {
    application: readName(fields["application"]),
    generation: numberAt(fields, "generation"),
    cause,
    actor: textAt(fields, "actor"),
    keepObjects: flagAt(fields, "keepObjects"),
    ...serviceAccountIn(fields),
  };
}

class NotAsWritten extends Error {
  override readonly name = "NotAsWritten";
}

type JsonRecord = { readonly [field: string]: unknown };

const readName = (input: unknown): ApplicationName => checked(parseApplicationName(input));

function checked<T>(result: Result<T, string>): T {
  if (!result.ok) throw new NotAsWritten(result.problem);
  return result.value;
}

function recordAt(input: unknown, what: string): JsonRecord {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new NotAsWritten(`${what} is not a mapping`);
  return { ...input };
}

function listAt(fields: JsonRecord, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new NotAsWritten(`${name} is not a list`);
  return value;
}

const textAt = (fields: JsonRecord, name: string): string => readText(fields[name], name);

function readText(value: unknown, what: string): string {
  if (typeof value !== "string") throw new NotAsWritten(`${what} is not text`);
  return value;
}

function numberAt(fields: JsonRecord, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new NotAsWritten(`${name} is not a whole number`);
  return value;
}

function flagAt(fields: JsonRecord, name: string): boolean {
  const value = fields[name];
  if (typeof value !== "boolean") throw new NotAsWritten(`${name} is not true or false`);
  return value;
}
