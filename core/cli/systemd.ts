import { execFile } from 'node:child_process';

/**
 * The service manager's readiness protocol, sd_notify(3). Node has no datagram unix sockets, so systemd-notify(1) speaks it;
 * the unit says NotifyAccess=all for that reason. Without NOTIFY_SOCKET nothing is done.
 */
export class ServiceManager {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly environment: NodeJS.ProcessEnv = process.env) {}

  /** The first synchronisation is done. From now on the watchdog is fed, as long as `isAlive` says so. */
  ready(isAlive: () => boolean): void {
    this.say('READY=1');
    const microseconds = Number(this.environment.WATCHDOG_USEC ?? 0);
    if (this.environment.NOTIFY_SOCKET === undefined || !(microseconds > 0)) return;
    this.timer = setInterval(() => isAlive() && this.say('WATCHDOG=1'), microseconds / 1000 / 2);
    this.timer.unref();
  }

  stopping(): void {
    clearInterval(this.timer);
    this.say('STOPPING=1');
  }

  private say(word: string): void {
    if (this.environment.NOTIFY_SOCKET === undefined) return;
    execFile('systemd-notify', [`--pid=${process.pid}`, word], () => {});
  }
}
