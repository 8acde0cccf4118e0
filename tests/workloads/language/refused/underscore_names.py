__import__ = 1
__builtins__ = {}


def __build_class__():
    return __loader__

# expect: 1:1: the name '__import__' is the interpreter's own; use another name
# expect: 2:1: the name '__builtins__' is the interpreter's own; use another name
# expect: 5:1: the name '__build_class__' is the interpreter's own; use another name
# expect: 6:12: the name '__loader__' is not defined; define it first
