a = [1]
b = a @ a
b @= a

# expect: 2:5: the operator @ is not supported; write loops
# expect: 3:1: the operator @ is not supported; write loops
