words = ['aa', 'b']
print(sorted(words, key=len))
show = print

# expect: 2:25: sorted() takes no argument 'key' in the guest language; put the key first in tuples
# expect: 3:8: 'print' is not a value here; call it: print(...)
