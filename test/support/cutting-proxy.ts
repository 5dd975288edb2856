import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export type CuttingProxy = {
  readonly address: string;
  /** Bytes that came from the far end, per connection. */
  readonly received: number[];
  /** The next connection breaks once so many bytes came from the far end. */
  cutAfterBytes: number | undefined;
  /** Connections stay open and nothing passes any more, as when a cable is pulled. */
  frozen: boolean;
  readonly stop: () => void;
};

/** A line to `address` (host:port) that can break. */
export async function cuttingProxy(address: string): Promise<CuttingProxy> {
  const [host = "", port = ""] = address.split(":");
  const sockets = new Set<Socket>();
  const received: number[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    const place = received.push(0) - 1;
    const limit = proxy.cutAfterBytes ?? Number.POSITIVE_INFINITY;
    proxy.cutAfterBytes = undefined;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => {
      if (!proxy.frozen) far.write(bytes);
    });
    far.on("data", (bytes) => {
      received[place] = (received[place] ?? 0) + bytes.length;
      if ((received[place] ?? 0) >= limit) near.destroy();
      else if (!proxy.frozen) near.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a proxy has a port");
  const proxy: CuttingProxy = {
    address: `127.0.0.1:${bound.port}`,
    received,
    cutAfterBytes: undefined,
    frozen: false,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return proxy;
}
