#!/bin/bash
# Runs a command beside a RabbitMQ of its own: own network, mounts, processes. Everything vanishes when the command ends.
#   bash test/support/with-broker.sh npx jest --selectProjects contract test/contract/rpc
# The command finds PATCHBAY_TEST_AMQP (a URL) and PATCHBAY_TEST_RABBITMQCTL (control is allowed: the broker is private).
set -euo pipefail
if [ "${1:-}" != --inside ]; then
  exec unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc bash "$0" --inside "$@"
fi
shift
hostname broker-bed
ip link set lo up
mount -t tmpfs tmpfs /var/lib/rabbitmq
mount -t tmpfs tmpfs /var/log/rabbitmq
mkdir -p /var/lib/rabbitmq/mnesia
hosts=$(mktemp)
{ cat /etc/hosts; echo "127.0.0.1 broker-bed"; } >"$hosts"
mount --bind "$hosts" /etc/hosts
rm -f "$hosts"
echo "BEDCOOKIE" >/var/lib/rabbitmq/.erlang.cookie
chmod 400 /var/lib/rabbitmq/.erlang.cookie
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /var/log/rabbitmq
export RABBITMQ_NODENAME=bed@broker-bed
# Two schedulers are enough, and start fastest, on the small machines that test.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
export RABBITMQ_ENABLED_PLUGINS_FILE=/dev/null
rabbitmq-server >/var/log/rabbitmq/start.log 2>&1 &
if ! rabbitmqctl -q await_startup --timeout 90 >/var/log/rabbitmq/wait.log 2>&1; then
  for _ in $(seq 30); do sleep 1; rabbitmqctl -q await_startup --timeout 60 >>/var/log/rabbitmq/wait.log 2>&1 && break; done
  rabbitmqctl -q await_startup --timeout 5 >/dev/null 2>&1 || { cat /var/log/rabbitmq/*.log >&2; exit 1; }
fi
export PATCHBAY_TEST_AMQP=amqp://guest:guest@127.0.0.1:5672/
export PATCHBAY_TEST_RABBITMQCTL=1
"$@"
