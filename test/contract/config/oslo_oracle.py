"""What oslo.config itself makes of files: reads cases as JSON on standard input, writes their values on standard output."""

import json
import logging
import os
import sys
import tempfile
import warnings

warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)

from oslo_config import cfg  # noqa: E402
from oslo_config import types  # noqa: E402


def type_of(kind):
    bounds = {name: kind[name] for name in ('min', 'max', 'choices') if name in kind}
    if kind['kind'] == 'string':
        return types.String(choices=kind.get('choices'), ignore_case=kind.get('ignoreCase', False))
    if kind['kind'] == 'integer':
        return types.Integer(**bounds)
    if kind['kind'] == 'float':
        return types.Float(**bounds)
    if kind['kind'] == 'list':
        return types.List(item_type=type_of(kind.get('item', {'kind': 'string'})))
    if kind['kind'] == 'dict':
        return types.Dict(value_type=type_of(kind.get('value', {'kind': 'string'})))
    return {'boolean': types.Boolean, 'port': types.Port, 'ip': types.IPAddress}[kind['kind']]()


def option_of(option):
    deprecated = [cfg.DeprecatedOpt(old.get('name', option['name']), group=old.get('section')) for old in option.get('deprecated', [])]
    if option['type']['kind'] == 'multi':
        return cfg.MultiOpt(option['name'], item_type=type_of(option['type']['item']),
                            default=[option['default']] if option['default'] is not None else None,
                            deprecated_opts=deprecated)
    return cfg.Opt(option['name'], type=type_of(option['type']), default=option['default'], deprecated_opts=deprecated)


def values_of(case, directory):
    conf = cfg.ConfigOpts()
    for option in case['options']:
        conf.register_opt(option_of(option), group=None if option['section'] == 'DEFAULT' else option['section'])
    arguments = []
    for place, text in enumerate(case['files']):
        path = os.path.join(directory, '%d.conf' % place)
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        arguments += ['--config-file', path]
    try:
        conf(args=arguments, project='none', prog='none', default_config_files=[], default_config_dirs=[])
    except cfg.Error as problem:
        return {'error': str(problem)}
    values = []
    for option in case['options']:
        try:
            holder = conf if option['section'] == 'DEFAULT' else conf[option['section']]
            values.append({'value': holder[option['name']]})
        except Exception as problem:  # what kind it is does not matter here
            values.append({'error': type(problem).__name__})
    return {'values': values}


def main():
    sys.setrecursionlimit(400)
    answers = []
    clean = dict(os.environ)
    for case in json.load(sys.stdin):
        os.environ.update(case.get('environment', {}))
        with tempfile.TemporaryDirectory() as directory:
            answers.append(values_of(case, directory))
        os.environ.clear()
        os.environ.update(clean)
    json.dump(answers, sys.stdout)


main()
