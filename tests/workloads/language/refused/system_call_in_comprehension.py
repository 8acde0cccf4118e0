import os

pids = [os.fork() for i in range(3)]

# expect: 3:9: a system call or guest call inside a comprehension; write a for loop
