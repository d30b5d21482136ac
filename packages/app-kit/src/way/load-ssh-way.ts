/**
 * Loads what opens SSH connections: large, and needed by few runs. An entry of its own, so that a
 * program that never tunnels does not bundle it.
 */
export const loadSshWay = (): Promise<typeof import("./ssh-way.ts")> => import("./ssh-way.ts");
