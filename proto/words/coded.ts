/** Stable codes of what can be wrong with joining, identities and the link; docs/troubleshooting.md explains each. */
export const linkCodes = {
  cannotJoin: "WH-JOIN-2001",
  tokenMalformed: "WH-JOIN-2002",
  tokenUsed: "WH-JOIN-2003",
  tokenExpired: "WH-JOIN-2004",
  tokenUnknown: "WH-JOIN-2005",
  requestRefused: "WH-JOIN-2006",
  otherHub: "WH-JOIN-2007",
  clockSkew: "WH-JOIN-2008",
  tooManyAttempts: "WH-JOIN-2009",
  notCertified: "WH-ID-2101",
  notASpoke: "WH-ID-2102",
  certificateExpired: "WH-ID-2103",
  notTrusted: "WH-ID-2104",
  sharedIdentity: "WH-ID-2105",
  clusterLocked: "WH-ID-2106",
  noCommonProtocol: "WH-LINK-2201",
  badMessage: "WH-LINK-2202",
  badBlob: "WH-LINK-2203",
} as const;

export type LinkCode = (typeof linkCodes)[keyof typeof linkCodes];

/** A sentence and its code as one text, for where only text travels. */
export const codedText = (code: string, sentence: string): string => `${code}: ${sentence}`;

/** `undefined` when the text does not begin with a code. */
export function codeOfText(
  text: string,
): { readonly code: string; readonly sentence: string } | undefined {
  const [, code, sentence] = /^(WH-[A-Z]+-\d{4}): (.+)$/s.exec(text) ?? [];
  return code === undefined || sentence === undefined ? undefined : { code, sentence };
}
