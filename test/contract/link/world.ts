import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import type { FencedMessage, Hello } from "../../../proto/words/link-messages.ts";
import { emptyHeldSet, heldRoot } from "../../../spoke/domain/held-set.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { createHubClient, type HubConnection, type HubStream } from "../../../spoke/link/client.ts";
import { newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { explainLoss } from "../../../spoke/link/hub-error.ts";
import { fakeLinkStore, type FakeLinkStore } from "../../support/fake-link-store.ts";
import { runHubLink, temporaryFolder, type RunningHubLink } from "../../support/hub-link.ts";

export const signal = (): AbortSignal => AbortSignal.timeout(10_000);
export const web = "web" as ApplicationName;

export type World = {
  readonly store: FakeLinkStore;
  readonly hub: RunningHubLink;
  readonly stop: () => Promise<void>;
};

export async function world(
  settings: Parameters<typeof runHubLink>[2] = {},
  store = fakeLinkStore(),
): Promise<World> {
  const folder = await temporaryFolder();
  const hub = await runHubLink(store, folder.path, settings);
  return {
    store,
    hub,
    async stop() {
      await hub.stop();
      await folder.remove();
    },
  };
}

export const clientOf = ({ hub }: World, address = hub.address) =>
  createHubClient({ address, spokeVersion: "0.1.0", connectMs: 2_000, callMs: 2_000 });

export async function enrolled(here: World, cluster: ClusterId): Promise<SpokeIdentity> {
  const invitation = {
    token: here.store.invite(cluster),
    fingerprint: here.hub.authority.fingerprint,
  };
  return clientOf(here).enroll(await newPrivateKeyPem(), invitation, signal());
}

export const hello = (change: Partial<Hello> = {}): Hello => ({
  kind: "hello",
  protocolLeast: 1,
  protocolMost: 1,
  capabilities: [],
  spokeVersion: "0.1.0",
  bootId: "boot",
  heldVersion: 0,
  heldRoot: heldRoot(emptyHeldSet),
  statusRoot: heldRoot(emptyHeldSet),
  epochSeen: 0,
  clockMs: Date.now(),
  kubernetesVersion: "v1.35.0",
  ...change,
});

/** A stream whose messages are taken one by one. */
export async function attached(
  connection: HubConnection,
  stopping: AbortSignal,
  change?: Partial<Hello>,
) {
  const stream: HubStream = connection.attach(stopping);
  await stream.send(hello(change), stopping);
  const messages = stream.incoming[Symbol.asyncIterator]();
  return {
    stream,
    async next(): Promise<FencedMessage> {
      const { value, done } = await messages.next();
      if (done === true || value === undefined) throw new Error("the stream ended");
      return value;
    },
    /** Reads on until the stream breaks, and says why. */
    async loss() {
      try {
        for (;;) await this.next();
      } catch (error) {
        return explainLoss(error);
      }
    },
  };
}

export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "no failure";
  } catch (error) {
    const { kind, problem } = explainLoss(error);
    return `${kind} ${problem.code}`;
  }
};
