import * as z from "zod";
import { anyText, closed, count, flag, integer, maybe, open, text, texts } from "./primitives.ts";

// What a node takes from and gives to a Gateway beside invocations.

const pendingItemSchema = open({
  id: text,
  type: text,
  priority: text,
  createdAtMs: count,
  expiresAtMs: count.nullish(),
});

export const nodePendingEnqueueParamsSchema = closed({
  nodeId: text,
  type: z.enum(["status.request", "location.request"]),
  priority: z.enum(["normal", "high"]).optional(),
  expiresInMs: integer.min(1_000).max(86_400_000).optional(),
  wake: maybe.flag,
});

export const nodePendingEnqueueResultSchema = open({
  nodeId: text,
  revision: count,
  queued: pendingItemSchema,
  wakeTriggered: flag,
});

export const nodePendingDrainParamsSchema = closed({ maxItems: integer.min(1).max(10).optional() });

export const nodePendingDrainResultSchema = open({
  nodeId: text,
  revision: count,
  items: z.array(pendingItemSchema),
  hasMore: flag,
});

export const nodePendingPullResultSchema = open({
  nodeId: text,
  actions: z.array(
    open({ id: text, command: text, paramsJSON: anyText.nullish(), enqueuedAtMs: count }),
  ),
});

export const nodePendingAckParamsSchema = closed({ ids: texts.min(1) });

export const nodePendingAckResultSchema = open({
  nodeId: text,
  ackedIds: texts,
  remainingCount: count,
});

export const nodePluginSurfaceRefreshParamsSchema = closed({
  surface: text,
  observedUrl: maybe.text,
});

export const nodePluginSurfaceRefreshResultSchema = open({
  surface: text,
  pluginSurfaceUrls: z.record(z.string(), text),
  expiresAtMs: count,
});

/** The tools that a node publishes. */
export const nodePluginToolsUpdateParamsSchema = closed({
  tools: z.array(
    closed({
      pluginId: text,
      name: text.max(64).regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/),
      description: text,
      parameters: maybe.anyObject,
      command: maybe.text,
      mcp: closed({ server: text, tool: text }).optional(),
    }),
  ),
});

/** The skills that a node publishes. */
export const nodeSkillsUpdateParamsSchema = closed({
  skills: z
    .array(
      closed({
        name: text.max(64).regex(/^(?!.*--)[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
        description: text.max(1_024),
        content: text.max(65_536),
      }),
    )
    .max(64),
});
