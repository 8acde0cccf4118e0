import os

if (pid := os.fork()) == 0:
    os._exit(0)

# expect: 3:5: := is not supported; write an assignment of its own
