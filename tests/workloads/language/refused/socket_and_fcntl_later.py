import fcntl
import socket

a, b = socket.socketpair()
print(fcntl.fcntl(a, fcntl.F_GETFD))

# expect: 1:1: 'fcntl' is in the guest language but not implemented yet; leave it out
# expect: 2:1: 'socket' is in the guest language but not implemented yet; leave it out
# expect: 4:8: 'socket.socketpair' is in the guest language but not implemented yet; leave it out
# expect: 5:7: 'fcntl.fcntl' is in the guest language but not implemented yet; leave it out
# expect: 5:22: 'fcntl.F_GETFD' is in the guest language but not implemented yet; leave it out
