
pairs = zip([1], [2])
items = {}.items(3)
made = type("Made", (), {"x": 1})
print(list(pairs), items, made)

# expect: 3:9: items() takes no arguments; leave them out
# expect: 4:8: type() with three arguments makes a class: there are none in the guest language; write functions over dicts or tuples
