import { STOCK } from '@patchbay/plugins';
import { describePluginContract } from '@patchbay/testing';
import { STOCK_NEEDS, stock } from '../../support/stock-kit';

jest.setTimeout(30_000);

it('every stock plugin is held to the contract', () => {
  expect(Object.keys(STOCK_NEEDS).sort()).toEqual(Object.keys(STOCK).sort());
});

for (const [id, options] of Object.entries(STOCK_NEEDS)) describePluginContract(stock(id), options);
