import { readFileSync } from 'node:fs';
import { type FlowTableClient, OpenFlowConnection, type OpenFlowTarget } from './openflow';
import { parseTarget } from './ovsdb';
import type { SwitchSettings } from './settings';

/** Where a bridge answers: what the operator set, else its management socket. */
export function openFlowTarget(
  bridge: string,
  settings: Pick<
    SwitchSettings,
    'openflow_connections' | 'ovs_run_dir' | 'ssl_key_file' | 'ssl_cert_file' | 'ssl_ca_cert_file'
  >,
): OpenFlowTarget {
  const text = settings.openflow_connections[bridge];
  if (text === undefined) return { kind: 'unix', path: `${settings.ovs_run_dir}/${bridge}.mgmt` };
  const target = parseTarget(text);
  if (target.transport === 'unix') return { kind: 'unix', path: target.path };
  const { host, port } = target;
  if (target.transport === 'tcp') return { kind: 'tcp', host, port };
  return {
    kind: 'ssl',
    host,
    port,
    ...(settings.ssl_cert_file === null ? {} : { certificate: readFileSync(settings.ssl_cert_file, 'utf8') }),
    ...(settings.ssl_key_file === null ? {} : { privateKey: readFileSync(settings.ssl_key_file, 'utf8') }),
    ...(settings.ssl_ca_cert_file === null ? {} : { authority: readFileSync(settings.ssl_ca_cert_file, 'utf8') }),
  };
}

export function connectBridge(bridge: string, settings: SwitchSettings): Promise<FlowTableClient> {
  return OpenFlowConnection.connect({
    bridge,
    target: openFlowTarget(bridge, settings),
    connectTimeout: settings.of_connect_timeout * 1000,
    echoInterval: settings.of_inactivity_probe * 1000,
  });
}
