/**
 * Holds answers against what `/v1/openapi.json` promises: that the status, the media type, the headers and the shape
 * of the body are declared.
 */
import { Compile } from "typebox/schema";
import type { WireAnswer } from "./fixture-normalise.ts";

type JsonSchema = Readonly<Record<string, unknown>>;
interface Header {
  readonly schema: JsonSchema;
}
interface Response {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: JsonSchema;
}

/** Before any operation: the query is read, the method and the namespace are looked at. */
const UNDECLARED_STATUSES = new Set([301, 405]);
const TYPE_WITHOUT_PARAMETERS = /^[^;]*/;

export class OpenApiConformance {
  readonly #document: Document;
  readonly #prefixes: ReadonlyArray<readonly [prefix: string, template: string]>;
  readonly #validators = new Map<JsonSchema, ReturnType<typeof Compile>>();
  /** `GET /v1/kv/{key} 200`, for each answer that was held against its operation. */
  readonly seen = new Set<string>();

  constructor(document: unknown) {
    this.#document = document as Document;
    this.#prefixes = Object.keys(this.#document.paths)
      .filter((template) => template.includes("{"))
      .map((template) => [template.slice(0, template.indexOf("{")), template] as const)
      .toSorted(([a], [b]) => b.length - a.length);
  }

  /** Everything that is declared to answer with JSON and 200. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([template, item]) =>
      Object.entries(item)
        .filter(
          ([, { responses }]) => responses["200"]?.content?.["application/json"] !== undefined,
        )
        .map(([method]) => `${method.toUpperCase()} ${template}`),
    );
  }

  /** @returns what the document does not say; nothing for what is no operation of it */
  faults(method: string, target: string, answer: WireAnswer): readonly string[] {
    const [path = ""] = target.split("?");
    const template = this.#templateOf(path);
    const operation = this.#document.paths[template ?? ""]?.[method.toLowerCase()];
    if (operation === undefined || UNDECLARED_STATUSES.has(answer.status)) return [];
    const response = operation.responses[String(answer.status)];
    if (response === undefined) return [`status ${answer.status} of ${method} ${template}`];
    this.seen.add(`${method} ${template} ${answer.status}`);
    return [...this.#headerFaults(response, answer), ...this.#bodyFaults(response, answer)];
  }

  #templateOf(path: string): string | undefined {
    if (this.#document.paths[path] !== undefined) return path;
    return this.#prefixes.find(([prefix]) => path.startsWith(prefix))?.[1];
  }

  #headerFaults({ headers = {} }: Response, answer: WireAnswer): string[] {
    return Object.entries(headers).flatMap(([name, { schema }]) => {
      const sent = answer.headers.find(([given]) => given === name)?.[1];
      if (sent === undefined) return [];
      const isText = schema["type"] === "string";
      return this.#schemaFaults(schema, isText ? sent : JSON.parse(sent), `header ${name}`);
    });
  }

  #bodyFaults({ content = {} }: Response, { headers, body }: WireAnswer): string[] {
    if (body === "") return [];
    const type = headers.find(([name]) => name === "Content-Type")?.[1] ?? "";
    const media = content[type] ?? content[TYPE_WITHOUT_PARAMETERS.exec(type)?.[0] ?? ""];
    if (media === undefined) return [`content type ${type}`];
    if (media.schema === undefined || type !== "application/json") return [];
    return this.#schemaFaults(media.schema, JSON.parse(body), "body");
  }

  #schemaFaults(schema: JsonSchema, value: unknown, what: string): string[] {
    let validator = this.#validators.get(schema);
    if (validator === undefined) {
      // References point into the document's components.
      validator = Compile({ ...schema, components: this.#document.components });
      this.#validators.set(schema, validator);
    }
    if (validator.Check(value)) return [];
    const [, errors] = validator.Errors(value);
    return errors.map(({ instancePath, message }) => `${what}${instancePath} ${message}`);
  }
}
