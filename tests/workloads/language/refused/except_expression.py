import os

errors = (OSError,)
try:
    os.close(9)
except errors:
    pass

# expect: 3:11: 'OSError' is not a value here; call it: OSError(...)
# expect: 6:8: 'errors' is not the name of an exception of the guest language; name a built-in exception
