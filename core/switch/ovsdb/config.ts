import type { OvsdbClient, RequestOptions } from './client';
import { OvsdbSchemaError, OvsdbValueError } from './errors';
import type { OpenVSwitchTables } from './open-vswitch';
import type { Transaction, TransactionResult } from './transaction';

/**
 * Sends a transaction that also counts `Open_vSwitch.next_cfg` up, and resolves once ovs-vswitchd has acted on it: it copies
 * `next_cfg` to `cur_cfg` after it has applied the configuration that came with it (ovs-vswitchd.conf.db(5)). This is what
 * `ovs-vsctl` waits for unless told `--no-wait`. The client must replicate `Open_vSwitch.cur_cfg`.
 * @throws OvsdbTimeout where the daemon does not follow (the transaction is then committed all the same), and what
 * `OvsdbClient.transact` throws.
 */
export async function waitForConfig(
  client: OvsdbClient<OpenVSwitchTables>,
  build: (transaction: Transaction<OpenVSwitchTables>) => void = () => undefined,
  options: RequestOptions = {},
): Promise<TransactionResult> {
  let read = { index: -1 };
  const result = await client.transact((transaction) => {
    build(transaction);
    transaction.calculate('Open_vSwitch', 'every-row', 'next_cfg', '+=', 1);
    read = transaction.select('Open_vSwitch', 'every-row', ['next_cfg']);
  }, options);
  const next = result.rowsOf(read)[0]?.next_cfg;
  if (typeof next !== 'number') {
    throw new OvsdbValueError('Open_vSwitch', 'next_cfg', 'the table has no row; the switch was never initialised');
  }
  await configApplied(client, next, options);
  return result;
}

/** Resolves once ovs-vswitchd has applied the configuration that bears this number. @throws OvsdbTimeout, OvsdbConnectionError */
export async function configApplied(
  client: OvsdbClient<OpenVSwitchTables>,
  nextConfig: number,
  options: RequestOptions = {},
): Promise<void> {
  const table = client.replica.table('Open_vSwitch');
  const applied = (): true | undefined => {
    for (const row of table) {
      if (row.cur_cfg === undefined) {
        throw new OvsdbSchemaError(
          'Open_vSwitch',
          'cur_cfg',
          'Open_vSwitch.cur_cfg is not among the replicated columns',
        );
      }
      if (row.cur_cfg >= nextConfig) return true;
    }
    return undefined;
  };
  await client.waitFor(`ovs-vswitchd to apply configuration ${nextConfig}`, applied, options);
}
