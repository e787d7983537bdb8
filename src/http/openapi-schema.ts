/** The model's schemas as plain JSON Schema (2020-12), which OpenAPI 3.1 uses: Go's notions are left out. */
import { fieldKind, valuesOf, type FieldSchema, type TSchema } from "../model/index.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Called with each named record; returns what stands for it, e.g. a reference. */
export type Name = (name: string, schema: JsonSchema) => JsonSchema;

/** Records written out where they are used. */
export const inline: Name = (_, schema) => schema;

export function plainSchema(schema: TSchema, name: Name = inline): JsonSchema {
  const field = schema as FieldSchema;
  const { description } = field as { readonly description?: string };
  const note = description === undefined ? {} : { description };
  switch (fieldKind(field)) {
    case "struct":
      return structSchema(field, note, name);
    case "list":
      return { type: ["array", "null"], items: plainSchema(field.items ?? {}, name), ...note };
    case "map":
      return {
        type: ["object", "null"],
        additionalProperties: plainSchema(valuesOf(field), name),
        ...note,
      };
    case "uint64":
      return { type: "integer", minimum: 0, ...note };
    case "bytes":
      return { type: ["string", "null"], contentEncoding: "base64", ...note };
    case "any":
      return note;
    case "int":
    case "float":
    case "duration":
    case "text":
    case "bool":
      return { type: field.type, ...note };
  }
}

function structSchema(field: FieldSchema, note: JsonSchema, name: Name): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [key, property] of Object.entries(field.properties ?? {})) {
    properties[key] = plainSchema(property, name);
  }
  const { required } = field as { readonly required?: readonly string[] };
  const record: JsonSchema = {
    type: "object",
    properties,
    ...(required === undefined || required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...note,
  };
  const named = name(field["x-struct"] ?? "", record);
  return field["x-nullable"] === true ? { anyOf: [named, { type: "null" }] } : named;
}

/** What a client may send: every field is optional, and durations may be text. */
export function inputSchema(schema: JsonSchema): JsonSchema {
  const { required: _, properties, items, additionalProperties, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(isSchema(properties) ? { properties: mapValues(properties, inputSchema) } : {}),
    ...(isSchema(items) ? { items: inputSchema(items) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties: isSchema(additionalProperties)
            ? inputSchema(additionalProperties)
            : additionalProperties,
        }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.filter(isSchema).map(inputSchema) } : {}),
  };
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}

function mapValues(record: JsonSchema, each: (value: JsonSchema) => JsonSchema): JsonSchema {
  const mapped: Record<string, JsonSchema> = {};
  for (const [key, value] of Object.entries(record)) if (isSchema(value)) mapped[key] = each(value);
  return mapped;
}
