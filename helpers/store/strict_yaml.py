"""YAML that means what its writer thinks: `runs` reads runs.yaml with it."""

import re


def load(text):
    """The value of a YAML text, plain data only. ValueError or yaml.YAMLError where it has none.

    A name that stands twice in a mapping, of which YAML takes the last, is refused, and so are
    the numbers that YAML 1.1 reads oddly: 0100 is 64 there, and 1:30 is 90.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        _refuse_ambiguous(node)
        return node and loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_ambiguous(node):
    waiting, seen = [node] if node else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        line = f"line {node.start_mark.line + 1}"
        if node.id == "mapping":
            names = [str(name.value) for name, _ in node.value]
            for name in set(names):
                if names.count(name) > 1:
                    raise ValueError(f"{line}: {name[:80]} stands twice below it, remove one")
            waiting += [part for pair in node.value for part in pair]
        elif node.id == "sequence":
            waiting += node.value
        elif node.tag.endswith((":int", ":float")) and re.match(r"[-+]?0[\d_]|.*:", node.value):
            raise ValueError(
                f"{line}: {node.value[:80]} is read as another number, write it plainly"
            )
