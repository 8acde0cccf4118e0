from . import helpers

# expect: 1:1: relative imports are not supported; write one file
