/**
 * Prepared query templates: a query that stands for all names with its prefix, whose texts are made from the name
 * that was asked for (Consul docs: "Prepared Query Templates").
 */
import { RollcallError } from "../errors/index.ts";
import { submatchFinder } from "../filter/index.ts";
import type { PreparedQuery } from "../model/index.ts";
import {
  parseTemplate,
  renderTemplate,
  type Scope,
  type TextTemplate,
} from "./query-expression.ts";

export const isTemplate = ({ Template }: PreparedQuery): boolean => Template.Type !== "";

export interface CompiledQuery {
  /** @throws {RollcallError} when the rendered query would be too large, or its expression too much work */
  render(name: string): PreparedQuery;
}

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
const PREFIX_MATCH = "name_prefix_match";
/** A name is short and a template finite, but their product need not be reasonable. */
const RENDERED_MAX_CHARS = 1 << 20;

const compiled = new WeakMap<PreparedQuery, CompiledQuery>();

/** @throws {RollcallError} `request/refused` with Consul's text for a template that cannot be rendered */
export function compileQuery(query: PreparedQuery): CompiledQuery {
  const known = compiled.get(query);
  if (known !== undefined) return known;
  try {
    const made = compile(query);
    made.render(query.Name);
    compiled.set(query, made);
    return made;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw refuse(`failed compiling template: ${error.message}`);
  }
}

type Texts = Readonly<{ path: string; text: string; template: TextTemplate }>;

function compile(query: PreparedQuery): CompiledQuery {
  const { Type, Regexp, RemoveEmptyTags } = query.Template;
  if (Type !== PREFIX_MATCH) throw refuse(`Bad Template.Type '${Type}'`);
  const captures = Regexp === "" ? () => [] : compileRegexp(Regexp);
  const templates = new Map<string, Texts>();
  mapTexts(query.Service, (text, path) => {
    templates.set(path, { path, text, template: parse(text, path) });
    return text;
  });
  return {
    render(name) {
      const scope = scopeOf(query.Name, name, captures(name) ?? []);
      let sizeChars = 0;
      const Service = mapTexts(query.Service, (_, path) => {
        const text = renderAt(templates.get(path), scope);
        sizeChars += text.length;
        if (sizeChars > RENDERED_MAX_CHARS) throw refuse("Rendered query is too large");
        return text;
      });
      if (!RemoveEmptyTags || Service.Tags === null) return { ...query, Service };
      const Tags = Service.Tags.filter((tag) => tag !== "");
      return { ...query, Service: { ...Service, Tags } };
    },
  };
}

function compileRegexp(pattern: string): (text: string) => readonly string[] | undefined {
  try {
    return submatchFinder(pattern);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw refuse(`Bad Regexp: ${error.message}`);
  }
}

function scopeOf(prefix: string, name: string, matches: readonly string[]): Scope {
  return {
    variables: {
      "name.full": name,
      "name.prefix": prefix,
      "name.suffix": name.startsWith(prefix) ? name.slice(prefix.length) : name,
      "agent.segment": "",
    },
    functions: { match: (group) => matches[group] ?? "" },
  };
}

function parse(text: string, path: string): TextTemplate {
  try {
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw refuse(`Bad format '${text}' in ${path}: ${error.message}`);
  }
}

function renderAt(texts: Texts | undefined, scope: Scope): string {
  if (texts === undefined) return "";
  try {
    return renderTemplate(texts.template, scope);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw refuse(`Bad evaluation for '${texts.text}' in ${texts.path}: ${error.message}`);
  }
}

type ServiceQuery = PreparedQuery["Service"];
type MapText = (text: string, path: string) => string;

/** Every text of the query in its order, values of maps but not their keys. */
function mapTexts(service: ServiceQuery, map: MapText): ServiceQuery {
  const list = (texts: readonly string[] | null, path: string): readonly string[] | null =>
    texts === null ? null : texts.map((text, i) => map(text, `${path}[${i}]`));
  const { Failover } = service;
  return {
    Service: map(service.Service, "Service.Service"),
    Failover: {
      ...Failover,
      Datacenters: list(Failover.Datacenters, "Service.Failover.Datacenters"),
    },
    OnlyPassing: service.OnlyPassing,
    IgnoreCheckIDs: list(service.IgnoreCheckIDs, "Service.IgnoreCheckIDs"),
    Near: map(service.Near, "Service.Near"),
    Tags: list(service.Tags, "Service.Tags"),
    NodeMeta: mapValues(service.NodeMeta, "Service.NodeMeta", map),
    ServiceMeta: mapValues(service.ServiceMeta, "Service.ServiceMeta", map),
    Connect: service.Connect,
  };
}

function mapValues(
  texts: Readonly<Record<string, string>> | null,
  path: string,
  map: MapText,
): Readonly<Record<string, string>> | null {
  if (texts === null) return null;
  const mapped = Object.create(null) as Record<string, string>;
  for (const [key, text] of Object.entries(texts)) mapped[key] = map(text, `${path}[${key}]`);
  return mapped;
}
