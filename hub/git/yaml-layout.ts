import { COLLECTION_STYLE, EVENT_ID, SCALAR_STYLE, type parseEvents } from "js-yaml";

/** A text with indentation added to some of its lines, and tabs made blanks. */
type LaidOut = {
  readonly text: string;
  /** The lines that were indented, in order. */
  readonly lines: readonly IndentedLine[];
  /** Where in `text` tabs were. */
  readonly tabs: readonly number[];
};

export type IndentedLine = {
  /** From 0. */
  readonly line: number;
  readonly added: number;
  /** Where in the new text it begins. */
  readonly start: number;
  /** Where in the new text its first character is. */
  readonly content: number;
};

/**
 * Between brackets and between quotes, Go's reader asks for no indentation and takes tabs for blanks; the library
 * wants what YAML's grammar wants. Gives such lines what they lack, which changes no value. `undefined` when
 * nothing is lacking, when a bracket or a quote stays open, or when more than `charsMost` would be added.
 *
 * This finds brackets and quotes without reading the whole grammar, so ask `changesNothing` afterwards.
 */
export function layOut(source: string, charsMost: number): LaidOut | undefined {
  const found = new Layout(source);
  if (!found.read()) return undefined;
  const { pads, tabs } = found;
  if (pads.length + tabs.length === 0) return undefined;
  if (pads.reduce((sum, { count }) => sum + count, 0) > charsMost) return undefined;
  const pieces: string[] = [];
  const lines: IndentedLine[] = [];
  const movedTabs: number[] = [];
  let done = 0;
  let shift = 0;
  const edits = [...pads, ...tabs.map((at) => ({ at }))].toSorted((a, b) => a.at - b.at);
  for (const edit of edits) {
    pieces.push(source.slice(done, edit.at));
    done = edit.at;
    if ("count" in edit) {
      pieces.push(" ".repeat(edit.count));
      const start = edit.at + shift;
      shift += edit.count;
      lines.push({ line: edit.line, added: edit.count, start, content: edit.content + shift });
    } else {
      pieces.push(" ");
      done += 1;
      movedTabs.push(edit.at + shift);
    }
  }
  pieces.push(source.slice(done));
  return {
    text: pieces.join(""),
    lines,
    tabs: movedTabs,
  };
}

type Events = ReturnType<typeof parseEvents>;

/** Whether all that was added stands where it means nothing, by what the library read. */
export function changesNothing({ lines, tabs }: LaidOut, events: Events): boolean {
  const contents = new Set(lines.map(({ content }) => content));
  const starts = lines.map(({ start }) => start);
  const collections: boolean[] = [];
  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.POP:
        collections.pop();
        break;
      case EVENT_ID.DOCUMENT:
        collections.push(false);
        break;
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING:
        if (isBlockStart(event, event.start, contents, collections)) return false;
        collections.push(event.style === COLLECTION_STYLE.FLOW);
        break;
      case EVENT_ID.SCALAR: {
        const { style, valueStart, valueEnd } = event;
        const isQuoted =
          style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
        const isBlock = style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
        if (isBlockStart(event, valueStart - (isQuoted ? 1 : 0), contents, collections))
          return false;
        if (hasWithin(tabs, valueStart, valueEnd)) return false;
        if (isBlock && hasWithin(starts, valueStart, valueEnd)) return false;
        break;
      }
      case EVENT_ID.ALIAS:
        if (isBlockStart(event, -1, contents, collections)) return false;
        break;
    }
  }
  return true;
}

/** Whether something in block style begins an indented line: there, indentation has a meaning. */
function isBlockStart(
  event: { readonly anchorStart: number; readonly tagStart?: number },
  start: number,
  contents: ReadonlySet<number>,
  collections: readonly boolean[],
): boolean {
  if (collections.at(-1) === true) return false;
  return [start, event.anchorStart - 1, event.tagStart ?? -1].some((at) => contents.has(at));
}

