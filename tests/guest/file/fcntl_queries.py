"""F_DUPFD_QUERY: is it the same open file? F_CREATED_QUERY: did opening it make the file?"""

import fcntl
import os

F_DUPFD_QUERY = 1027
F_CREATED_QUERY = 1028


def ask(what, fd, command, argument=0):
    try:
        print(what, fcntl.fcntl(fd, command, argument))
    except OSError as error:
        print(what, error.errno)


reader, writer = os.pipe()
again = os.dup(reader)
ask("a duplicate", reader, F_DUPFD_QUERY, again)
ask("itself", reader, F_DUPFD_QUERY, reader)
ask("the other end", reader, F_DUPFD_QUERY, writer)
ask("nothing", reader, F_DUPFD_QUERY, 55)
ask("of nothing", 55, F_DUPFD_QUERY, reader)
path = "queried.tmp"
made = os.open(path, os.O_CREAT | os.O_RDWR)
found = os.open(path, os.O_CREAT | os.O_RDWR)
os.unlink(path)
ask("made", made, F_CREATED_QUERY)
ask("found", found, F_CREATED_QUERY)
ask("a duplicate of the made one", os.dup(made), F_CREATED_QUERY)
ask("opened twice", made, F_DUPFD_QUERY, found)
ask("a pipe", reader, F_CREATED_QUERY)
if os.fork() == 0:
    ask("in a child", made, F_CREATED_QUERY)
    os._exit(0)
os.wait()
