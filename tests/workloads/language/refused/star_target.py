first, *rest = [1, 2, 3]
print(first, rest)

# expect: 1:8: * in an assignment is not supported; use slices
