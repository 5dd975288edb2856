import { isAnswer, type Answer } from "./answer.ts";

export type StreamEvent =
  /** Where the stream is, without news: the first thing it says. */
  | { readonly kind: "position"; readonly position: number | undefined }
  | { readonly kind: "change"; readonly position: number | undefined; readonly event: Answer }
  /** Something was missed; read everything again. */
  | { readonly kind: "resync"; readonly position: number | undefined };

const blockCharsMost = 1_000_000;

/** Server-sent events out of the bytes of a response. Ends where the bytes end; half an event is dropped. */
export async function* eventsIn(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let partial = "";
  for await (const chunk of chunks) {
    partial += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const blocks = partial.replaceAll("\r\n", "\n").split("\n\n");
    partial = blocks.pop() ?? "";
    if (partial.length > blockCharsMost)
      throw new RangeError(`an event longer than ${blockCharsMost} characters`);
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== undefined) yield event;
    }
  }
}

function eventOf(block: string): StreamEvent | undefined {
  let position: number | undefined;
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([a-z]+):(?: (.*))?$/.exec(line) ?? [];
    if (field === "id" && /^\d+$/.test(value)) position = Number(value);
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  if (name === "resync") return { kind: "resync", position };
  if (data.length === 0) return position === undefined ? undefined : { kind: "position", position };
  const event: unknown = JSON.parse(data.join("\n"));
  return isAnswer(event) ? { kind: "change", position, event } : undefined;
}
