import os

os.getlogin()

# expect: 3:1: 'os.getlogin' is not in the guest language; write os.getuid()
# expect: 3:11: 'os.P_WAIT' is not in the guest language; docs/guest-language.md lists the names of os
