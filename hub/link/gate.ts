import type { Socket } from "node:net";
import { sourceNetwork } from "../../proto/kit/source-network.ts";

export type GateSettings = {
  /** Sockets past the gate and not done; the others wait. */
  readonly handshakesMost: number;
  /** How long a socket may take until its first record is whole. */
  readonly handshakeMs: number;
  /** Sockets of one network that are not known; more are closed as they come. */
  readonly strangersMost: number;
};

export type Gate = {
  readonly enter: (socket: Socket) => void;
  /**
   * The handshake of the socket with this far end is over. Known are those that showed a certificate of ours;
   * the others count as strangers until they close.
   */
  readonly shook: (
    far: Pick<Socket, "remoteAddress" | "remotePort">,
    outcome: "known" | "stranger",
  ) => void;
  /** Closes those that wait. */
  readonly clear: () => void;
};

type Entry = {
  readonly socket: Socket;
  readonly network: string;
  stage: "silent" | "waiting" | "inside" | "done";
  known: boolean;
};

/**
 * Lets sockets into their handshakes, few at a time and each network in its turn.
 *
 * A socket waits its turn only once it has greeted: one that says nothing, or nothing that begins a handshake,
 * keeps nobody waiting. Among those that wait, one of the network with the fewest inside comes next, so that a
 * network that stalls its own handshakes stalls nobody else's.
 */
export function createGate(settings: GateSettings, admit: (socket: Socket) => void): Gate {
  const entries = new Map<string, Entry>();
  const waiting = new Map<string, Set<Entry>>();
  const inside = new Map<string, number>();
  const strangers = new Map<string, number>();
  let insideAll = 0;

  function enter(socket: Socket): void {
    // Errors are followed by close.
    socket.on("error", () => {});
    const place = placeOf(socket);
    const network = sourceNetwork(socket.remoteAddress);
    if (place === undefined || (strangers.get(network) ?? 0) >= settings.strangersMost) {
      socket.destroy();
      return;
    }
    const entry: Entry = { socket, network, stage: "silent", known: false };
    entries.set(place, entry);
    add(strangers, network, 1);
    socket.once("close", () => {
      if (entries.get(place) === entry) entries.delete(place);
      if (!entry.known) add(strangers, network, -1);
      leave(entry);
    });
    greeting(socket, settings.handshakeMs, () => {
      entry.stage = "waiting";
      const line = waiting.get(network);
      if (line === undefined) waiting.set(network, new Set([entry]));
      else line.add(entry);
      next();
    });
  }

  function next(): void {
    while (insideAll < settings.handshakesMost) {
      const entry = nextInLine();
      if (entry === undefined) return;
      unqueue(entry);
      entry.stage = "inside";
      insideAll += 1;
      add(inside, entry.network, 1);
      admit(entry.socket);
    }
  }

  function nextInLine(): Entry | undefined {
    let fewest = Number.POSITIVE_INFINITY;
    let chosen: Entry | undefined;
    for (const [network, line] of waiting) {
      const count = inside.get(network) ?? 0;
      if (count < fewest) {
        fewest = count;
        [chosen] = line;
      }
      if (fewest === 0) break;
    }
    return chosen;
  }

  function unqueue(entry: Entry): void {
    const line = waiting.get(entry.network);
    line?.delete(entry);
    if (line?.size === 0) waiting.delete(entry.network);
  }

  /** Whatever it held or waited for is free for others. */
  function leave(entry: Entry): void {
    const { stage } = entry;
    entry.stage = "done";
    if (stage === "waiting") unqueue(entry);
    if (stage !== "inside") return;
    insideAll -= 1;
    add(inside, entry.network, -1);
    next();
  }

  return {
    enter,
    shook(far, outcome) {
      const entry = entries.get(placeOf(far) ?? "");
      // It may have closed before its handshake was told of.
      if (entry === undefined || entry.stage !== "inside") return;
      if (outcome === "known") {
        entry.known = true;
        add(strangers, entry.network, -1);
      }
      leave(entry);
    },
    clear() {
      for (const line of waiting.values()) for (const { socket } of line) socket.destroy();
      for (const { socket, stage } of entries.values()) if (stage === "silent") socket.destroy();
    },
  };
}

/** Calls `greeted` once the first TLS record is there whole, put back to be read again. Closes the socket otherwise. */
function greeting(socket: Socket, withinMs: number, greeted: () => void): void {
  const held: Buffer[] = [];
  const patience = setTimeout(() => socket.destroy(), withinMs);
  const over = (): void => {
    clearTimeout(patience);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
  };
  const onEnd = (): void => {
    over();
    socket.destroy();
  };
  const onReadable = (): void => {
    for (let chunk = read(socket); chunk !== undefined; chunk = read(socket)) held.push(chunk);
    const bytes = Buffer.concat(held);
    const found = firstRecord(bytes);
    if (found === "unfinished") return;
    over();
    if (found === "whole") {
      socket.unshift(bytes);
      greeted();
    } else socket.destroy();
  };
  socket.on("readable", onReadable);
  socket.once("end", onEnd);
  socket.once("close", over);
}

const read = (socket: Socket): Buffer | undefined => (socket.read() as Buffer | null) ?? undefined;

const headerBytes = 5;
const handshakeRecord = 0x16;
const recordBytesMost = 16_384;

function firstRecord(bytes: Buffer): "unfinished" | "whole" | "other" {
  if (bytes.length > 0 && bytes[0] !== handshakeRecord) return "other";
  if (bytes.length < headerBytes) return "unfinished";
  const length = bytes.readUInt16BE(3);
  if (bytes[1] !== 3 || length === 0 || length > recordBytesMost) return "other";
  return bytes.length >= headerBytes + length ? "whole" : "unfinished";
}

const placeOf = ({
  remoteAddress,
  remotePort,
}: Pick<Socket, "remoteAddress" | "remotePort">): string | undefined =>
  remoteAddress === undefined || remotePort === undefined
    ? undefined
    : `${remoteAddress} ${remotePort}`;

/** Counts that reach zero take no room. */
function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
