first, *rest = [1, 2, 3]
print(first, rest)

# expect: 1:8: * before a value is not supported; write the items one by one
