import { matchFields, RESERVED_PORTS, type ResolvePort } from '@patchbay/sdk/flow';
import type { FlowFilter, FlowMonitorOptions, PacketOut } from '../client';
import { ONF } from '../wire/action-types';
import { ActionEncoder } from '../wire/encode-actions';
import { writeMatchFields } from '../wire/oxm';
import type { WireWriter } from '../wire/writer';
import { ALL_TABLES, ANY, cookiePair } from './encode-mods';
import { OF13, OFPMP } from './header';

/** Writes the body of a multipart request. */
export function writeMultipart(writer: WireWriter, type: number, body: (writer: WireWriter) => void): void {
  writer.u16(type);
  writer.u16(0);
  writer.zeros(4);
  body(writer);
}

export function writeFlowStatsRequest(writer: WireWriter, filter: FlowFilter, resolve: ResolvePort): void {
  const { cookie, cookieMask } = cookiePair(filter.cookie, filter.cookieMask);
  writer.u8(filter.table ?? ALL_TABLES);
  writer.zeros(3);
  writer.u32(ANY);
  writer.u32(ANY);
  writer.zeros(4);
  writer.u64(cookie);
  writer.u64(cookieMask);
  writeMatchFields(writer, matchFields(filter.match ?? {}, resolve));
}

export function writePacketOut(writer: WireWriter, packet: PacketOut, resolve: ResolvePort): void {
  const { inPort = 'CONTROLLER' } = packet;
  writer.u32(0xffffffff);
  writer.u32(typeof inPort === 'number' ? inPort : RESERVED_PORTS[inPort]);
  const length = writer.length;
  writer.zeros(8);
  const start = writer.length;
  const encoder = new ActionEncoder(writer, resolve, false);
  for (const action of packet.actions) encoder.write(action);
  writer.setU16(length, writer.length - start);
  writer.append(packet.frame);
}

/** ofp_flow_monitor_flags (OpenFlow 1.4.1, 7.3.5.18). */
const MONITOR = { INITIAL: 1, ADD: 2, REMOVED: 4, MODIFY: 8, INSTRUCTIONS: 16, NO_ABBREVIATION: 32 } as const;
/** ONF extension 187's multipart type and cancel message, for OpenFlow 1.3. */
const ONF_FLOW_MONITOR = 1870;
const ONF_FLOW_MONITOR_CANCEL = 1870;
/** OFPFMC_ADD and OFPFMC_DELETE. */
const MONITOR_COMMAND = { ADD: 0, DELETE: 2 } as const;

function flags(options: FlowMonitorOptions): number {
  return (
    MONITOR.ADD |
    MONITOR.REMOVED |
    MONITOR.MODIFY |
    MONITOR.INSTRUCTIONS |
    (options.initial === true ? MONITOR.INITIAL : 0) |
    (options.own === true ? MONITOR.NO_ABBREVIATION : 0)
  );
}

/** Writes a multipart request for a flow monitor: OpenFlow 1.4's own, or ONF's extension of 1.3. */
export function writeMonitor(writer: WireWriter, version: number, id: number, options: FlowMonitorOptions): void {
  if (version === OF13) {
    writeMultipart(writer, OFPMP.EXPERIMENTER, () => {
      writer.u32(ONF);
      writer.u32(ONF_FLOW_MONITOR);
      writer.u32(id);
      writer.u16(flags(options));
      writer.u16(0);
      writer.u32(ANY);
      writer.u8(options.table ?? ALL_TABLES);
      writer.zeros(3);
      writeMatchFields(writer, []);
    });
    return;
  }
  writeMultipart(writer, OFPMP.FLOW_MONITOR, () => {
    writer.u32(id);
    writer.u32(ANY);
    writer.u32(ANY);
    writer.u16(flags(options));
    writer.u8(options.table ?? ALL_TABLES);
    writer.u8(MONITOR_COMMAND.ADD);
    writeMatchFields(writer, []);
  });
}

/** What ONF's extension says of the monitor as a whole (ONFT_FLOW_MONITOR_PAUSED and _RESUMED); 1.4 says it among the updates. */
export function monitorPause(message: Buffer): 'paused' | 'resumed' | undefined {
  if (message.length < 16 || message.readUInt32BE(8) !== ONF) return undefined;
  const type = message.readUInt32BE(12);
  return type === 1871 ? 'paused' : type === 1872 ? 'resumed' : undefined;
}

export function writeMonitorStop(writer: WireWriter, version: number, id: number): void {
  if (version === OF13) {
    writer.u32(ONF);
    writer.u32(ONF_FLOW_MONITOR_CANCEL);
    writer.u32(id);
    return;
  }
  writeMultipart(writer, OFPMP.FLOW_MONITOR, () => {
    writer.u32(id);
    writer.u32(ANY);
    writer.u32(ANY);
    writer.u16(0);
    writer.u8(ALL_TABLES);
    writer.u8(MONITOR_COMMAND.DELETE);
    writeMatchFields(writer, []);
  });
}
