export const tokenScopes = ["read", "write"] as const;

export type TokenScope = (typeof tokenScopes)[number];

/** A token of the API, without its secret. */
export type TokenRecord = {
  /** The public part, safe to show: `wht_<8 characters>`. */
  readonly id: string;
  readonly name: string;
  /** `write` includes `read`. */
  readonly scope: TokenScope;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
};
