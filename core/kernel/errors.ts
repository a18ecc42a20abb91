import { defineErrors } from '@patchbay/sdk';

/** What the kernel refuses or gives up on. Each code has a section in docs/errors.md. */
export const KernelError = defineErrors({
  notAPlugin: {
    code: 'PB-NOT-A-PLUGIN',
    class: 'refused',
    template:
      '{name} ({from}) exports no plugin class; a plugin is a class marked with @plugin, exported as default or by name',
  },
  pluginNotFound: {
    code: 'PB-PLUGIN-NOT-FOUND',
    class: 'refused',
    template: 'plugin {name} ({from}) was not found; {hint}',
  },
  manifestInvalid: {
    code: 'PB-MANIFEST-INVALID',
    class: 'refused',
    template: 'the manifest of {plugin} is wrong at {field}: {problem}',
  },
  sdkMismatch: {
    code: 'PB-SDK-MISMATCH',
    class: 'refused',
    template: '{plugin} was written for SDK {range} and this agent has {version}; {hint}',
  },
  duplicatePlugin: {
    code: 'PB-PLUGIN-TWICE',
    class: 'refused',
    template: 'plugin {plugin} is on the list twice, from {first} and from {second}; remove one of them',
  },
  missingRequirement: {
    code: 'PB-MISSING-REQUIREMENT',
    class: 'refused',
    template: '{plugin} requires {requirement}, which nothing on the plugin list provides; {hint}',
  },
  orderLoop: {
    code: 'PB-ORDER-LOOP',
    class: 'refused',
    template: 'there is no order for {what}: {loop}; take one of these before/after/requires away',
  },
  replacementIncomplete: {
    code: 'PB-REPLACEMENT-INCOMPLETE',
    class: 'refused',
    template: '{plugin} replaces {replaced} and does not provide {missing}, which {replaced} did',
  },
  replacedTwice: {
    code: 'PB-REPLACED-TWICE',
    class: 'refused',
    template: '{first} and {second} both replace {replaced}; only one can take its place',
  },
  requiredNotAllowed: {
    code: 'PB-REQUIRED-NOT-ALLOWED',
    class: 'refused',
    template:
      '{plugin} asks to be a condition of every port; allow it with `required: true` at its place on the plugin list ({from})',
  },
  packetInsRefused: {
    code: 'PB-PACKET-INS-REFUSED',
    class: 'refused',
    template:
      '{plugin} ({from}) asks for {perSecond} packets a second in bursts of {burst}, and no plugin may have more than {ceiling} in bursts of {most}; raise packet_in_ceiling in `agent:` or [patchbay] if this one may, or go without it',
  },
  missingToken: {
    code: 'PB-MISSING-TOKEN',
    class: 'refused',
    template: '{plugin} asks for {token} at position {position} of its constructor and nobody provides it; {hint}',
  },
  parameterWithoutToken: {
    code: 'PB-PARAMETER-WITHOUT-TOKEN',
    class: 'refused',
    template:
      'parameter {position} of the constructor of {plugin} names no service; write @use(Service.…) before it, for a type leaves no trace at run time',
  },
  foreignContainer: {
    code: 'PB-SECOND-TSYRINGE',
    class: 'refused',
    template:
      '{plugin} was marked by another copy of tsyringe; make @patchbay/sdk and tsyringe peer dependencies of its package, so that there is one copy',
  },
  undeclaredProvision: {
    code: 'PB-UNDECLARED-PROVISION',
    class: 'refused',
    template: '{plugin} provides {token}, which its manifest does not name under `provides`',
  },
  missingProvision: {
    code: 'PB-MISSING-PROVISION',
    class: 'refused',
    template: '{plugin} says it provides {token} and its provide() did not hand it over',
  },
  secondProvider: {
    code: 'PB-SECOND-PROVIDER',
    class: 'refused',
    template:
      '{token} is provided by {first} already; {second} must say `replaces: "{first}"` in its manifest or leave it',
  },
  unknownOption: {
    code: 'PB-OPTION-UNKNOWN',
    class: 'refused',
    template: '{plugin}: unknown option {field} ({from}); {hint}',
  },
  optionInvalid: {
    code: 'PB-OPTION-INVALID',
    class: 'refused',
    template: '{plugin}: {field} is wrong ({from}): {problem}',
  },
  configurationInvalid: {
    code: 'PB-CONFIGURATION-INVALID',
    class: 'refused',
    template: '{place}: {problem}',
  },
  tapUnknownNeighbour: {
    code: 'PB-TAP-UNKNOWN-NEIGHBOUR',
    class: 'refused',
    template: '{plugin} wants its {hook} tap {relation} {neighbour}, and there is no plugin of that id; {hint}',
  },
  tapTwice: {
    code: 'PB-TAP-TWICE',
    class: 'refused',
    template: '{plugin} taps {hook} twice; do both things in one tap',
  },
  tapLate: {
    code: 'PB-TAP-LATE',
    class: 'refused',
    template: '{plugin} taps {hook} after the agent has tapped all plugins; tap in tap(), not in start() or later',
  },
  tapFailed: {
    code: 'PB-TAP-FAILED',
    class: 'transient',
    template: '{plugin} failed in {hook}: {reason}',
  },
  tapTimedOut: {
    code: 'PB-TAP-TIMED-OUT',
    class: 'transient',
    template:
      '{plugin} did not answer {hook} within {budget} ms; whatever takes longer belongs in a job, and context.signal says when to give up',
  },
  statedLate: {
    code: 'PB-STATED-LATE',
    class: 'transient',
    template:
      '{plugin} stated {key} in a tap that had failed or run out of time, or beside one in an event that came to nothing: it is dropped; whatever goes on beside taps belongs in a job',
  },
  factInvalid: {
    code: 'PB-FACT-INVALID',
    class: 'refused',
    template: 'what was told as {hook} is no such fact: {field} {problem}',
  },
  draftInvalid: {
    code: 'PB-DRAFT-INVALID',
    class: 'refused',
    template: '{plugin} returned a draft from {hook} that cannot be used: {field} {problem}',
  },
  answerInvalid: {
    code: 'PB-ANSWER-INVALID',
    class: 'refused',
    template: '{plugin} answered {hook} with something that cannot be used: {field} {problem}',
  },
  notPlainData: {
    code: 'PB-NOT-PLAIN-DATA',
    class: 'refused',
    template: '{what} is not plain data at {field}: {problem}; only what survives a structured clone crosses the SDK',
  },
  requiredDown: {
    code: 'PB-REQUIRED-DOWN',
    class: 'transient',
    template: '{plugin} is required and does not run ({reason}); ports stay shut until it does',
  },
  pluginFailed: {
    code: 'PB-PLUGIN-FAILED',
    class: 'fatal',
    template: '{plugin} failed to {phase} and its manifest says that the agent cannot do without it: {reason}',
  },
  pluginDegraded: {
    code: 'PB-PLUGIN-DEGRADED',
    class: 'transient',
    template: '{plugin} failed to {phase}; the agent goes on without it: {reason}',
  },
  strayError: {
    code: 'PB-STRAY-ERROR',
    class: 'transient',
    template:
      '{plugin} let an error go that nobody caught; a timer, a promise or an emitter of its own is likely: {reason}',
  },
  startIsLate: {
    code: 'PB-START-LATE',
    class: 'transient',
    template:
      '{plugin} is still starting; the others go on; what waits for a peer belongs in jobs.untilDone, not in start()',
  },
  startTimedOut: {
    code: 'PB-START-TIMED-OUT',
    class: 'transient',
    template:
      '{plugin} did not finish to {phase} within {budget} ms; what waits for a peer belongs in jobs.untilDone, not in start()',
  },
  jobFailed: {
    code: 'PB-JOB-FAILED',
    class: 'transient',
    template: 'job {job} of {plugin} failed and will be tried again: {reason}',
  },
  storeDamaged: {
    code: 'PB-STORE-DAMAGED',
    class: 'transient',
    template: '{file} could not be read and was set aside as {aside}: {reason}',
  },
  loopBlocked: {
    code: 'PB-LOOP-BLOCKED',
    class: 'transient',
    template: 'the event loop stood still for {ms} ms; running then: {suspects}',
  },
  workerLost: {
    code: 'PB-WORKER-LOST',
    class: 'transient',
    template: '{plugin} runs in a worker, and that is gone ({reason}); it is started again',
  },
  workerNotLoaded: {
    code: 'PB-WORKER-NOT-LOADED',
    class: 'refused',
    template: 'plugin {name} ({from}) runs in a worker, and could not be loaded there: {reason}',
  },
  workerUnfit: {
    code: 'PB-WORKER-UNFIT',
    class: 'refused',
    template: '{plugin} cannot run in a worker ({from}): {reason}; take `isolation: worker` away from its line',
  },
  claimViolated: {
    code: 'PB-CLAIM-VIOLATED',
    class: 'refused',
    template:
      '{plugin} wants {what} under its key {key}, and its manifest claims no such thing: the key is refused; claim it, or ask for a table of its own under `tables`',
  },
  recordInvalid: {
    code: 'PB-RECORD-INVALID',
    class: 'refused',
    template: '{plugin} states {field} under its key {key}, and that cannot be used: {problem}; the key is refused',
  },
  tooManyFlows: {
    code: 'PB-TOO-MANY-FLOWS',
    class: 'refused',
    template:
      '{plugin} would want {flows} flows with its key {key}, and may want {budget}: the key is refused; state fewer, with conjunctions or address prefixes',
  },
  neverComplete: {
    code: 'PB-NEVER-COMPLETE',
    class: 'transient',
    template:
      '{plugin} has not said that it stated all it knows of, {seconds} s after the agent was synchronised: what nobody wants in claimed tables stays; it has to call desired.complete()',
  },
  numbersExhausted: {
    code: 'PB-NUMBERS-EXHAUSTED',
    class: 'refused',
    template:
      'there is no {kind} number left on {bridge} for {owner}: {first} to {last} are all given out; release what is not used any more',
  },
  commandTwice: {
    code: 'PB-COMMAND-TWICE',
    class: 'refused',
    template: '{plugin} adds the command {name} twice; give the second another name',
  },
  noCommand: {
    code: 'PB-NO-COMMAND',
    class: 'refused',
    template: 'there is no command {plugin} {name} in the running agent; {hint}',
  },
  commandFailed: {
    code: 'PB-COMMAND-FAILED',
    class: 'refused',
    template: '{plugin} could not do {name}: {reason}',
  },
  stopping: {
    code: 'PB-STOPPING',
    class: 'refused',
    template: 'the agent is stopping and takes no further event ({cause})',
  },
  stopFailed: {
    code: 'PB-STOP-FAILED',
    class: 'transient',
    template: '{plugin} failed to stop: {reason}',
  },
});
