import resource

print(resource.getrlimit(resource.RLIMIT_NPROC))

# expect: 1:1: 'resource' is in the guest language but not implemented yet; leave it out
# expect: 3:7: 'resource.getrlimit' is in the guest language but not implemented yet; leave it out
# expect: 3:26: 'resource.RLIMIT_NPROC' is in the guest language but not implemented yet; leave it out
