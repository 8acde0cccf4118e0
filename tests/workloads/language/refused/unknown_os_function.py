import os

os.spawnv(os.P_WAIT, '/bin/ls', ['ls'])

# expect: 3:1: 'os.spawnv' is not in the guest language; write os.posix_spawn()
# expect: 3:11: 'os.P_WAIT' is not in the guest language; docs/guest-language.md lists the names of os
