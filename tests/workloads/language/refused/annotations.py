def add(a: int, b: int) -> int:
    return a + b


limit: int = 3

# expect: 1:12: annotations are not supported; leave it out
# expect: 1:20: annotations are not supported; leave it out
# expect: 1:28: annotations are not supported; leave it out
# expect: 5:1: annotations are not supported; write an assignment without one
