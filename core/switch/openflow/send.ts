import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlowNotationError, type ResolvePort } from '@patchbay/sdk/flow';
import type { Channel } from './channel';
import type { FlowTableMessage, PacketOut } from './client';
import type { OpenFlowError } from './errors';
import { BUNDLE, writeBundleAdd, writeBundleControl } from './messages/bundle';
import { writeMod } from './messages/encode-mods';
import { writePacketOut } from './messages/encode-requests';
import { OF13, OFPT, writeMessage } from './messages/header';
import { WireWriter } from './wire/writer';

/** Bytes gathered before they are given to the socket. */
const CHUNK = 256 * 1024;
/** How long the event loop is kept from other work at a stretch, in milliseconds, and how many messages are encoded between two looks at the clock. */
const SLICE_MS = 10;
const BETWEEN_LOOKS = 64;

type Sendable = FlowTableMessage | PacketOut;

/** The first error the switch has for one of the messages, by place. */
class Refusals {
  first: OpenFlowError | undefined;
  readonly release: () => void;

  constructor(channel: Channel, firstXid: number, messages: readonly Sendable[]) {
    this.release = channel.requests.watch(firstXid, messages.length, (index, error) => {
      const message = messages[index];
      this.first ??= error.at(index, message !== undefined && 'kind' in message ? message : undefined);
    });
  }
}

/** Names the message that could not be encoded. */
function encodeOne(index: number, encode: () => void): void {
  try {
    encode();
  } catch (error) {
    if (error instanceof Error && !('messageIndex' in error)) Object.assign(error, { messageIndex: index });
    throw error;
  }
}

async function stream(
  channel: Channel,
  messages: readonly Sendable[],
  refusals: Refusals,
  encode: (writer: WireWriter, index: number) => void,
): Promise<void> {
  const writer = new WireWriter(CHUNK + 65536);
  let sliceEnd = performance.now() + SLICE_MS;
  for (let index = 0; index < messages.length; index++) {
    encodeOne(index, () => encode(writer, index));
    const isSliceOver = index % BETWEEN_LOOKS === 0 && performance.now() >= sliceEnd;
    if (writer.length < CHUNK && !isSliceOver) continue;
    await channel.write(writer.take());
    if (isSliceOver) {
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
    if (refusals.first !== undefined) return;
  }
  if (writer.length > 0) await channel.write(writer.take());
}

function writeOne(writer: WireWriter, channel: Channel, xid: number, message: Sendable, resolve: ResolvePort): void {
  if ('kind' in message) writeMod(writer, channel.version, xid, message, resolve);
  else writeMessage(writer, channel.version, OFPT.PACKET_OUT, xid, () => writePacketOut(writer, message, resolve));
}

/** Sends messages and a barrier; rejects with the first error, which names its message. */
export async function sendMessages(
  channel: Channel,
  resolve: ResolvePort,
  messages: readonly Sendable[],
): Promise<void> {
  const first = channel.requests.take(messages.length);
  const refusals = new Refusals(channel, first, messages);
  try {
    await stream(channel, messages, refusals, (writer, index) => {
      const message = messages[index];
      if (message !== undefined) writeOne(writer, channel, first + index, message, resolve);
    });
    await channel.request(OFPT.BARRIER_REQUEST, () => {});
  } finally {
    refusals.release();
  }
  if (refusals.first !== undefined) throw refusals.first;
}

function control(channel: Channel, bundle: number, type: number): Promise<Buffer> {
  const writer = new WireWriter(64);
  writeBundleControl(writer, channel.version, 0, bundle, type);
  const body = Buffer.from(writer.view(8));
  return channel.request(channel.version === OF13 ? OFPT.EXPERIMENTER : OFPT.BUNDLE_CONTROL, (out) => out.append(body));
}

/**
 * Sends messages as one atomic and ordered bundle. A barrier before the commit brings the errors of messages that the switch refused when they were added.
 * Rejects with the error of the message at fault; then nothing has changed.
 */
export async function bundleMessages(
  channel: Channel,
  resolve: ResolvePort,
  bundle: number,
  messages: readonly FlowTableMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  const meter = messages.findIndex(({ kind }) => kind === 'meter');
  if (meter >= 0)
    throw new FlowNotationError(
      'meter',
      `cannot travel in a bundle (message ${meter}): Open vSwitch refuses it; send meters before the bundle`,
    );
  await control(channel, bundle, BUNDLE.OPEN);
  const first = channel.requests.take(messages.length);
  const refusals = new Refusals(channel, first, messages);
  const discard = () => control(channel, bundle, BUNDLE.DISCARD).catch(() => {});
  try {
    await stream(channel, messages, refusals, (writer, index) => {
      const message = messages[index];
      if (message === undefined) return;
      const xid = first + index;
      writeBundleAdd(writer, channel.version, xid, bundle, () =>
        writeMod(writer, channel.version, xid, message, resolve),
      );
    });
    await channel.request(OFPT.BARRIER_REQUEST, () => {});
    if (refusals.first === undefined) await control(channel, bundle, BUNDLE.COMMIT);
  } catch (error) {
    if (refusals.first === undefined) {
      await discard();
      throw error;
    }
  } finally {
    refusals.release();
  }
  if (refusals.first !== undefined) {
    await discard();
    throw refusals.first;
  }
}
