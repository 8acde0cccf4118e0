import os


class Job:
    pass


os.fork()

# expect: 4:1: class definitions are not supported; write functions over dicts or tuples
