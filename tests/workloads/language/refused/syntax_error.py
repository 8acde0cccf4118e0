def main(:
    pass

# expect: 1:10: not Python 3.11: invalid syntax
