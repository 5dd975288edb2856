import type { Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { SpokeIdentity } from "../domain/identity.ts";
import { standingOf, type CertificateLife } from "../domain/identity-renewal.ts";
import type { LinkProblem, Loss } from "../domain/link.ts";

/** What lets a spoke enroll, and the key its hub must prove to have. */
export type Invitation = { readonly token: string; readonly fingerprint: string };

export type IdentityNeeds = {
  readonly enroll: (
    privateKeyPem: string,
    invitation: Invitation,
    signal: AbortSignal,
  ) => Promise<SpokeIdentity>;
  /** What an error of `enroll` means. */
  readonly explain: (error: unknown) => Loss;
  readonly read: (signal: AbortSignal) => Promise<SpokeIdentity | undefined>;
  /** Durable when it resolves. */
  readonly write: (identity: SpokeIdentity, signal: AbortSignal) => Promise<void>;
  /** How this spoke may enroll; `undefined` when it was not told. Asked anew each time: files change. */
  readonly invitation: (signal: AbortSignal) => Promise<Invitation | undefined>;
  readonly newPrivateKey: () => Promise<string>;
  readonly certificateLife: (certificatePem: string) => CertificateLife;
  readonly log: Log;
};

export const cannotJoin: LinkProblem = {
  code: linkCodes.cannotJoin,
  sentence:
    "this spoke has no certificate, and was given no join token and fingerprint to get one with (wheelhouse cluster add, or join, makes them)",
};

/** Who this spoke is: kept by others, remembered here, enrolled when there is no certificate. Owned by the link loop. */
export class LinkIdentity {
  readonly #needs: IdentityNeeds;
  #current: SpokeIdentity | undefined;
  /** Whether what is kept may be newer than what is remembered. */
  #mayBeOld = false;
  /**
   * The key an enrollment uses in the place of a refused identity's, which somebody else may have. In memory, so
   * that the refused one is there until the new one is.
   */
  #nextKey: SpokeIdentity | undefined;
  /** The last token that was refused: trying it again cannot help. */
  #tokenRefused: string | undefined;

  constructor(needs: IdentityNeeds) {
    this.#needs = needs;
  }

  /** An identity with a certificate. `undefined` when there is none, and no way to get one. */
  async enrolled(signal: AbortSignal): Promise<SpokeIdentity | undefined> {
    if (this.#mayBeOld) await this.#readAgain(signal);
    this.#current ??= await this.#needs.read(signal);
    if (this.#current?.certificatePem !== undefined) return this.#current;
    const invitation = await this.#needs.invitation(signal);
    if (invitation === undefined) return undefined;
    // Kept before it is used: if the answer is lost, the same key may ask again with the same token.
    this.#current ??= await this.#keepNewKey(signal);
    return this.#enroll(this.#current, invitation, signal);
  }

  /** Another spoke of this cluster was seen: it may have renewed the identity both have. */
  doubt(): void {
    this.#mayBeOld = true;
  }

  /** Keeps a renewed identity. */
  async replace(identity: SpokeIdentity, signal: AbortSignal): Promise<void> {
    await this.#needs.write(identity, signal);
    this.#current = identity;
  }

  /** While this identity is refused: whether somebody gave another, or a token that was not tried. */
  async lookAgain(signal: AbortSignal): Promise<boolean> {
    try {
      const found = await this.#needs.read(signal);
      if (found?.certificatePem !== this.#current?.certificatePem) {
        this.#current = found;
        return true;
      }
      const invitation = await this.#needs.invitation(signal);
      if (invitation === undefined || invitation.token === this.#tokenRefused) return false;
      if (found?.certificatePem === undefined) {
        this.#current = found ?? (await this.#keepNewKey(signal));
        await this.#enroll(this.#current, invitation, signal);
      } else {
        this.#nextKey ??= await this.#newKey();
        await this.#enroll(this.#nextKey, invitation, signal);
        this.#nextKey = undefined;
      }
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#needs.log.warn("no other identity found", { problem: describeError(error) });
      return false;
    }
  }

  /** The hub cannot tell an expired certificate from none; here it can be told. */
  explain(problem: LinkProblem, nowMs: number): LinkProblem {
    const certificatePem = this.#current?.certificatePem;
    if (problem.code !== linkCodes.notCertified || certificatePem === undefined) return problem;
    const life = this.#needs.certificateLife(certificatePem);
    const standing = standingOf(life, nowMs);
    if (standing === "good") return problem;
    return standing === "expired"
      ? {
          code: linkCodes.certificateExpired,
          sentence: `the certificate expired at ${isoTime(life.notAfterMs)}; enroll again with a new join token (wheelhouse cluster join)`,
        }
      : {
          code: linkCodes.clockSkew,
          sentence: `the certificate begins at ${isoTime(life.notBeforeMs)} and it is ${isoTime(nowMs)} here; compare the clocks`,
        };
  }

  /** What cannot be read now is as remembered: a hub must be reached without an API server. */
  async #readAgain(signal: AbortSignal): Promise<void> {
    try {
      const found = await this.#needs.read(signal);
      if (found?.certificatePem !== undefined) this.#current = found;
      this.#mayBeOld = false;
    } catch (error) {
      signal.throwIfAborted();
      this.#needs.log.debug("identity could not be read again", { problem: describeError(error) });
    }
  }

  async #newKey(): Promise<SpokeIdentity> {
    return {
      privateKeyPem: await this.#needs.newPrivateKey(),
      certificatePem: undefined,
      trustedPem: [],
      clusterId: "",
      clusterName: "",
      hubId: "",
    };
  }

  async #keepNewKey(signal: AbortSignal): Promise<SpokeIdentity> {
    const keyed = await this.#newKey();
    await this.#needs.write(keyed, signal);
    return keyed;
  }

  async #enroll(
    keyed: SpokeIdentity,
    invitation: Invitation,
    signal: AbortSignal,
  ): Promise<SpokeIdentity> {
    try {
      const enrolled = await this.#needs.enroll(keyed.privateKeyPem, invitation, signal);
      await this.replace(enrolled, signal);
      this.#needs.log.info("spoke enrolled", {
        cluster: enrolled.clusterName,
        hub: enrolled.hubId,
      });
      return enrolled;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#needs.explain(error).kind === "refused") this.#tokenRefused = invitation.token;
      throw error;
    }
  }
}

const isoTime = (atMs: number): string => new Date(atMs).toISOString();
