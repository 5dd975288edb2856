import { unreachable } from "../../../proto/kit/unreachable.ts";
import { goQuote } from "./print.ts";
/** A parsed template. Positions are UTF-16 units from the start of its text. */

export type PipeNode = {
  readonly kind: "pipe";
  readonly at: number;
  /** Variables it sets, by name with the dollar sign. */
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
};

export type CommandNode = {
  readonly kind: "command";
  readonly at: number;
  readonly words: readonly [WordNode, ...WordNode[]];
};

export type WordNode =
  | { readonly kind: "dot"; readonly at: number }
  | { readonly kind: "nil"; readonly at: number }
  | { readonly kind: "bool"; readonly at: number; readonly value: boolean }
  | NumberNode
  | {
      readonly kind: "string";
      readonly at: number;
      readonly value: string;
      /** With its quotes, as written. */
      readonly text: string;
    }
  | { readonly kind: "field"; readonly at: number; readonly names: readonly string[] }
  | {
      readonly kind: "variable";
      readonly at: number;
      readonly variable: string;
      readonly names: readonly string[];
    }
  | { readonly kind: "function"; readonly at: number; readonly name: string }
  | {
      readonly kind: "chain";
      readonly at: number;
      readonly of: WordNode;
      readonly names: readonly string[];
    }
  | PipeNode;

export type NumberNode = {
  readonly kind: "number";
  readonly at: number;
  readonly text: string;
  /** Its value as an int, when it is one. */
  readonly integer: bigint | undefined;
  /** Its value as a uint, when it is one. */
  readonly natural: bigint | undefined;
  readonly float: number;
  /** Whether it stands for a float64 where nothing says which number is wanted. */
  readonly isFloat: boolean;
};

export type ListNode = readonly StepNode[];

export type StepNode =
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  | { readonly kind: "action"; readonly at: number; readonly pipe: PipeNode }
  | BranchNode
  | { readonly kind: "break"; readonly at: number }
  | { readonly kind: "continue"; readonly at: number }
  | TemplateNode;

export type BranchNode = {
  readonly kind: "if" | "with" | "range";
  readonly at: number;
  readonly pipe: PipeNode;
  readonly body: ListNode;
  readonly otherwise: ListNode | undefined;
};

export type TemplateNode = {
  readonly kind: "template";
  readonly at: number;
  readonly name: string;
  readonly pipe: PipeNode | undefined;
};

export type TemplateTree = {
  readonly main: ListNode;
  /** Made by `define` and `block`, by name. */
  readonly defined: ReadonlyMap<string, ListNode>;
};

export type AnyNode = PipeNode | CommandNode | WordNode | StepNode;

/** A node as Go writes it in messages. Bodies of branches are left out. */
export function nodeText(node: AnyNode): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "action":
      return `{{${nodeText(node.pipe)}}}`;
    case "if":
    case "with":
    case "range":
      return `{{${node.kind} ${nodeText(node.pipe)}}}`;
    case "break":
    case "continue":
      return `{{${node.kind}}}`;
    case "template":
      return `{{template ${goQuote(node.name)}${node.pipe === undefined ? "" : ` ${nodeText(node.pipe)}`}}}`;
    case "pipe": {
      const sets =
        node.variables.length === 0
          ? ""
          : `${node.variables.join(", ")} ${node.assigns ? "=" : ":="} `;
      return sets + node.commands.map(nodeText).join(" | ");
    }
    case "command":
      return node.words.map(wordText).join(" ");
    default:
      return bareWordText(node);
  }
}

const wordText = (node: WordNode): string =>
  node.kind === "pipe" ? `(${nodeText(node)})` : bareWordText(node);

function bareWordText(node: WordNode): string {
  switch (node.kind) {
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
    case "string":
      return node.text;
    case "field":
      return `.${node.names.join(".")}`;
    case "variable":
      return [node.variable, ...node.names].join(".");
    case "function":
      return node.name;
    case "chain":
      return `${wordText(node.of)}.${node.names.join(".")}`;
    case "pipe":
      return nodeText(node);
    default:
      return unreachable(node, "word");
  }
}
