import { takes, type TemplateFunction } from "../function.ts";
import { NamedInteger } from "../value.ts";
import { monthNames, weekdayNames } from "./calendar.ts";

/** Go's `time.Month`, from 1, and `time.Weekday`, where 0 is Sunday. */
export class NamedDay extends NamedInteger {
  declare readonly type: "time.Month" | "time.Weekday";

  constructor(type: NamedDay["type"], value: number | bigint) {
    super(type, BigInt(value));
  }

  override get kind(): "int" {
    return "int";
  }

  override like(value: bigint): NamedDay {
    return new NamedDay(this.type, value);
  }

  get text(): string {
    const name =
      this.type === "time.Month"
        ? monthNames[Number(this.value) - 1]
        : weekdayNames[Number(this.value)];
    return name ?? `%!${this.type.slice("time.".length)}(${BigInt.asUintN(64, this.value)})`;
  }

  method(name: string): TemplateFunction | undefined {
    return name === "String" ? takes([], () => this.text) : undefined;
  }
}
