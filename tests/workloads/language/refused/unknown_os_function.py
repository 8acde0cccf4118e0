import os

os.getlogin(os.P_DETACH)

# expect: 3:1: 'os.getlogin' is not in the guest language; write os.getuid()
# expect: 3:13: 'os.P_DETACH' is not in the guest language; docs/guest-language.md lists the names of os
