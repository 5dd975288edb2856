import { helmCommand, spokeCommand } from "../domain/join/command.ts";
import { joinManifest } from "../domain/join/manifest.ts";
import { usualSpokeRole, type SpokeRole } from "../domain/join/spoke-role.ts";
import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { HttpNeeds, HttpSettings } from "./needs.ts";

/** What is asked of an invitation; what is left out is as usual. */
export type InvitationWish = { readonly lifeMs?: number | undefined; readonly role?: SpokeRole };

/** Makes a join token of the cluster, and says in every form how its spoke joins with it. */
export async function invite(
  cluster: ClusterRecord,
  wish: InvitationWish,
  needs: Pick<HttpNeeds, "issueJoinToken">,
  settings: HttpSettings["join"],
  signal: AbortSignal,
) {
  const { hubAddress, hubFingerprint, spokeImage, spokeChart, tokenLifeMs } = settings;
  const { token, expiresAtMs } = await needs.issueJoinToken(
    cluster.id,
    wish.lifeMs ?? tokenLifeMs,
    signal,
  );
  const invitation = {
    cluster: cluster.name,
    hubAddress,
    hubFingerprint,
    token,
    image: spokeImage,
    role: wish.role ?? usualSpokeRole,
  };
  const items: readonly Record<string, unknown>[] = joinManifest(invitation);
  return {
    token,
    expiresAtMs,
    hubAddress,
    hubFingerprint,
    spokeCommand: spokeCommand(invitation),
    helmCommand: helmCommand(invitation, spokeChart),
    manifest: { apiVersion: "v1", kind: "List", items },
  } as const;
}
