/** `/v1/openapi.json` is a valid OpenAPI 3.1 document, by the rules of the specification that concern us. */
import { describe, expect, test } from "vitest";
import { Compile } from "typebox/schema";
import { openApiDocument } from "./openapi.ts";
import { ROUTES } from "./routes.ts";

type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as Json;
const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

/** Every object of the document under the key `name`. */
function everyUnder(name: string, within: unknown = document): Json[] {
  if (typeof within !== "object" || within === null) return [];
  return Object.entries(within).flatMap(([key, value]) => [
    ...(key === name ? [value as Json] : []),
    ...everyUnder(name, value),
  ]);
}

test("has what a document must have", () => {
  expect(document["openapi"]).toBe("3.1.0");
  expect(document["info"]).toMatchObject({
    title: expect.any(String) as string,
    version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
  });
  expect(Object.keys(paths).length).toBeGreaterThan(30);
});

test("every route is in it, with its methods", () => {
  const written = ROUTES.flatMap((route) =>
    [...route.operations.keys()].map((method) => `${method} ${route.path.replace(":", "{")}`),
  );
  const documented = operations.map(
    ({ path, method }) => `${method.toUpperCase()} ${path.replace("}", "")}`,
  );
  expect(documented.toSorted()).toEqual(written.toSorted());
});

test("operation IDs are unique names", () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]*$/);
});

/** Endpoints of what is not built or off say so, whatever they are asked. */
const OF_MISSING_FEATURES = new Set(["Snapshot", "ACL", "Service mesh", "Keyring"]);

describe.each(operations)("$method $path", ({ path, operation }) => {
  test("is described", () => {
    expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(operation.tags).toHaveLength(1);
  });
  test("declares the parameters of its path, and none twice", () => {
    const inPath = operation.parameters.filter((parameter) => parameter["in"] === "path");
    const templated = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    expect(inPath.map(({ name }) => name)).toEqual(templated);
    for (const parameter of inPath) expect(parameter["required"]).toBe(true);
    const names = operation.parameters.map((parameter) =>
      JSON.stringify([parameter["in"], parameter["name"]]),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const parameter of operation.parameters) expect(parameter).toHaveProperty("schema");
  });
  test("describes its answers, and success among them if there can be any", () => {
    const statuses = Object.keys(operation.responses);
    const mayOnlyFail = operation.tags.some((tag) => OF_MISSING_FEATURES.has(tag));
    const succeeds = statuses.some((status) => status.startsWith("2"));
    expect(succeeds || mayOnlyFail).toBe(true);
    for (const status of statuses) expect(status).toMatch(/^[1-5]\d\d$/);
    for (const response of Object.values(operation.responses)) {
      expect(response["description"]).toEqual(expect.stringMatching(/./));
    }
  });
});

test("references lead to components", () => {
  const { schemas } = document["components"] as { readonly schemas: Json };
  const references = everyUnder("$ref").map(String);
  expect(references.length).toBeGreaterThan(10);
  for (const reference of references) {
    const name = /^#\/components\/schemas\/([\w.-]+)$/.exec(reference)?.[1];
    expect(schemas).toHaveProperty([name ?? reference]);
  }
});

test("schemas are JSON Schema without Go's notions", () => {
  const schemas = everyUnder("schema");
  expect(schemas.length).toBeGreaterThan(operations.length);
  for (const schema of schemas) {
    expect(() => Compile({ ...schema, components: document["components"] })).not.toThrow();
  }
  expect(JSON.stringify(document)).not.toContain('"x-');
  const TYPES = ["string", "integer", "number", "boolean", "array", "object", "null"];
  for (const type of everyUnder("type").flat() as unknown[]) {
    if (typeof type === "string") expect(TYPES).toContain(type);
  }
  for (const required of everyUnder("required")) {
    if (Array.isArray(required)) expect(new Set(required).size).toBe(required.length);
  }
});
