import type { KubeObject } from "../../../spoke/domain/kube-object.ts";

/** `a=b`, `a==b`, `a!=b`, `a` and `!a`, joined by commas. */
export function selectorOf(text: string): (object: KubeObject) => boolean {
  const terms = text.split(",").filter((term) => term !== "");
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return terms.every((term) => {
      const [name = "", value] = term.split(/!?==?/);
      if (value === undefined)
        return term.startsWith("!") ? labels[term.slice(1)] === undefined : term in labels;
      return term.includes("!=") ? labels[name] !== value : labels[name] === value;
    });
  };
}
