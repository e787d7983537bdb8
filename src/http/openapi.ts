/**
 * `/v1/openapi.json`: the API described for programs (OpenAPI 3.1), made of the same declarations that the endpoints
 * are. Beyond Consul, which has no such thing.
 */
import { CONSUL_VERSION, VERSION, type TSchema } from "../model/index.ts";
import { plainJsonBody } from "./body.ts";
import { inputSchema, plainSchema, type JsonSchema, type Name } from "./openapi-schema.ts";
import { reply } from "./reply.ts";
import {
  defineRoute,
  type AnswerDoc,
  type Operation,
  type Parameter,
  type Route,
} from "./route.ts";

const PARAMETER_SCHEMAS: Readonly<Record<Parameter["type"], JsonSchema>> = {
  // Present means true, whatever its value.
  flag: { type: ["boolean", "string", "null"] },
  text: { type: "string" },
  integer: { type: "integer", minimum: 0 },
  duration: { type: "string", pattern: "^[-+]?[0-9.]+(ns|us|µs|ms|s|m|h)|^0$" },
};

const INDEX_HEADERS = {
  "X-Consul-Index": {
    description: "Pass it as index to wait for a change",
    schema: { type: "integer", minimum: 1 },
  },
  "X-Consul-Knownleader": {
    description: "Whether the server that answered knows a leader",
    schema: { type: "boolean" },
  },
  "X-Consul-Lastcontact": {
    description: "Milliseconds since that server heard from the leader",
    schema: { type: "integer", minimum: 0 },
  },
};
const ANSWER_HEADERS: Readonly<Record<Operation["answerHeaders"], JsonSchema>> = {
  none: {},
  index: INDEX_HEADERS,
  "index and consistency": {
    ...INDEX_HEADERS,
    "X-Consul-Effective-Consistency": {
      description: "The mode that the answer was made in",
      schema: { type: "string", enum: ["leader", "stale", "consistent"] },
    },
  },
};

const TEXT = { "text/plain": { schema: { type: "string" } } };

export function openApiDocument(routes: readonly Route[]): Readonly<Record<string, unknown>> {
  const components: Record<string, JsonSchema> = {};
  const name = componentNamer(components);
  const paths: Record<string, JsonSchema> = {};
  for (const route of routes) {
    const { parameter } = route;
    const path = parameter === undefined ? route.path : `${route.prefix}{${parameter}}`;
    const item: Record<string, unknown> = {};
    for (const [method, operation] of route.operations) {
      item[method.toLowerCase()] = operationDoc(route, method, operation, name);
    }
    paths[path] = item;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Rollcall HTTP API",
      version: VERSION,
      description: `Compatible with Consul ${CONSUL_VERSION}. Errors are plain text.`,
      license: { name: "MPL-2.0", identifier: "MPL-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:8500" }],
    paths,
    components: { schemas: components },
  };
}

/** One component for each named record; another shape under the same name is written out in place. */
function componentNamer(components: Record<string, JsonSchema>): Name {
  const texts = new Map<string, string>();
  return (name, schema) => {
    if (name === "") return schema;
    const text = JSON.stringify(schema);
    const known = texts.get(name);
    if (known !== undefined && known !== text) return schema;
    texts.set(name, text);
    components[name] = schema;
    return { $ref: `#/components/schemas/${name}` };
  };
}

function operationDoc(route: Route, method: string, operation: Operation, name: Name): JsonSchema {
  const { summary, description, query, requestBody } = operation;
  const inPath =
    route.parameter === undefined
      ? []
      : [{ name: route.parameter, in: "path", required: true, schema: { type: "string" } }];
  return {
    tags: [route.tag],
    operationId: operationId(route, method),
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...inPath, ...Object.entries(query).map(queryParameter)],
    ...(requestBody === undefined
      ? {}
      : {
          requestBody: {
            description: requestBody.description,
            content: {
              [requestBody.contentType ?? "application/json"]: {
                // Written out, as what may be left out differs from what is answered.
                schema: requestBody.schema ? inputSchema(plainSchema(requestBody.schema)) : {},
              },
            },
          },
        }),
    responses: responsesDoc(operation, name),
  };
}

function operationId({ path }: Route, method: string): string {
  const words = path.replace("/v1/", "").split(/[^A-Za-z]+/);
  return words
    .filter((word) => word !== "")
    .reduce((id, word) => id + word.charAt(0).toUpperCase() + word.slice(1), method.toLowerCase());
}

function queryParameter([name, parameter]: readonly [string, Parameter]): JsonSchema {
  const schema = PARAMETER_SCHEMAS[parameter.type];
  return {
    name,
    in: "query",
    description: parameter.description,
    ...(parameter.type === "flag" ? { allowEmptyValue: true } : {}),
    schema: parameter.repeatable === true ? { type: "array", items: schema } : schema,
  };
}

function responsesDoc({ answers, answerHeaders }: Operation, name: Name): JsonSchema {
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(answers)) {
    const isSuccess = status === "200";
    const content = answerContent(answer, name) ?? (isSuccess ? undefined : TEXT);
    responses[status] = {
      description: answer.description,
      ...(isSuccess || status === "404" ? { headers: ANSWER_HEADERS[answerHeaders] } : {}),
      ...(content === undefined ? {} : { content }),
    };
  }
  responses["403"] ??= { description: "Refused by configuration", content: TEXT };
  responses["500"] ??= { description: "What went wrong, or what was refused", content: TEXT };
  return responses;
}

function answerContent(
  { schema, alternatives, contentType: given, orText }: AnswerDoc,
  name: Name,
): JsonSchema | undefined {
  const contentType = given ?? "application/json";
  const plain = (one: TSchema): JsonSchema => plainSchema(one, name);
  const asText = orText === undefined ? {} : { [orText]: { schema: { type: "string" } } };
  if (alternatives !== undefined) {
    return { [contentType]: { schema: { anyOf: alternatives.map(plain) } }, ...asText };
  }
  // Of a type of its own, and of no shape that could be told.
  if (schema === undefined && given !== undefined) return { [contentType]: {} };
  return schema === undefined ? undefined : { [contentType]: { schema: plain(schema) }, ...asText };
}

export function openApiRoute(routes: readonly Route[]): Route {
  let document: Readonly<Record<string, unknown>> | undefined;
  return defineRoute("/v1/openapi.json", "Agent", {
    GET: {
      summary: "This description of the API",
      query: { pretty: { description: "Indent the JSON by 4 spaces", type: "flag" } },
      answerHeaders: "none",
      answers: { 200: { description: "An OpenAPI 3.1 document" } },
      handle: () => reply(plainJsonBody((document ??= openApiDocument(routes)))),
    },
  });
}
