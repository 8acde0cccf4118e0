_count = 0


def _helper():
    return _count

# expect: 1:1: the name '_count' begins with an underscore; write count
# expect: 4:1: the name '_helper' begins with an underscore; write helper
