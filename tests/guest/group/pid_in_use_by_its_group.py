"""A reaped group leader's number still names its group while a member is left."""

import os

read_end, write_end = os.pipe()
leader = os.fork()
if leader == 0:
    os._exit(0)
os.setpgid(leader, leader)
member = os.fork()
if member == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(0)
os.setpgid(member, leader)
os.waitpid(leader, 0)
try:
    os.kill(leader, 0)
except ProcessLookupError:
    print("the leader is gone")
os.kill(-leader, 0)
print("its group is not:", os.getpgid(member) == leader)
other = os.fork()
if other == 0:
    os.read(read_end, 1)
    os._exit(0)
os.setpgid(other, leader)
print("and takes members:", os.getpgid(other) == leader)
os.write(write_end, b"gg")
os.waitpid(member, 0)
os.waitpid(other, 0)
try:
    os.kill(-leader, 0)
except ProcessLookupError:
    print("now it is")
