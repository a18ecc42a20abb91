"""Lists the options that the installed Neutron, oslo.messaging and oslo.log register, as JSON: section, name, type, default."""

import json
import sys
import warnings

warnings.simplefilter('ignore')

import oslo_log._options  # noqa: E402
import oslo_messaging.opts  # noqa: E402
from neutron import opts  # noqa: E402


def show(value):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dict):
        return {key: str(item) for key, item in value.items()}
    return value


listed = []
for lists in (opts.list_ovs_opts(), opts.list_agent_opts(), opts.list_base_agent_opts(), opts.list_opts(),
              oslo_messaging.opts.list_opts(), oslo_log._options.list_opts()):
    for group, options in lists:
        section = group.name if hasattr(group, 'name') else group or 'DEFAULT'
        for option in options:
            listed.append({
                'section': section if section == 'DEFAULT' else section.lower(),
                'name': option.dest,
                'type': type(option.type).__name__,
                'default': show(option.default),
                'deprecated': [old.name for old in option.deprecated_opts if old.name],
            })
json.dump(listed, sys.stdout)
