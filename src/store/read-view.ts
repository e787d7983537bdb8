/**
 * Reads of the state. Every read notes the cells that it touched: whoever waits for a change of the
 * result waits for one of them, and no caller lists by hand what it depends on.
 */
import { RollcallError } from "../errors/index.ts";
import {
  uuidLookupFault,
  type AutopilotConfig,
  type DirEntry,
  type HealthCheck,
  type Node,
  type NodeCoordinate,
  type PreparedQuery,
  type Session,
} from "../model/index.ts";
import { cell } from "./cells.ts";
import { row } from "./index-rows.ts";
import { compileQuery, isTemplate } from "./query-template.ts";
import { fold, join } from "./keys.ts";
import { AUTOPILOT_KEY, type ServiceRecord, type Tables } from "./tables.ts";

const ID_PREFIX = /^[0-9a-f]{2}[0-9a-f-]*$/i;

/** Reads of the index table. They touch no cell: an index tells how new a result is, not what is in it. */
export class IndexView {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }
  /** The highest of these rows of the index table; 0 where none is set. */
  index(...rows: readonly string[]): number {
    return Math.max(0, ...rows.map((name) => this.#tables.indexes.get(name) ?? 0));
  }
  /** Index of a service's instances: its row, or where it has none, of what it may have been. */
  serviceIndex(service: string, fallback: readonly string[]): number {
    if (this.#tables.services.order("byName").hasPrefix(join(fold(service), ""))) {
      return this.index(row.service(service));
    }
    return (
      this.index(row.extinction) || this.index(row.service(service)) || this.index(...fallback)
    );
  }
}

export class ReadView extends IndexView {
  readonly #tables: Tables;
  readonly #cells = new Set<string>();

  constructor(tables: Tables) {
    super(tables);
    this.#tables = tables;
  }
  get cells(): readonly string[] {
    return [...this.#cells];
  }

  /** By name; a node's name is looked up without regard to case. */
  node(name: string): Node | undefined {
    this.#cells.add(cell.node(fold(name)));
    return this.#tables.nodes.get(fold(name));
  }

  /** By name, or by its ID or a prefix of it (2 or more hex digits) that only one node has. */
  nodeByNameOrId(nameOrId: string): Node | undefined {
    const named = this.node(nameOrId);
    if (named !== undefined || !ID_PREFIX.test(nameOrId)) return named;
    this.#cells.add(cell.row(row.nodes));
    const found: Node[] = [];
    this.#tables.nodes.order("byId").forPrefix(fold(nameOrId), (node) => {
      found.push(node);
      return found.length < 2;
    });
    const [only] = found;
    if (only === undefined || found.length > 1) return undefined;
    this.#cells.add(cell.node(fold(only.Node)));
    return only;
  }

  /** By name. */
  nodes(): Node[] {
    this.#cells.add(cell.row(row.nodes));
    return this.#tables.nodes.rows.values();
  }

  /** Every instance of every service, by node and ID. */
  services(): ServiceRecord[] {
    this.#cells.add(cell.row(row.services));
    return this.#tables.services.rows.values();
  }

  /** The instances of a service, by node and ID. The service's row moves with all that its health shows. */
  instances(service: string): ServiceRecord[] {
    this.#cells.add(cell.row(row.service(service)));
    return this.#tables.services.order("byName").values(join(fold(service), ""));
  }
  /** Instances by which a service is reached over the mesh: its proxies, and those that need none. */
  meshInstances(service: string): ServiceRecord[] {
    // Whatever they are called, with what their health shows.
    for (const name of [row.nodes, row.services]) this.#cells.add(cell.row(name));
    this.#cells.add(cell.allChecks());
    return this.#tables.services.order("byMesh").values(join(fold(service), ""));
  }
  /** The node of an instance read with `instances`, whose row covers it. */
  nodeOf(instance: ServiceRecord): Node | undefined {
    return this.#tables.nodes.get(fold(instance.Node));
  }
  /** The checks that count for an instance read with `instances`: the node's and its own, by ID. */
  checksOf(instance: ServiceRecord): HealthCheck[] {
    const checks = this.#tables.checks.order("byInstance");
    const node = fold(instance.Node);
    const ofNode = checks.values(join(node, "", ""));
    const own = checks.values(join(node, fold(instance.Service.ID), ""));
    if (own.length === 0) return ofNode;
    return [...ofNode, ...own].sort((a, b) => compareFolded(a.CheckID, b.CheckID));
  }

  servicesOfNode(name: string): ServiceRecord[] {
    this.#cells.add(cell.nodeServices(fold(name)));
    return this.#tables.services.rows.values(join(fold(name), ""));
  }
  checksOfNode(name: string): HealthCheck[] {
    this.#cells.add(cell.nodeChecks(fold(name)));
    return this.#tables.checks.rows.values(join(fold(name), ""));
  }
  checksOfService(name: string): HealthCheck[] {
    this.#cells.add(cell.serviceChecks(fold(name)));
    return this.#tables.checks.order("byService").values(join(fold(name), ""));
  }
  /** "any" for all. */
  checksInState(state: string): HealthCheck[] {
    if (state === "any") {
      this.#cells.add(cell.allChecks());
      return this.#tables.checks.rows.values();
    }
    this.#cells.add(cell.checkStatus(state));
    return this.#tables.checks.order("byStatus").values(join(state, ""));
  }

  key(key: string): DirEntry | undefined {
    this.#cells.add(cell.key(key));
    return this.#tables.kv.get(key);
  }
  keysUnder(prefix: string): DirEntry[] {
    this.#cells.add(cell.keyPrefix(prefix));
    return this.#tables.kv.rows.values(prefix);
  }
  /**
   * The highest index of a tombstone that tells of keys under the prefix; 0 without one. Such are those
   * whose key starts with it, and those of deleted trees around it. Consul looks at the first kind only,
   * and its index for `a/` can go back when the tree `a` is deleted.
   */
  tombstoneIndex(prefix: string): number {
    this.#cells.add(cell.keyPrefix(prefix));
    const { tombstones } = this.#tables;
    let highest = 0;
    if (tombstones.size === 0) return highest;
    tombstones.rows.forPrefix(prefix, ({ Index }) => {
      if (Index > highest) highest = Index;
    });
    for (let length = 1; length < prefix.length; length++) {
      const around = tombstones.get(prefix.slice(0, length));
      if (around !== undefined && around.Index > highest) highest = around.Index;
    }
    return highest;
  }

  session(id: string): Session | undefined {
    this.#cells.add(cell.session(id));
    return this.#tables.sessions.get(id);
  }
  sessions(): Session[] {
    this.#cells.add(cell.row(row.sessions));
    return this.#tables.sessions.rows.values();
  }
  sessionsOfNode(node: string): Session[] {
    this.#cells.add(cell.nodeSessions(fold(node)));
    return this.#tables.sessions.order("byNode").values(join(fold(node), ""));
  }

  autopilot(): AutopilotConfig | undefined {
    this.#cells.add(cell.row(row.autopilot));
    return this.#tables.autopilot.get(AUTOPILOT_KEY);
  }

  /** By node and segment. */
  coordinates(): NodeCoordinate[] {
    this.#cells.add(cell.row(row.coordinates));
    return this.#tables.coordinates.rows.values();
  }
  /** One of each of the node's segments. */
  coordinatesOfNode(node: string): NodeCoordinate[] {
    this.#cells.add(cell.row(row.coordinates));
    return this.#tables.coordinates.rows.values(join(fold(node), ""));
  }

  preparedQuery(id: string): PreparedQuery | undefined {
    this.#cells.add(cell.preparedQuery(fold(id)));
    return this.#tables.preparedQueries.get(fold(id));
  }
  /** By ID. */
  preparedQueries(): PreparedQuery[] {
    this.#cells.add(cell.row(row.preparedQueries));
    return this.#tables.preparedQueries.rows.values();
  }
  /**
   * The query that answers to an ID or a name: with that ID, else with exactly that name, else rendered from the
   * template with the longest name that the given one begins with.
   *
   * @throws {RollcallError} `request/refused` for a template's ID
   */
  resolveQuery(idOrName: string): PreparedQuery | undefined {
    this.#cells.add(cell.row(row.preparedQueries));
    const { preparedQueries } = this.#tables;
    if (idOrName === "") return undefined;
    const isId = uuidLookupFault(idOrName) === undefined;
    const byId = isId ? preparedQueries.get(fold(idOrName)) : undefined;
    if (byId !== undefined) {
      if (!isTemplate(byId)) return byId;
      const text = "prepared query templates can only be resolved up by name, not by ID";
      throw new RollcallError("request/refused", text);
    }
    const name = fold(idOrName);
    const named = preparedQueries.order("byName").get(name);
    if (named !== undefined) return isTemplate(named) ? rendered(named, idOrName) : named;
    const templates = preparedQueries.order("byPrefix");
    if (templates.size === 0) return undefined;
    for (let length = name.length; length >= 0; length--) {
      const template = templates.get(name.slice(0, length));
      if (template !== undefined) return rendered(template, idOrName);
    }
    return undefined;
  }
}

const rendered = (template: PreparedQuery, name: string): PreparedQuery =>
  compileQuery(template).render(name);

function compareFolded(a: string, b: string): number {
  const left = fold(a);
  const right = fold(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
