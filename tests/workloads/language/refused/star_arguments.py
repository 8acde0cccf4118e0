words = ['a', 'b']
print(*words)

# expect: 2:7: *arguments in a call are not supported; write them one by one
