import { randomUUID } from 'node:crypto';

/** The request context that travels with a message, without the `_context_` prefix. */
export type RpcContext = Readonly<Record<string, unknown>>;

const PREFIX = '_context_';

/**
 * The context of an agent acting for itself: an administrator without user or project. The keys are the union of what oslo.context
 * and neutron-lib write from Zed (tenant_*) to 2026.1 (has_global_access); a reader ignores those it does not know.
 */
export function agentContext(requestId: string = `req-${randomUUID()}`, at: Date = new Date()): RpcContext {
  return {
    user: null,
    tenant: null,
    project_id: null,
    system_scope: null,
    project: null,
    domain: null,
    user_domain: null,
    project_domain: null,
    is_admin: true,
    read_only: false,
    show_deleted: false,
    auth_token: null,
    request_id: requestId,
    global_request_id: null,
    resource_uuid: null,
    roles: ['admin', 'member', 'reader'],
    user_identity: '- - - - -',
    is_admin_project: true,
    user_id: null,
    tenant_id: null,
    timestamp: contextTimestamp(at),
    tenant_name: null,
    project_name: null,
    user_name: null,
    has_global_access: true,
    can_set_project_id: true,
  };
}

/** `YYYY-mm-dd HH:MM:SS.ffffff` in UTC, as neutron-lib prints a context's time. */
export function contextTimestamp(at: Date): string {
  return `${at.toISOString().slice(0, 23).replace('T', ' ')}000`;
}

/** Adds the prefix every context key has on the wire. */
export function packContext(context: RpcContext): Record<string, unknown> {
  const packed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(context)) packed[PREFIX + key] = value;
  return packed;
}

/** Takes the context out of an inner message. */
export function unpackContext(message: Readonly<Record<string, unknown>>): RpcContext {
  const context: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(message)) {
    if (key.startsWith(PREFIX)) context[key.slice(PREFIX.length)] = value;
  }
  return context;
}
