pairs = zip([1], [2])
items = {}.items()
print(list(pairs), items)

# expect: 2:9: items() is not a value in the guest language; write list(x.items())
