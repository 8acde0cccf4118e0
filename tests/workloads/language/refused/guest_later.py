from workloads.guest import futex_wait, say
from workloads import guest

say('x')
guest.prctl(36, 1)

# expect: 1:29: 'workloads.guest.futex_wait' is in the guest language but not implemented yet; leave it out
# expect: 5:1: 'workloads.guest.prctl' is in the guest language but not implemented yet; leave it out
