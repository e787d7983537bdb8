/** Which endpoint a path belongs to: the exact one, or the one with the longest prefix, as Go's ServeMux has it. */
import type { Route } from "./route.ts";

export class Router {
  readonly #exact = new Map<string, Route>();
  readonly #byPrefix = new Map<string, Route>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const table = route.parameter === undefined ? this.#exact : this.#byPrefix;
      table.set(route.prefix, route);
    }
  }

  /** Prefixes whose path without the slash at the end is no endpoint of its own: Go redirects from there. */
  prefixes(): ReadonlySet<string> {
    const prefixes = [...this.#byPrefix.keys()];
    return new Set(prefixes.filter((prefix) => !this.#exact.has(prefix.slice(0, -1))));
  }

  /** @param path decoded and clean */
  find(path: string): Route | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const route = this.#byPrefix.get(path.slice(0, slash + 1));
      if (route !== undefined) return route;
    }
    return undefined;
  }
}
