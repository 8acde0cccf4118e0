import os

os.sched_setaffinity(0, {0})
print(os.SCHED_FIFO)

# expect: 3:1: 'os.sched_setaffinity' is in the guest language but not implemented yet; leave it out
# expect: 4:7: 'os.SCHED_FIFO' is in the guest language but not implemented yet; leave it out
