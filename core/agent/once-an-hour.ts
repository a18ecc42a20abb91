const HOUR_MS = 3_600_000;
/** Beyond these the oldest is forgotten, and would be told again. */
const REMEMBERED = 500;

/** Lets each text through once an hour, with how often it was held back in between: what comes with every message must not fill a log. */
export class OnceAnHour {
  private readonly told = new Map<string, { readonly at: number; heldBack: number }>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Calls back with how often the text was held back since it was last let through, or not at all. */
  say(text: string, tell: (heldBack: number) => void): void {
    const last = this.told.get(text);
    if (last !== undefined && this.now() - last.at < HOUR_MS) {
      last.heldBack += 1;
      return;
    }
    this.told.delete(text);
    this.told.set(text, { at: this.now(), heldBack: 0 });
    const [oldest] = this.told.keys();
    if (this.told.size > REMEMBERED && oldest !== undefined) this.told.delete(oldest);
    tell(last?.heldBack ?? 0);
  }
}
