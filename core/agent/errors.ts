import { defineErrors } from '@patchbay/sdk';

/** What the cache of the server's objects refuses. Each code has a section in docs/errors.md. */
export const ObjectError = defineErrors({
  notFollowed: {
    code: 'PB-OBJECT-NOT-FOLLOWED',
    class: 'refused',
    template: 'nobody follows {type}: call objects.follow for it first, in start(), with the version that you read',
  },
  notIndexed: {
    code: 'PB-OBJECT-NOT-INDEXED',
    class: 'refused',
    template:
      '{type} is not found by {field}, only by {known}: name the field under `by` where objects.follow is called for it',
  },
  version: {
    code: 'PB-OBJECT-VERSION',
    class: 'refused',
    template: '{type} cannot be followed in version {version}: {problem}',
  },
});
