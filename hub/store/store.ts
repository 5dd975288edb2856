import type { Log } from "../../proto/kit/log.ts";
import { createApplicationSets, type ApplicationSets } from "./application-sets.ts";
import { createApplications, type Applications } from "./applications.ts";
import { createBlobs, type Blobs } from "./blobs.ts";
import { createClusters, type Clusters } from "./clusters.ts";
import { createCommands, type Commands } from "./commands.ts";
import { openDatabase, type DatabaseSettings } from "./database.ts";
import { createDesiredSets, type DesiredSets } from "./desired-sets.ts";
import { createEnrollments, type Enrollments } from "./enrollments.ts";
import { createEvents, type Events } from "./events.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createIdentities, type Identities } from "./identities.ts";
import { createHubSettings } from "./hub-settings.ts";
import { createPublishing, type Publishing } from "./publishing.ts";
import { createReports, type Reports } from "./reports.ts";
import { createRepositoryRecords, type RepositoryRecords } from "./repositories.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/**
 * Everything the hub remembers.
 *
 * A write is durable, whole, and visible to every later read once its promise resolves; a write that throws
 * left nothing behind. Reads of several rows see one moment. All throw the signal's reason when it aborted
 * before they began, and `StoreUnavailable` (a Trouble) when the database cannot be used; lists throw
 * `BadCursor` for a cursor that is not theirs.
 */
export type Store = {
  readonly hub: {
    /** Random name of this hub, made once: 16 lower-case hexadecimal digits. */
    readonly id: (signal: AbortSignal) => Promise<string>;
  };
  readonly clusters: Clusters;
  readonly enrollments: Enrollments;
  readonly identities: Identities;
  readonly sessions: Sessions;
  readonly desiredSets: DesiredSets;
  readonly blobs: Blobs;
  readonly publishing: Publishing;
  readonly applicationSets: ApplicationSets;
  readonly applications: Applications;
  readonly reports: Reports;
  readonly fleet: Fleet;
  readonly repositories: RepositoryRecords;
  readonly commands: Commands;
  readonly tokens: Tokens;
  readonly events: Events;
  /** Throws `StoreUnavailable` when the store cannot be used. */
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
  /** Nothing may be asked afterwards. */
  readonly close: () => void;
};

type StoreSettings = DatabaseSettings & {
  /** Tells expired commands from waiting ones when they are shown. */
  readonly nowMs?: () => number;
};

/** Opens the store of a folder, makes it when there is none, and brings an older one to the newest shape. */
export async function openStore(settings: StoreSettings, log?: Log): Promise<Store> {
  const database = await openDatabase(settings, log);
  return {
    hub: createHubSettings(database),
    clusters: createClusters(database),
    enrollments: createEnrollments(database),
    identities: createIdentities(database),
    sessions: createSessions(database),
    desiredSets: createDesiredSets(database),
    blobs: createBlobs(database),
    publishing: createPublishing(database),
    applicationSets: createApplicationSets(database),
    applications: createApplications(database),
    reports: createReports(database),
    fleet: createFleet(database),
    repositories: createRepositoryRecords(database),
    commands: createCommands(database, settings.nowMs ?? Date.now),
    tokens: createTokens(database),
    events: createEvents(database),
    checkReady: database.checkReady,
    close: database.close,
  };
}
