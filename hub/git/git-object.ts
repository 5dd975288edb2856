export type ObjectType = "commit" | "tree" | "blob" | "tag";

export type GitObject = { readonly type: ObjectType; readonly bytes: Uint8Array };

export type ObjectLimits = {
  /** An object larger than this is not read. */
  readonly objectBytesMost: number;
  /** Memory for bases of deltas. */
  readonly cacheBytesMost: number;
};

export const objectLimits: ObjectLimits = {
  objectBytesMost: 25 * 1024 * 1024,
  cacheBytesMost: 32 * 1024 * 1024,
};
