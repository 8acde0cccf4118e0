x = 3
print(type(x))

# expect: 2:7: the builtin 'type' is not in the guest language; write isinstance()
