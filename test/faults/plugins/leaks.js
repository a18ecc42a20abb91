/** An outsider's plugin that keeps a mebibyte more every five milliseconds, from the first port on. */
const { plugin } = require('@patchbay/sdk');

class Leaks {
  kept = [];

  tap(hooks) {
    hooks.onPortAdded(() => {
      this.leaking ??= setInterval(() => this.kept.push(new Array(131_072).fill(this.kept.length)), 5);
    });
  }
}

exports.default =
  plugin({ id: 'outsider-leaks', summary: 'Leaks', sdk: '^1.0.0', onFailure: 'degrade' })(Leaks) ?? Leaks;
