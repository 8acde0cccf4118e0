def main():
    import os

    os.fork()

# expect: 2:5: imports inside other code are not supported; import at the top level
