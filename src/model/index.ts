export * from "./catalog.ts";
export * from "./commands.ts";
export * from "./definitions.ts";
export * from "./duration.ts";
export * from "./kv.ts";
export * from "./schema.ts";
