"""Checks docs/openapi.yaml by itself and against exchanges with a gateway.

    openapi.py FILE.yaml EXCHANGES.json

EXCHANGES.json is a list of {name, path, status, headers, body} and, of a
request whose JSON body is of interest, {name, request, accepted}.  Prints one line a
fault, then the number of answers that were checked and the documented error
codes of each status.
"""

import json
import re
import sys

import yaml
from jsonschema import Draft202012Validator

# header fields that the contract has, where they are answered
OWN = {'retry-after', 'idempotency-replayed', 'www-authenticate', 'allow'}


def faults_of(document):
    """References that lead nowhere, and schemas that are none."""
    def walk(node, path):
        if isinstance(node, dict):
            if '$ref' in node:
                try:
                    resolve(document, node)
                except (KeyError, TypeError):
                    yield f'{path}: {node["$ref"]} is not there'
            for key, value in node.items():
                if key == 'schema' or path.endswith('/schemas'):
                    try:
                        Draft202012Validator.check_schema(value)
                    except Exception as e:
                        yield f'{path}/{key}: {e.message}'
                yield from walk(value, f'{path}/{key}')
        elif isinstance(node, list):
            for i, value in enumerate(node):
                yield from walk(value, f'{path}/{i}')

    yield from walk(document, '')

    if not re.fullmatch(r'3\.1\.\d+', document.get('openapi', '')):
        yield 'openapi: not 3.1'

    for uri, item in document['paths'].items():
        for method, operation in item.items():
            for code, answer in operation['responses'].items():
                if 'description' not in resolve(document, answer):
                    yield f'{method} {uri} {code}: no description'
            for parameter in operation.get('parameters', []):
                if not {'name', 'in', 'schema'} <= set(
                        resolve(document, parameter)):
                    yield f'{method} {uri}: a parameter is incomplete'

    schemes = document['components']['securitySchemes']
    for requirement in document.get('security', []):
        for name in set(requirement) - set(schemes):
            yield f'security: {name} is not there'


def resolve(document, node):
    while isinstance(node, dict) and '$ref' in node:
        target = document
        for key in node['$ref'].lstrip('#/').split('/'):
            target = target[key]
        node = target
    return node


def validator(document, schema):
    """The components stay reachable for references."""
    return Draft202012Validator({**schema,
                                 'components': document['components']})


def properties(document, schema):
    """Members that a schema documents, also in what it is made of."""
    schema = resolve(document, schema)
    found = dict(schema.get('properties', {}))

    for part in schema.get('allOf', []) + schema.get('anyOf', []):
        for name, value in properties(document, part).items():
            found.setdefault(name, value)

    return found


def unknown(document, schema, value, path=''):
    """Members of an answer that the document does not have."""
    if isinstance(value, dict):
        known = properties(document, schema)
        for name, member in value.items():
            if name in known:
                yield from unknown(document, known[name], member,
                                   f'{path}.{name}')
            else:
                yield f'{path}.{name} is not documented'


def answer_faults(document, operation, answer):
    """An answer that differs from what is documented for its status."""
    documented = operation['responses'].get(str(answer['status']))

    if documented is None:
        yield f'status {answer["status"]} is not documented'
        return

    documented = resolve(document, documented)
    schema = documented['content']['application/json']['schema']
    value = json.loads(answer['body'])

    for error in validator(document, schema).iter_errors(value):
        yield error.message
    yield from unknown(document, schema, value)

    headers = {name.lower(): resolve(document, header)
               for name, header in documented.get('headers', {}).items()}

    for name, text in answer['headers'].items():
        name = name.lower()
        if name in headers:
            for error in validator(document, headers[name]['schema']
                                   ).iter_errors(text):
                yield f'{name}: {error.message}'
        elif name in OWN:
            yield f'{name} is not documented'


def codes(document, schema):
    """Error codes that are listed for a status."""
    schema = resolve(document, schema)

    if 'const' in schema:
        yield schema['const']
    yield from schema.get('enum', [])

    for part in schema.get('anyOf', []):
        yield from codes(document, part)


def listed(document, schema):
    schema = resolve(document, schema)

    if 'error_code' in schema.get('properties', {}):
        yield from codes(document, schema['properties']['error_code'])
    for part in schema.get('allOf', []):
        yield from listed(document, part)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        document = yaml.safe_load(file)
    with open(sys.argv[2], encoding='utf-8') as file:
        exchanges = json.load(file)

    for fault in faults_of(document):
        print(f'fault: {fault}')

    operation = document['paths']['/v2/ktp/extract']['post']
    request = operation['requestBody']['content']['application/json']['schema']
    checked = 0

    for exchange in exchanges:
        if 'request' in exchange:
            valid = validator(document, request).is_valid(exchange['request'])
            faults = [] if valid == exchange['accepted'] else [
                'the request is ' + ('valid' if valid else 'invalid')]
        else:
            faults = answer_faults(
                document, document['paths'][exchange['path']]['post'], exchange)

        for fault in faults:
            print(f'fault: {exchange["name"]}: {fault}')
        checked += 1

    print(f'checked: {checked}')

    for status, answer in operation['responses'].items():
        schema = answer['content']['application/json']['schema']
        for code in listed(document, schema):
            print(f'code: {status} {code}')


main()
