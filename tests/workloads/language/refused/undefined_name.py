print(totl)

# expect: 1:7: the name 'totl' is not in the guest language; define it first
