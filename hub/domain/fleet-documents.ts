import type { Result } from "../../proto/kit/result.ts";
import { parseAppProject, defaultProject, type AppProject } from "./app-project.ts";
import { applicationOf, type Application } from "./application.ts";
import { applicationSetOf, type ApplicationSet } from "./application-set.ts";
import { describe, field, isList, isObject, readDocument, type JsonObject } from "./document.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import type { Origin } from "./origin.ts";

/** One document of the fleet repository, or the reason why its file could not be read. */
export type FleetDocument =
  | {
      readonly kind: "read";
      readonly file: string;
      /** Which document of the file, from 1. */
      readonly number: number;
      readonly value: unknown;
    }
  | { readonly kind: "unreadable"; readonly file: string; readonly problem: ProblemDraft };

export type FleetSet = {
  readonly name: string;
  readonly file: string;
  /** One that cannot be read fails to generate and keeps what it had. */
  readonly set: Result<ApplicationSet, ProblemDraft>;
};

/** What a commit of the fleet repository says. */
export type FleetDocuments = {
  readonly sets: readonly FleetSet[];
  readonly applications: readonly { readonly file: string; readonly application: Application }[];
  /** By name; `default` is added when nobody wrote it. */
  readonly projects: ReadonlyMap<string, AppProject>;
  /** Files and documents that say nothing we can attribute. While there are any, nothing counts as removed. */
  readonly problems: readonly { readonly file: string; readonly problem: ProblemDraft }[];
  /** Documents of other kinds, one sentence each. */
  readonly notes: readonly string[];
};

/** Sorts the documents of a commit by what they are. A name that is defined twice is a problem of both. */
export function readFleetDocuments(documents: readonly FleetDocument[]): FleetDocuments {
  const found = new Findings();
  for (const document of documents) {
    if (document.kind === "unreadable") found.complain(document.file, document.problem);
    else if (document.value !== null && document.value !== undefined) sortDocument(document, found);
  }
  return found.whole();
}

/** Which of the origins on record are gone from the commit. None while any file is unreadable. */
export function removedOrigins(known: readonly Origin[], fleet: FleetDocuments): readonly Origin[] {
  // An unreadable file may hold any of them, and absence is never an order to delete.
  if (fleet.problems.length > 0) return [];
  const present = new Set([
    ...fleet.sets.map(({ name }) => `application-set ${name}`),
    ...fleet.applications.map(({ application }) => `application ${application.name}`),
  ]);
  return known.filter((origin) => !present.has(`${origin.kind} ${origin.name}`));
}

type ReadDocument = Extract<FleetDocument, { readonly kind: "read" }>;

function sortDocument({ file, number, value }: ReadDocument, found: Findings): void {
  const place = `${file} (document ${number})`;
  const read = readDocument(value);
  if (!read.ok)
    return found.complain(file, problem(codes.badFleetDocument, `${place}: ${read.problem}`));
  if (!isObject(read.value))
    return found.note(`${place} is ${describe(read.value)}, not a Kubernetes object; ignored`);
  sortObject(read.value, file, place, found);
}

function sortObject(object: JsonObject, file: string, place: string, found: Findings): void {
  const apiVersion = field(object, "apiVersion");
  const kind = field(object, "kind");
  const items = field(object, "items");
  if (typeof kind === "string" && kind.endsWith("List") && isList(items)) {
    for (const [index, item] of items.entries())
      if (isObject(item)) sortObject(item, file, `${place}, item ${index + 1}`, found);
    return undefined;
  }
  if (typeof apiVersion !== "string" || !apiVersion.startsWith("argoproj.io/"))
    return found.note(`${place} is a ${describe(kind)} of ${describe(apiVersion)}; ignored`);
  switch (kind) {
    case "ApplicationSet":
      return addSet(object, file, place, found);
    case "Application":
      return addApplication(object, file, place, found);
    case "AppProject":
      return addProject(object, file, place, found);
    default:
      return found.note(`${place} is a ${describe(kind)} of ${apiVersion}; ignored`);
  }
}

function addSet(object: JsonObject, file: string, place: string, found: Findings): void {
  const name = nameOf(object);
  const set = applicationSetOf(object);
  if (name === undefined)
    return found.complain(
      file,
      problem(codes.badApplicationSet, `${place}: an ApplicationSet has no metadata.name`),
    );
  found.sets.add(name, file, { name, file, set });
}

function addApplication(object: JsonObject, file: string, place: string, found: Findings): void {
  const application = applicationOf(object);
  if (!application.ok)
    return found.complain(file, {
      ...application.problem,
      message: `${place}: ${application.problem.message}`,
    });
  found.applications.add(application.value.name, file, { file, application: application.value });
}

function addProject(object: JsonObject, file: string, place: string, found: Findings): void {
  const project = parseAppProject(object);
  if (!project.ok)
    return found.complain(file, {
      ...project.problem,
      message: `${place}: ${project.problem.message}`,
    });
  found.projects.add(project.value.name, file, project.value);
}

function nameOf(object: JsonObject): string | undefined {
  const metadata = field(object, "metadata");
  const name = isObject(metadata) ? field(metadata, "name") : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** Values by name, each with the files that define it. */
class Named<T> {
  readonly #found = new Map<string, { readonly files: string[]; readonly value: T }>();

  add(name: string, file: string, value: T): void {
    const before = this.#found.get(name);
    if (before === undefined) this.#found.set(name, { files: [file], value });
    else before.files.push(file);
  }

  entries(): readonly {
    readonly name: string;
    readonly files: readonly string[];
    readonly value: T;
  }[] {
    return [...this.#found]
      .map(([name, found]) => ({ name, ...found }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

class Findings {
  readonly sets = new Named<FleetSet>();
  readonly applications = new Named<FleetDocuments["applications"][number]>();
  readonly projects = new Named<AppProject>();
  readonly #problems: FleetDocuments["problems"][number][] = [];
  readonly #notes: string[] = [];

  complain(file: string, problem: ProblemDraft): void {
    this.#problems.push({ file, problem });
  }

  note(sentence: string): void {
    this.#notes.push(sentence);
  }

  whole(): FleetDocuments {
    const sets = this.sets.entries().map(({ name, files, value }): FleetSet => {
      const twice = definedTwice("ApplicationSet", name, files);
      return twice === undefined ? value : { ...value, set: { ok: false, problem: twice } };
    });
    const applications = this.applications.entries().map(({ name, files, value }) => {
      const twice = definedTwice("Application", name, files);
      if (twice === undefined) return value;
      return { ...value, application: value.application.with({ problem: twice }) };
    });
    // Two projects of one name are two answers to "may it?"; neither is given.
    const projects = new Map([[defaultProject.name, defaultProject]]);
    for (const { name, files, value } of this.projects.entries()) {
      const twice = definedTwice("AppProject", name, files);
      if (twice === undefined) projects.set(name, value);
      else {
        projects.delete(name);
        this.complain(files.join(", "), twice);
      }
    }
    return { sets, applications, projects, problems: this.#problems, notes: this.#notes };
  }
}

const definedTwice = (
  kind: string,
  name: string,
  files: readonly string[],
): ProblemDraft | undefined =>
  files.length === 1
    ? undefined
    : problem(
        codes.definedTwice,
        `${kind} ${name} is defined ${files.length} times: ${files.join(", ")}`,
      );
