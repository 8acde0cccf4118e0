print(totl)

# expect: 1:7: the name 'totl' is not defined; define it first
