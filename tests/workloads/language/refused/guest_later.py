from workloads.guest import futex_wait, say

say('x')

# expect: 1:29: 'workloads.guest.futex_wait' is in the guest language but not implemented yet; leave it out
