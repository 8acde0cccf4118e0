def f(x):
    nonlocal y
    del x.y

# expect: 3:9: del of this is not supported; write del name
