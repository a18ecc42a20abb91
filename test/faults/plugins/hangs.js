/** An outsider's plugin that never answers. */
const { plugin } = require('@patchbay/sdk');

class Hangs {
  tap(hooks) {
    const hang = () => new Promise(() => undefined);
    hooks.beforePortBind(hang);
    hooks.onPortAdded(hang);
    hooks.onSegmentBound(hang);
    hooks.onAgentSynced(hang);
  }
}

exports.default =
  plugin({ id: 'outsider-hangs', summary: 'Hangs', sdk: '^1.0.0', onFailure: 'degrade' })(Hangs) ?? Hangs;
