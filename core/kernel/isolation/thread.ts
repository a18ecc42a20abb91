import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { type AgentHooks, HOOKS, type HookContext, manifestOf, type Plugin, type TapOrder } from '@patchbay/sdk';
import { constructorTokens } from '../container';
import { pluginClasses } from '../loader/described';
import {
  BACKLOG,
  crossed,
  type FromWorker,
  type Outcome,
  type SignOfLife,
  type ToWorker,
  type WorkerStart,
} from './messages';
import { ThreadServices } from './thread-services';

/** The program of a worker: one plugin, its taps, and the services that ask the main thread. */

type Tap = (payload: unknown, context: HookContext) => unknown;

const start = workerData as WorkerStart;
const backlog = new Int32Array(start.backlog);
const post = (message: FromWorker): void => {
  parentPort?.postMessage(message);
  for (let left = Atomics.add(backlog, 0, 1) + 1; left > BACKLOG; left = Atomics.load(backlog, 0))
    Atomics.wait(backlog, 0, left);
};
const services = new ThreadServices(start, post);
const taps = new Map<string, Tap>();
const running = new Map<number, AbortController>();

async function main(): Promise<Plugin> {
  const classes = pluginClasses(await import(start.file));
  const found = classes.find((one) => manifestOf(one)?.id === start.id);
  if (found === undefined) throw new Error(`${start.file} exports no plugin ${start.id}`);
  const tokens = constructorTokens(found).map((token) => services.named((token ?? '').replace(/^patchbay:/, '')));
  const instance = new found(...tokens);
  instance.provide?.((token, value) => services.provided.set(token.name, value));
  const orders: { readonly hook: string; readonly order: TapOrder }[] = [];
  const hooks = Object.keys(HOOKS).map((hook) => [
    hook,
    (tap: Tap, order: TapOrder = {}) => {
      if (taps.has(hook)) throw new Error(`${start.id} taps ${hook} twice; do both things in one tap`);
      taps.set(hook, tap);
      orders.push({ hook, order });
    },
  ]);
  const answer: unknown = instance.tap?.(Object.fromEntries(hooks) as unknown as AgentHooks);
  if (answer instanceof Promise)
    throw new TypeError('tap() is async: what it taps after its first await comes too late');
  post({ kind: 'ready', taps: orders, provided: [...services.provided.keys()] });
  return instance;
}

async function tapped({ call, hook, payload, cause }: ToWorker & { readonly kind: 'tap' }): Promise<void> {
  const controller = new AbortController();
  running.set(call, controller);
  await done(call, () => services.delivering(() => taps.get(hook)?.(payload, { signal: controller.signal, cause })));
  running.delete(call);
}

async function done(call: number, act: () => Promise<Outcome>): Promise<void> {
  try {
    post({ kind: 'done', call, outcome: await act() });
  } catch (thrown) {
    post({ kind: 'done', call, error: crossed(thrown) });
  }
}

async function run(what: 'start' | 'stop' | 'ping'): Promise<Outcome> {
  const instance = await plugin;
  if (what === 'start') await instance.start?.();
  if (what === 'stop') {
    services.endJobs();
    await instance.stop?.();
  }
  const sign: SignOfLife = { bufferBytes: process.memoryUsage().external, jobsUnderWay: services.jobsUnderWay() };
  return { value: sign, changes: [] };
}

const plugin = main();

parentPort?.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'tap':
      void tapped(message);
      break;
    case 'run':
      void done(message.call, () => run(message.what));
      break;
    case 'abort':
      running.get(message.call)?.abort(new Error(message.reason));
      break;
    default:
      services.outside(() => services.remote.receive(message));
  }
});
