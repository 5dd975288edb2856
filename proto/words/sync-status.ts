export const syncStatuses = ["Synced", "OutOfSync", "Unknown"] as const;

export type SyncStatus = (typeof syncStatuses)[number];
