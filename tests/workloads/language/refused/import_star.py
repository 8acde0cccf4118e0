from os import *

fork()

# expect: 1:1: import * is not supported; name what you import
# expect: 3:1: the name 'fork' is not in the guest language; see its table of builtins
