import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import type { WatchEvent } from "../../../spoke/domain/cluster.ts";
import type { KubeObject, ResourceType } from "../../../spoke/domain/kube-object.ts";

type WatcherSays = WatchEvent | "relist" | "broken" | "kind-gone";

export type Watcher = {
  readonly type: ResourceType;
  readonly offer: (event: "present" | "gone", object: KubeObject) => void;
  readonly relist: () => void;
  readonly end: () => void;
  readonly kindGone: () => void;
  readonly clear: () => void;
  readonly next: (signal: AbortSignal) => Promise<WatcherSays>;
};

export function newWatcher(
  type: ResourceType,
  see: (event: "present" | "gone", object: KubeObject) => WatchEvent | undefined,
): Watcher {
  const waiting: WatcherSays[] = [];
  let arrival = Promise.withResolvers<void>();
  const say = (something: WatcherSays): void => {
    waiting.push(something);
    arrival.resolve();
    arrival = Promise.withResolvers();
  };
  return {
    type,
    offer: (event, object) => {
      const seen = see(event, object);
      if (seen !== undefined) say(seen);
    },
    relist: () => say("relist"),
    end: () => say("broken"),
    kindGone: () => say("kind-gone"),
    clear: () => {
      waiting.length = 0;
    },
    next: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const first = waiting.shift();
        if (first !== undefined) return first;
        await unlessAborted(arrival.promise, signal);
      }
    },
  };
}
