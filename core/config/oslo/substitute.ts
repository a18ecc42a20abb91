/** Names start with a letter or underscore; dots inside divide a section from an option. Case is ignored, as oslo.config does. */
const reference = /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})?/gi;

/**
 * Puts values in the place of `$name`, `${name}` and `$section.name`. `$$` and `\$` are a dollar sign; a dollar sign before
 * anything else stays. What is put in is not looked through again.
 */
export function substitute(text: string, textOf: (name: string) => string): string {
  return text
    .replaceAll('\\$', '$$$$')
    .replace(reference, (whole, dollar?: string, plain?: string, braced?: string) => {
      const name = plain ?? braced;
      if (name !== undefined) return textOf(name);
      return dollar === undefined ? whole : '$';
    });
}
