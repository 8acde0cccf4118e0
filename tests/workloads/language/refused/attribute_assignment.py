import os

os.devnull = '/dev/zero'

# expect: 3:1: assignment to an attribute is not supported; use a dict
