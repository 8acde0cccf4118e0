print(3j)
print(...)

# expect: 1:7: complex numbers are not supported; use another value
# expect: 2:7: ... is not supported; use another value
