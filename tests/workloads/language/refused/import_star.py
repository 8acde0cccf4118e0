from os import *

fork()

# expect: 1:1: import * is not supported; name what you import
