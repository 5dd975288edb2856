export const syncStatuses = ["Synced", "OutOfSync", "Unknown"] as const;

export type SyncStatus = (typeof syncStatuses)[number];

/** A word from outside; anything unknown to us is `Unknown`, never an error. */
export const parseSyncStatus = (text: string): SyncStatus =>
  syncStatuses.find((status) => status === text) ?? "Unknown";
