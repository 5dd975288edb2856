import { tellOfOwnership } from "./stories/ownership.ts";

tellOfOwnership("ownership");
