/** An outsider's plugin that fails wherever it is asked. */
const { plugin } = require('@patchbay/sdk');

class Throws {
  tap(hooks) {
    const fail = () => {
      throw new Error('as it always does');
    };
    hooks.beforePortBind(fail);
    hooks.onPortAdded(fail);
    hooks.onPortUpdated(fail);
    hooks.onSegmentBound(fail);
    hooks.onReportState(fail);
    hooks.onAgentSynced(fail);
  }
}

exports.default =
  plugin({ id: 'outsider-throws', summary: 'Throws', sdk: '^1.0.0', onFailure: 'degrade' })(Throws) ?? Throws;
