/** A flow that cannot be read or written: names the field or action and the text at fault. */
export class FlowNotationError extends Error {
  readonly subject: string;

  constructor(subject: string, complaint: string) {
    super(`${subject}: ${complaint}`);
    this.name = 'FlowNotationError';
    this.subject = subject;
  }
}
