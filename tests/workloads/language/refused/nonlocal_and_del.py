def f(x):
    nonlocal y
    del x.y

# expect: 2:5: nonlocal is not supported; write global, or return the value
# expect: 3:9: del of this is not supported; write del name
