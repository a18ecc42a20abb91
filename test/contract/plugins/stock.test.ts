import { STOCK } from '@patchbay/plugins';
import { describePluginContract } from '@patchbay/testing';
import { STOCK_NEEDS, stock } from '../../support/stock-kit';

jest.setTimeout(120_000);

it('every stock plugin is held to the contract', () => {
  expect(Object.keys(STOCK_NEEDS).sort()).toEqual(Object.keys(STOCK).sort());
});

// No tap is to be given up here because a machine was slow.
for (const [id, options] of Object.entries(STOCK_NEEDS))
  describePluginContract(stock(id), { tapBudgetMs: 60_000, ...options });
