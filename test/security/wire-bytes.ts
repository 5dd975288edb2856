import { toBinary } from "@bufbuild/protobuf";
import { AttachRequestSchema } from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { spokeMessageToWire } from "../../proto/wire/link.ts";
import { helloOf } from "./world.ts";

/** A hello as it travels inside an HTTP/2 stream: gRPC's frame around the message. */
export function helloBytes(): Buffer {
  const message = Buffer.from(toBinary(AttachRequestSchema, spokeMessageToWire(helloOf())));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
