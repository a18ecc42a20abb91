import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { reasonOf } from '@patchbay/sdk';
import type { AgentReports } from '../../host/reports';
import { CliErrors } from '../errors';

type Route = (agent: AgentReports, argument: string) => Promise<Answer> | Answer;
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const ok = (body: unknown): Answer => ({ status: 200, body });

const ROUTES: Readonly<Record<string, Route>> = {
  live: () => ok({ live: true }),
  ready: (agent) => ({ status: agent.isReady() ? 200 : 503, body: { ready: agent.isReady() } }),
  status: async (agent) => ok(await agent.status()),
  plugins: (agent) => ok(agent.plugins()),
  config: (agent) => ok(agent.config()),
  plan: async (agent) => ok(await agent.plan()),
  'plan-release': (agent) => ok(agent.planRelease()),
  metrics: async (agent) => ok(await agent.metrics()),
  trace: (agent) => ok(agent.trace()),
  commands: (agent) => ok(agent.commands()),
  explain: async (agent, port) => {
    const report = await agent.explain(port);
    return report === undefined ? { status: 404, body: { error: `no port ${port} is plugged here` } } : ok(report);
  },
};

/** What changes something: asked for with POST. */
const ACTS: Readonly<Record<string, Route>> = {
  release: async (agent) => ok(await agent.release()),
};

/** Bytes that the words of a command may take. */
const LONGEST_BODY = 64 * 1024;

/** Serves the agent's reports, and the commands of its plugins, on a unix socket that root and the agent's group may use. */
export class AdminServer {
  private server: Server | undefined;

  constructor(
    private readonly socket: string,
    private readonly agent: AgentReports,
  ) {}

  /** Rejects if another agent answers on the socket; a socket that nobody serves is replaced. */
  async start(): Promise<void> {
    const { socket } = this;
    if (await isServed(socket)) throw CliErrors.alreadyRunning({ socket });
    try {
      await mkdir(dirname(socket), { recursive: true });
      await rm(socket, { force: true });
      this.server = await this.listen();
      await chmod(socket, 0o660);
    } catch (error) {
      throw CliErrors.noRunDirectory({ socket, reason: (error as Error).message }, error);
    }
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async listen(): Promise<Server> {
    const server = createServer((request, response) => void this.answer(request, response));
    server.keepAliveTimeout = 1;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.socket, resolve);
    });
    return server;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [, name = '', argument = '', command = ''] = (request.url ?? '/').split('/').map(decodeURIComponent);
      const runs: Route = async (agent, plugin) => ok(await agent.command(plugin, command, await wordsOf(request)));
      const isAct = request.method === 'POST';
      const acts = isAct && Object.hasOwn(ACTS, name) ? ACTS[name] : undefined;
      const reads = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
      const route = name === 'command' && isAct ? runs : (acts ?? reads);
      const { status, body } =
        route === undefined
          ? { status: 404, body: { error: `no such report; there are ${Object.keys(ROUTES).join(', ')}` } }
          : await route(this.agent, argument);
      const isText = typeof body === 'string';
      // Before the head: what a plugin's command answers may be no JSON.
      const text = isText ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json' });
      response.end(text);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: reasonOf(error) }));
    }
  }
}

async function wordsOf(request: IncomingMessage): Promise<readonly string[]> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_BODY) throw new Error(`a command's words take at most ${LONGEST_BODY} bytes`);
  }
  const words: unknown = JSON.parse(Buffer.concat(parts).toString() || '[]');
  if (!Array.isArray(words)) throw new Error('the words of a command are a JSON array of texts');
  return words.map(String);
}

function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
