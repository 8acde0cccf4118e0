x = 3
print(type(x))

# expect: 2:7: the name 'type' is not in the guest language; write isinstance()
