import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What the line between two programs is like. */
export type Weather =
  | { readonly kind: "clear" }
  /** Connections that stand are broken off, and new ones are as soon as they are made. */
  | { readonly kind: "cut" }
  /** Connections are taken and stay open, and nothing passes: as when a cable is pulled. */
  | { readonly kind: "stalled" }
  /** One direction is dead and nobody is told, not even that the other end is gone. */
  | { readonly kind: "half-open"; readonly dead: Direction }
  | { readonly kind: "slow"; readonly bytesPerSecond: number; readonly latencyMs: number };

export type Direction = "to-server" | "to-client";

export type FaultProxy = {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly weather: () => Weather;
  /** From now on, for connections that stand and for those to come. What was held back goes on, as TCP would have it. */
  readonly set: (weather: Weather) => void;
  /** Breaks off every connection that stands and takes new ones at once. */
  readonly reset: () => void;
  /** Points new connections at another port, for a server that came back elsewhere. */
  readonly aim: (port: number) => void;
  /** Connections of clients that the server was not told have ended. */
  readonly open: () => number;
  /** Bytes delivered so far. */
  readonly delivered: () => Readonly<Record<Direction, number>>;
  readonly stop: () => Promise<void>;
};

/** More than this is not read from a sender whose receiver does not keep up. */
const heldBytesMost = 256 * 1024;

/** A line to a port on loopback, on which everything can happen that happens to lines. TCP: what is inside it never sees. */
export async function startFaultProxy(serverPort: number): Promise<FaultProxy> {
  let weather: Weather = { kind: "clear" };
  let target = serverPort;
  const lines = new Set<Line>();
  const delivered: Record<Direction, number> = { "to-server": 0, "to-client": 0 };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (weather.kind === "cut") {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const line = openLine(client, target, {
      weather: () => weather,
      onDelivered: (direction, bytes) => {
        delivered[direction] += bytes;
      },
      onGone: () => lines.delete(line),
    });
    lines.add(line);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a proxy has a port");

  const reset = (): void => {
    for (const line of lines) line.breakOff();
  };
  return {
    port: bound.port,
    address: `127.0.0.1:${bound.port}`,
    weather: () => weather,
    set: (next) => {
      weather = next;
      if (next.kind === "cut") reset();
      else for (const line of lines) line.goOn();
    },
    reset,
    aim: (port) => {
      target = port;
    },
    open: () => lines.size,
    delivered: () => ({ ...delivered }),
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      reset();
      await closed;
    },
  };
}

type LineNeeds = {
  readonly weather: () => Weather;
  readonly onDelivered: (direction: Direction, bytes: number) => void;
  readonly onGone: () => void;
};

type Line = {
  /** To be called when the weather has changed. */
  readonly goOn: () => void;
  readonly breakOff: () => void;
};

function openLine(client: Socket, port: number, needs: LineNeeds): Line {
  const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const breakOff = (): void => {
    client.resetAndDestroy();
    server.resetAndDestroy();
    for (const lane of lanes) lane.stop();
    needs.onGone();
  };
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on("error", () => {});
  }
  const lanes = [
    openLane("to-server", client, server, needs, breakOff),
    openLane("to-client", server, client, needs, breakOff),
  ];
  return {
    goOn: () => {
      for (const lane of lanes) lane.goOn();
    },
    breakOff,
  };
}

/** What travels: bytes, the sender's polite end, or that it is gone. */
type Cargo = {
  readonly what: Buffer | "end" | "gone";
  readonly arrivedAtMs: number;
};

/** One direction of one connection. Holds back what the weather does not let pass, and passes it in order later. */
function openLane(
  direction: Direction,
  from: Socket,
  to: Socket,
  { weather, onDelivered }: LineNeeds,
  breakOff: () => void,
): { readonly goOn: () => void; readonly stop: () => void } {
  const held: Cargo[] = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  /** Bytes of this moment that a slow line has already taken. */
  let nextByteAtMs = 0;
  let waitsForDrain = false;

  const put = (what: Cargo["what"]): void => {
    held.push({ what, arrivedAtMs: performance.now() });
    if (typeof what !== "string") {
      heldBytes += what.length;
      if (heldBytes > heldBytesMost) from.pause();
    }
    goOn();
  };
  from.on("data", (bytes: Buffer) => put(bytes));
  from.on("end", () => put("end"));
  from.on("close", () => put("gone"));
  to.on("drain", () => {
    waitsForDrain = false;
    goOn();
  });

  function goOn(): void {
    clearTimeout(timer);
    for (;;) {
      const [first] = held;
      const now = weather();
      if (first === undefined || waitsForDrain || isDead(now, direction)) return;
      const dueAtMs = dueAt(first, now);
      const waitMs = dueAtMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(goOn, waitMs);
        return;
      }
      if (first.what === "gone") return breakOff();
      if (first.what === "end") {
        held.shift();
        to.end();
        continue;
      }
      pass(first.what, first.arrivedAtMs, now);
    }
  }

  function dueAt({ what, arrivedAtMs }: Cargo, now: Weather): number {
    if (now.kind !== "slow") return 0;
    // What ended politely has been delivered by now; what broke off is told as late as bytes are.
    const late = arrivedAtMs + now.latencyMs;
    return typeof what === "string" ? late : Math.max(late, nextByteAtMs);
  }

  function pass(bytes: Buffer, arrivedAtMs: number, now: Weather): void {
    const most = now.kind === "slow" ? Math.max(1, Math.round(now.bytesPerSecond / 20)) : Infinity;
    const part = bytes.subarray(0, most);
    const rest = bytes.subarray(part.length);
    if (rest.length === 0) held.shift();
    else held[0] = { what: rest, arrivedAtMs };
    heldBytes -= part.length;
    if (heldBytes <= heldBytesMost) from.resume();
    if (now.kind === "slow")
      nextByteAtMs = performance.now() + (part.length / now.bytesPerSecond) * 1_000;
    onDelivered(direction, part.length);
    if (!to.destroyed && !to.write(part)) waitsForDrain = true;
  }

  return { goOn, stop: () => clearTimeout(timer) };
}

const isDead = (weather: Weather, direction: Direction): boolean =>
  weather.kind === "stalled" || (weather.kind === "half-open" && weather.dead === direction);
