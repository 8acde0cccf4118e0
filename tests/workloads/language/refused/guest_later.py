from workloads.guest import sched_setattr, say

say('x')

# expect: 1:29: 'workloads.guest.sched_setattr' is in the guest language but not implemented yet; leave it out
