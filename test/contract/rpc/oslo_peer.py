"""The other side of the wire: oslo.messaging and Neutron's own objects.

  oslo_peer.py client URL PORT_ID   calls the stand-in server as the reference agent would; prints what it got as JSON
  oslo_peer.py server URL           serves topic "python" as host "pyhost" until its standard input ends; prints "ready", then each cast
"""
import json
import sys
import threading

from oslo_config import cfg
import oslo_messaging

mode, url = sys.argv[1], sys.argv[2]
cfg.CONF([], project='peer')
oslo_messaging.set_transport_defaults('neutron')
transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=url)


def client(port_id):
    from neutron import objects
    from neutron.objects import base
    objects.register_objects()
    from neutron.objects import ports, network, securitygroup, subnet

    def call(topic, spoken, method, **kwargs):
        target = oslo_messaging.Target(topic=topic, version=spoken)
        return oslo_messaging.RPCClient(transport, target, timeout=20).call({'is_admin': True}, method, **kwargs)

    def pull(cls, **filters):
        found = call('q-plugin', '1.1', 'bulk_pull', resource_type=cls.obj_name(), version=cls.VERSION, filter_kwargs=filters)
        return [cls.clean_obj_from_primitive(primitive) for primitive in found]

    port = pull(ports.Port, id=[port_id])[0]
    net = pull(network.Network, id=[port.network_id])[0]
    sub = pull(subnet.Subnet, id=[str(port.fixed_ips[0].subnet_id)])[0]
    rules = pull(securitygroup.SecurityGroupRule, security_group_id=list(port.security_group_ids))
    try:
        call('q-plugin', '1.1', 'no_such_method')
        refusal = None
    except oslo_messaging.RemoteError as error:
        refusal = error.exc_type
    print(json.dumps({
        'alive': call('q-reports-plugin', '1.2', 'has_alive_neutron_server'),
        'tunnels': call('q-plugin', '1.4', 'tunnel_sync', tunnel_ip='192.0.2.1', tunnel_type='vxlan', host='pyhost'),
        'mac': str(port.mac_address),
        'address': str(port.fixed_ips[0].ip_address),
        'bridge': port.bindings[0].vif_details['bridge_name'],
        'segment': port.binding_levels[-1].segment.segmentation_id,
        'mtu': net.mtu,
        'cidr': str(sub.cidr),
        'rules': [rule.direction for rule in rules],
        'refusal': refusal,
    }))


class Endpoint:
    target = oslo_messaging.Target(version='1.3')

    def echo(self, ctxt, **kwargs):
        return {'kwargs': kwargs, 'roles': ctxt.get('roles'), 'is_admin': ctxt.get('is_admin')}

    def fail(self, ctxt):
        raise ValueError('not today')

    def note(self, ctxt, word):
        print('cast ' + word, flush=True)

    def call_back(self, ctxt, topic, host):
        target = oslo_messaging.Target(topic=topic, version='1.0')
        caller = oslo_messaging.RPCClient(transport, target, timeout=20)
        caller.prepare(fanout=True).cast({}, 'note', word='fanout')
        caller.prepare(server=host).cast({}, 'note', word='direct')


def server():
    target = oslo_messaging.Target(topic='python', server='pyhost')
    rpc = oslo_messaging.get_rpc_server(transport, target, [Endpoint()], executor='threading')
    rpc.start()
    print('ready', flush=True)
    sys.stdin.read()
    rpc.stop()
    rpc.wait()


if mode == 'client':
    client(sys.argv[3])
else:
    server()
