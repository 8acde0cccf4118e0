def numbers():
    for i in range(3):
        yield i

# expect: 3:9: yield is not supported; build a list and return it
