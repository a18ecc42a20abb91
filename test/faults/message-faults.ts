import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { rabbitmqctl } from '../support/bed-broker';
import { until } from '../support/bed-command';
import type { Fault } from './fault';
import { createdRule, type Rule, underRule } from './rules';
import { pause, type Stage } from './stage';

const BROKER = 'amqp://guest:guest@127.0.0.1:5672';

/** Where pushes of the server go: exchange, queue and routing key of every queue that is bound to a fanout exchange. */
async function fanouts(): Promise<readonly { exchange: string; queue: string; key: string }[]> {
  const columns = ['source_name', 'destination_name', 'routing_key'];
  const text = await rabbitmqctl('--no-table-headers', 'list_bindings', ...columns);
  return text.split('\n').flatMap((line) => {
    const [exchange = '', queue = '', key = ''] = line.split('\t');
    return exchange.endsWith('_fanout') ? [{ exchange, queue, key }] : [];
  });
}

async function onChannel<Result>(act: (channel: Channel) => Promise<Result>): Promise<Result> {
  const connection = await connect(BROKER);
  connection.on('error', () => undefined);
  try {
    return await act(await connection.createChannel());
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** oslo.messaging drops a message whose _unique_id it saw lately: another one makes it a message that comes late. */
function told(content: Buffer, again: number): Buffer {
  const unique = /(_unique_id\\*": \\*"[0-9a-f]{24})[0-9a-f]{8}/;
  const text = content.toString();
  if (!unique.test(text)) throw new Error(`a message without _unique_id: ${text.slice(0, 200)}`);
  return Buffer.from(text.replace(unique, `$1${String(again).padStart(8, '0')}`));
}

/** Listens to all that is pushed, and tells everybody each message a second time at once; in the end all of them once more, the last first. */
async function toldAgain(channel: Channel, act: () => Promise<void>): Promise<void> {
  const bound = await fanouts();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const heard: ConsumeMessage[] = [];
  const tell = ({ content, fields, properties }: ConsumeMessage, again?: number): void => {
    const body = again === undefined ? content : told(content, again);
    for (const to of bound.filter(({ exchange }) => exchange === fields.exchange))
      channel.sendToQueue(to.queue, body, properties);
  };
  for (const exchange of new Set(bound.map((one) => one.exchange))) await channel.bindQueue(queue, exchange, '');
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      heard.push(message);
      tell(message);
    },
    { noAck: true },
  );
  await act();
  await pause(500);
  if (heard.length === 0) throw new Error('the server pushed nothing');
  const list = [...heard].reverse();
  for (const [index, message] of list.entries()) tell(message, index);
  await pause(1_500);
}

/** From now on pushes of the server are lost, until the agent binds its queue again. */
async function deafen(channel: Channel): Promise<void> {
  for (const { exchange, queue, key } of await fanouts()) await channel.unbindQueue(queue, exchange, key);
}

export const messageFaults: readonly Fault[] = [
  {
    name: 'every push of the server told twice, and all once more in reverse order',
    bar: 0,
    run: (stage) =>
      stage.under(() =>
        onChannel((channel) =>
          toldAgain(channel, async () => {
            await underRule(stage, async () => stage.probe());
          }),
        ),
      ),
  },
  {
    name: 'pushes lost, then the connections to the broker',
    bar: 0,
    run: (stage) => stage.under(() => pushesLost(stage)),
  },
];

/** Patchbay binds its queue again every minute: a push in the moment after that is heard, and there must be another. */
async function pushesLost(stage: Stage): Promise<void> {
  const rule = await onChannel((channel) =>
    until(() => ruleThatNobodyHeardOf(stage, channel), { everyMs: 1, what: 'a push is lost' }),
  );
  await rabbitmqctl('close_all_connections', 'by a test');
  await until(() => rule.isThere(), { timeoutMs: stage.patienceMs, what: 'the rule that nobody told of is there' });
  await rule.remove();
}

async function ruleThatNobodyHeardOf(stage: Stage, channel: Channel): Promise<Rule | undefined> {
  await deafen(channel);
  const rule = await createdRule(stage);
  await pause(1_000);
  if (!(await rule.isThere())) return rule;
  await rule.remove();
  return undefined;
}