/** Both ends of the range are of one sorted list's kind: `from` counts, `to` does not. */
function hasWithin(sorted: readonly number[], from: number, to: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return (sorted[low] ?? Infinity) < to;
}

type Pad = {
  /** Where the line begins. */
  readonly at: number;
  readonly line: number;
  readonly content: number;
  readonly count: number;
};

class Layout {
  readonly pads: Pad[] = [];
  readonly tabs: number[] = [];
  readonly #source: string;
  #at = 0;
  #line = 0;
  #lineStart = 0;
  /** The column of the mapping or list, in block style, that we are in; -1 outside of all. */
  #indent = -1;

  constructor(source: string) {
    this.#source = source;
  }

  /** False when a bracket or a quote stays open. */
  read(): boolean {
    while (this.#at < this.#source.length) {
      if (this.#isMarker()) {
        this.#at += 3;
        this.#indent = -1;
      } else {
        this.#skip(" ");
        // A document may be indented as a whole.
        if (this.#indent < 0 && !isEnd(this.#char()) && this.#char() !== "#")
          this.#indent = this.#at - this.#lineStart - 1;
      }
      if (!this.#blockLine()) return false;
    }
    return true;
  }

  #blockLine(): boolean {
    /** Where a key may have begun. */
    let key: number | undefined;
    const start = this.#at;
    for (;;) {
      this.#separation(this.#at > start);
      const character = this.#char();
      const column = this.#at - this.#lineStart;
      if (isEnd(character)) {
        this.#nextLine();
        return true;
      }
      if (character === ":" && isBlank(this.#char(1))) {
        this.#indent = key ?? column;
        this.#at += 1;
      } else if ((character === "-" || character === "?") && isBlank(this.#char(1))) {
        this.#indent = column;
        this.#at += 1;
      } else if (character === "|" || character === ">") {
        this.#blockScalar();
        return true;
      } else if (character === "&" || character === "!" || character === "*") {
        key ??= column;
        this.#skipTo(isBlank);
      } else if (character === '"' || character === "'") {
        key = column;
        if (!this.#quoted(character)) return false;
      } else if (character === "[" || character === "{") {
        key = column;
        if (!this.#flow()) return false;
      } else {
        key ??= column;
        this.#plain(() => false);
        if (isEnd(this.#char())) {
          this.#plainGoesOn();
          return true;
        }
      }
    }
  }

  /** The further lines of a plain scalar in block style. */
  #plainGoesOn(): void {
    this.#nextLine();
    while (this.#at < this.#source.length && !this.#isMarker()) {
      const start = this.#at;
      this.#skip(" ");
      const isOver = this.#char() === "#" || this.#at - start <= this.#indent;
      if (isOver && !isEnd(this.#char())) {
        this.#at = start;
        return;
      }
      this.#skipTo(isEnd);
      this.#nextLine();
    }
  }

  #blockScalar(): void {
    const start = this.#at;
    this.#skipTo(isEnd);
    const explicit = /^.[-+]?([1-9])/.exec(this.#source.slice(start, start + 3))?.[1];
    let indent = explicit === undefined ? undefined : Math.max(this.#indent, 0) + Number(explicit);
    this.#nextLine();
    while (this.#at < this.#source.length && !this.#isMarker()) {
      const lineStart = this.#at;
      this.#skip(" ");
      const column = this.#at - lineStart;
      if (!isEnd(this.#char())) {
        indent ??= Math.max(column, this.#indent + 1);
        if (column < indent) {
          this.#at = lineStart;
          return;
        }
      }
      this.#skipTo(isEnd);
      this.#nextLine();
    }
  }

  #flow(): boolean {
    let depth = 0;
    while (this.#at < this.#source.length) {
      this.#separation(true);
      const character = this.#char();
      if (isEnd(character)) {
        if (!this.#innerLine()) return false;
      } else if (character === "[" || character === "{") {
        depth += 1;
        this.#at += 1;
      } else if (character === "]" || character === "}") {
        depth -= 1;
        this.#at += 1;
        if (depth === 0) return true;
      } else if (character === "," || character === ":") this.#at += 1;
      else if (character === '"' || character === "'") {
        if (!this.#quoted(character)) return false;
      } else if (character === "&" || character === "!" || character === "*")
        this.#skipTo((other) => isBlank(other) || isIndicator(other));
      else if (!this.#flowPlain()) return false;
    }
    return false;
  }

  #flowPlain(): boolean {
    for (;;) {
      this.#plain(isIndicator);
      if (!isEnd(this.#char())) return true;
      if (!this.#innerLine()) return false;
      this.#skip(" \t");
      const next = this.#char();
      if (isEnd(next) || isIndicator(next) || next === "#" || next === ":") return true;
    }
  }

  /** A plain scalar as far as this line goes. */
  #plain(endsWith: (character: string) => boolean): void {
    this.#at += 1;
    for (; ; this.#at += 1) {
      const character = this.#char();
      if (isEnd(character) || endsWith(character)) return;
      if (character === ":" && (isBlank(this.#char(1)) || endsWith(this.#char(1)))) return;
      if (character === "#" && isBlank(this.#char(-1))) return;
    }
  }

  #quoted(quote: string): boolean {
    this.#at += 1;
    while (this.#at < this.#source.length) {
      const character = this.#char();
      if (isEnd(character)) {
        if (!this.#innerLine()) return false;
      } else if (character === "\\" && quote === '"') this.#at += isEnd(this.#char(1)) ? 1 : 2;
      else if (character !== quote) this.#at += 1;
      else if (quote === "'" && this.#char(1) === quote) this.#at += 2;
      else {
        this.#at += 1;
        return true;
      }
    }
    return false;
  }

  /** Goes on to a line between brackets or quotes. */
  #innerLine(): boolean {
    this.#nextLine();
    if (this.#isMarker()) return false;
    this.#skip(" ");
    const count = this.#indent + 1 - (this.#at - this.#lineStart);
    if (count > 0 && !isEnd(this.#char())) {
      const content = this.#at + this.#blanksHere();
      this.pads.push({ at: this.#lineStart, line: this.#line, content, count });
    }
    return true;
  }

  /** Blanks and a comment. A tab there may as well be a blank, unless it would be indentation. */
  #separation(isBehindSomething: boolean): void {
    for (; this.#char() === " " || this.#char() === "\t"; this.#at += 1)
      if (this.#char() === "\t" && isBehindSomething) this.tabs.push(this.#at);
    const isComment =
      this.#char() === "#" && (this.#at === this.#lineStart || isBlank(this.#char(-1)));
    if (isComment) this.#skipTo(isEnd);
  }

  #blanksHere(): number {
    let count = 0;
    while (this.#char(count) === " " || this.#char(count) === "\t") count += 1;
    return count;
  }

  #isMarker(): boolean {
    const marker = this.#source.slice(this.#at, this.#at + 3);
    return (
      this.#at === this.#lineStart &&
      (marker === "---" || marker === "...") &&
      isBlank(this.#char(3))
    );
  }

  #nextLine(): void {
    this.#at += this.#char() === "\r" && this.#char(1) === "\n" ? 2 : 1;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  #skip(characters: string): void {
    while (this.#at < this.#source.length && characters.includes(this.#char())) this.#at += 1;
  }

  #skipTo(isThere: (character: string) => boolean): void {
    while (!isThere(this.#char())) this.#at += 1;
  }

  /** A character near where we are; empty beyond either end. */
  #char(ahead = 0): string {
    return this.#source.charAt(this.#at + ahead);
  }
}

const isEnd = (character: string): boolean =>
  character === "" || character === "\n" || character === "\r";
const isBlank = (character: string): boolean =>
  character === " " || character === "\t" || isEnd(character);
const isIndicator = (character: string): boolean =>
  character === "," ||
  character === "[" ||
  character === "]" ||
  character === "{" ||
  character === "}";
